"""Which decisions a file has already named, in a few bytes each, however long the file is."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from hashlib import blake2b

MASK = (1 << 64) - 1
LONGEST_RUN = 1 << 18
AT_A_TIME = 1 << 14  # keys of a run that are merged at once: for a moment they are objects of Python


def key_of(number_index: bytes, document: str, digest: bytes = b"") -> int:
    """A decision, or with its digest what a row said of it, as a number of 64 bits; holds for this process only."""
    return hash((number_index, document, digest)) & MASK


def hash_of(number_index: bytes) -> int:
    """A subject as a number of 64 bits; holds for this process only."""
    return hash(number_index) & MASK


def decision_of(number_index: bytes, document: str, key: bytes) -> int:
    """A decision about a subject as a signed number of 64 bits that holds for ever, to be kept beside a row."""
    digest = blake2b(number_index + document.encode(), digest_size=8, key=key).digest()
    return int.from_bytes(digest, "big", signed=True)


class KeysSeen:
    """A set of 64-bit numbers at eight bytes each: sorted runs, merged so that few remain.

    Sorting waits for the first question, since most files never repeat a decision and none is asked.
    """

    def __init__(self) -> None:
        self._runs: list[array[int]] = []
        self._unsorted: list[array[int]] = []

    def add(self, keys: Iterable[int]) -> None:
        """Take a chunk's keys in."""
        self._unsorted.append(array("Q", keys))

    def __contains__(self, key: int) -> bool:
        if self._unsorted:
            self._sort()
        for run in self._runs:
            at = bisect_left(run, key)
            if at < len(run) and run[at] == key:
                return True
        return False

    def _sort(self) -> None:
        """A run never stands before one that is as long, unless both are long."""
        waiting, self._unsorted = self._unsorted, []
        for keys in waiting:
            run = array("Q", sorted(keys))
            while self._runs and len(self._runs[-1]) <= len(run) <= LONGEST_RUN:
                run = _merged(self._runs.pop(), run)
            if run:
                self._runs.append(run)


def _merged(one: "array[int]", two: "array[int]") -> "array[int]":
    """Both runs as one, a piece at a time."""
    merged, taken = array("Q"), 0
    for start in range(0, len(one), AT_A_TIME):
        piece = one[start : start + AT_A_TIME]
        upto = bisect_right(two, piece[-1], taken)
        merged.extend(sorted([*piece, *two[taken:upto]]))
        taken = upto
    merged.extend(two[taken:])
    return merged
