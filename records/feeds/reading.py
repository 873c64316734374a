"""From raw cells to rows ready for the store: known at sight where possible, checked where not."""

from itertools import compress

from records.feeds.mapping import ColumnMap
from records.feeds.memory import Memory, RowDigest
from records.feeds.mending import NOTHING_MENDED, MendingColumns
from records.feeds.plan import Plan
from records.feeds.prepare import Preparer
from records.feeds.prepared import Prepared
from records.feeds.readers import Chunk


class Reading:
    """Works off chunk after chunk of one file; `mending` are columns of our own workbook, not among `header`."""

    def __init__(
        self,
        plan: Plan,
        columns: ColumnMap,
        header: list[str],
        memory: Memory,
        mending: MendingColumns = NOTHING_MENDED,
    ) -> None:
        self._preparer = Preparer(plan, columns, header)
        self._digest = RowDigest(plan, columns, header)
        self._memory = memory
        self.mending = mending

    def forget(self) -> None:
        """Let go of what was delivered before: the process that reads ahead has it, and this one needs the room."""
        self._memory = Memory()

    def prepare(self, chunk: Chunk) -> Prepared:
        """Every row of a chunk, known at sight or checked, and which rows set aside they mend."""
        mends, chunk = self.mending.split(chunk)
        prepared = self._prepare(chunk)
        prepared.mends = mends
        return prepared

    def _prepare(self, chunk: Chunk) -> Prepared:
        digests = self._digest.of(chunk)
        same = self._memory.find(chunk, digests) if len(self._memory) else []
        if not same:
            return self._checked(chunk, digests)
        known = {row.number for row in same}
        unknown = [number not in known for number in chunk.row_numbers]
        prepared = self._checked(chunk.where(unknown), list(compress(digests, unknown)))
        prepared.same = same
        return prepared

    def check_again(self, prepared: Prepared, numbers: set[int]) -> None:
        """Check rows of a chunk after all, whose record no longer says what it said."""
        chunk = prepared.chunk_of(numbers)
        prepared.take_in(self._checked(chunk, self._digest.of(chunk)))

    def _checked(self, chunk: Chunk, digests: list[int]) -> Prepared:
        prepared, by_number = self._preparer.prepare(chunk), dict(zip(chunk.row_numbers, digests, strict=True))
        prepared.rows.cells = list(map(by_number.__getitem__, prepared.rows.numbers))
        return prepared
