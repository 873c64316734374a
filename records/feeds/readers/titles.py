"""Where the header of a worksheet stands: below the titles that people put above their tables."""

from __future__ import annotations

TITLE_ROWS = 3  # at most so many single-cell rows above the header are taken for titles
TOP_ROWS = TITLE_ROWS + 1


def find_header(top: list[tuple[int, list[str]]]) -> tuple[int, list[str], list[int]]:
    """Line and cells of the header among the first rows with content, and the lines of the titles above it.

    A row with a single filled cell above a row with several is a title, as a cell merged over the table is.
    """
    for at, (line, cells) in enumerate(top):
        if sum(1 for cell in cells if cell.strip()) > 1:
            return line, cells, [above for above, _cells in top[:at]]
    return *top[0], []
