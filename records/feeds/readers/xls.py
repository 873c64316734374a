"""Legacy XLS workbooks, read by a process of its own: `xls_worker`."""

from __future__ import annotations

import marshal
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

from .errors import FeedFileError
from .table import CellWarning, Chunk, Limits, Table, checked_header, shape_rows
from .titles import TOP_ROWS, example_line, find_header
from .xls_worker import MEMORY, Row

ROOT = Path(__file__).resolve().parents[3]
WORKER = [sys.executable, "-m", f"{__package__}.xls_worker"]
MEBIBYTE = 1 << 20


class XlsTable(Table):
    """A worksheet of a legacy workbook; values as for XLSX, though formulas and errors leave no mark."""

    format = "xls"
    encoding = "BIFF"

    def __init__(self, path: Path, limits: Limits) -> None:
        super().__init__(limits)
        if path.stat().st_size > limits.xls_bytes:
            raise _too_large(limits.xls_bytes)
        self._path = path.resolve()
        frames = _frames(self._path)
        self.sheets, self.sheet = next(frames)
        rows_above = islice((row for rows in frames for row in rows), TOP_ROWS)
        top = [(line, cells) for line, cells, _columns in rows_above]
        line, cells, self.skipped_lines = find_header(top)
        frames.close()
        self.example_line = example_line(top, line)
        self.header, self._header_line = checked_header(cells, limits), self.example_line or line

    def blocks(self) -> Iterator[Chunk]:
        """All data rows; raises corrupt_workbook or workbook_too_large where the worker fails."""
        frames = _frames(self._path)
        next(frames)
        number = 1
        for frame in frames:
            rows = [row for row in frame if row[0] > self._header_line]
            if rows:
                yield self._shaped(rows, number)
                number += len(rows)

    def _shaped(self, rows: list[Row], number: int) -> Chunk:
        width, limit = len(self.header), self.limits.cell_chars
        for line, cells, _columns in rows:
            if max(map(len, cells)) > limit:
                raise FeedFileError("cell_too_long", line=line, limit=limit)
            cells.extend([""] * (width - len(cells)))
        chunk = shape_rows([row[1] for row in rows], [row[0] for row in rows], width, number)
        chunk.warnings = [
            CellWarning(line, column, "precision_lost")
            for line, _cells, columns in rows
            for column in columns
            if column < width
        ]
        return chunk


def _frames(path: Path) -> Generator[Any, None, None]:
    """What the worker sends; raises password_protected, no_worksheet, corrupt_workbook, workbook_too_large."""
    command = [*WORKER, str(path)]
    with subprocess.Popen(  # noqa: S603 — our own module and a path
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT
    ) as worker:
        try:
            while (frame := _frame(worker)) is not None:
                if isinstance(frame, str):
                    raise FeedFileError(frame, part="xls", limit=_mebibytes(MEMORY))
                yield frame
        finally:
            worker.kill()


def _frame(worker: subprocess.Popen[bytes]) -> Any:
    """The next frame; raises workbook_too_large or corrupt_workbook when the worker has ended before its time."""
    answer = cast(BinaryIO, worker.stdout)
    length = int.from_bytes(answer.read(8), "little")
    data = answer.read(length) if length else b""
    if length and len(data) == length:
        return marshal.loads(data)  # noqa: S302 — written by our own worker
    ended = worker.wait()
    if ended == -signal.SIGABRT:
        raise _too_large(MEMORY)
    if ended < 0:
        raise FeedFileError("corrupt_workbook", part="xls")
    raise OSError(f"the workbook reader ended with status {ended}")


def _too_large(limit: int) -> FeedFileError:
    return FeedFileError("workbook_too_large", limit=_mebibytes(limit))


def _mebibytes(size: int) -> str:
    return f"{size // MEBIBYTE} MiB"
