"""Where the header of a worksheet stands: below the titles that people put above their tables."""

from __future__ import annotations

TITLE_ROWS = 3  # at most so many single-cell rows above the header are taken for titles
TOP_ROWS = TITLE_ROWS + 2  # the header, and the example row of a template below it
EXAMPLE = "【示例，请删除】"  # what the first cell of a template's example row begins with


def find_header(top: list[tuple[int, list[str]]]) -> tuple[int, list[str], list[int]]:
    """Line and cells of the header among the first rows with content, and the lines of the titles above it.

    A row with a single filled cell above a row with several is a title, as a cell merged over the table is.
    """
    for at, (line, cells) in enumerate(top[: TITLE_ROWS + 1]):
        if sum(1 for cell in cells if cell.strip()) > 1:
            return line, cells, [above for above, _cells in top[:at]]
    return *top[0], []


def example_line(top: list[tuple[int, list[str]]], header_line: int) -> int | None:
    """The line of a template's example row that somebody forgot to delete; it is no data."""
    below = next(((line, cells) for line, cells in top if line > header_line), None)
    if below and any(cell.strip().startswith(EXAMPLE) for cell in below[1]):
        return below[0]
    return None
