"""Reading delivered files: every format arrives as one kind of table of text, in bounded memory.

`open_table` looks at the content; a name only says what plain text was meant to be. Values are text exactly as
delivered (workbook numbers and dates as the spreadsheet shows them); what cannot be read raises FeedFileError with a
stable code.
"""

from .detect import check_syntax, open_table
from .errors import FeedFileError
from .table import BadRow, CellWarning, Chunk, Limits, Table, joined
from .values import looks_like_formula

__all__ = [
    "BadRow",
    "CellWarning",
    "Chunk",
    "FeedFileError",
    "Limits",
    "Table",
    "check_syntax",
    "joined",
    "looks_like_formula",
    "open_table",
]
