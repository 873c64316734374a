"""A row that came before, as one process tells it to the other."""

from typing import NamedTuple


class Same(NamedTuple):
    """A row known at sight: its number, the digest of its cells, the record it led to and how that content begins."""

    number: int
    cells: int
    record: int
    content: int
