"""The workbook of rows set aside: the sender's columns, what is wrong in words, each wrong cell marked."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

import xlsxwriter

from creditplatform.core.enums import Door
from creditplatform.core.errors import NotPermitted
from creditplatform.core.models import User
from creditplatform.core.wording import chinese, explained
from records.feeds.mending import PROBLEM_HEADERS, ROW_HEADERS, row_token
from records.feeds.not_accepted import in_words
from records.feeds.plan import plan_for
from records.feeds.problems import sentence
from records.models import Feed, QuarantinedRow
from records.querysets import QuarantinedRowQuerySet, units_of
from records.services.feeds import folder
from records.services.setaside import note_looks
from records.services.setaside_table import AT_A_TIME, MOST_ROWS, SetAsideTable, TableRow

LONGEST_CELL = 32_767  # of a workbook
MOST_COMMENTS = 10_000  # they are kept in memory; beyond them the words stand in the first column alone
WIDTH, WIDE, KEY_WIDTH = 18, 48, 30
BAD = {"bg_color": "#FDE3DF", "font_color": "#7A1610", "border": 1, "border_color": "#B3261E", "num_format": "@"}


def write_marked_workbook(*, user: User, feed: Feed, rows: QuarantinedRowQuerySet, target: IO[bytes]) -> int:
    """Write the rows of a feed as a workbook to be mended and delivered again; returns how many, at most 100,000.

    Memory does not grow with the rows. That these rows were looked at is written first, for every person they name.
    Raises NotPermitted, NotCollected.
    """
    if feed.agency_id not in units_of(user):
        raise NotPermitted
    wanted = rows.filter(feed=feed, cells__isnull=False)
    _note_looks(user, feed, wanted)
    table = SetAsideTable(plan_for(feed), feed, wanted)
    options = {"constant_memory": True, "tmpdir": str(folder()), "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(target, options) as workbook:
        return _Sheet(workbook, table).write()


def _note_looks(user: User, feed: Feed, rows: QuarantinedRowQuerySet) -> None:
    read = rows.order_by("pk")[:MOST_ROWS].iterator(chunk_size=AT_A_TIME)
    for some in _in_parts(read):
        note_looks(feed=feed, rows=some, user=user, door=Door.DESK)


def _in_parts(rows: Iterator[QuarantinedRow]) -> Iterator[list[QuarantinedRow]]:
    while some := list(islice(rows, AT_A_TIME)):
        yield some


class _Sheet:
    """The one sheet: what is wrong first, so that it is in sight, then the sender's columns, then the row's key."""

    def __init__(self, workbook: Any, table: SetAsideTable) -> None:
        self._table, self._places = table, table.places()
        self._fields = {item.code: item for item in table.plan.fields}
        self._sheet = workbook.add_worksheet("待更正" if chinese() else "To mend")
        self._head = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 2})
        self._plain = workbook.add_format({"num_format": "@"})
        self._words = workbook.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
        self._bad = workbook.add_format(BAD)
        self._comments = 0

    def write(self) -> int:
        """Header and rows; returns the number of rows."""
        language = "zh-hans" if chinese() else "en"
        header = [PROBLEM_HEADERS[language], *self._table.header, ROW_HEADERS[language]]
        self._sheet.set_column(0, 0, WIDE, self._words)
        self._sheet.set_column(1, len(header) - 2, WIDTH, self._plain)
        self._sheet.set_column(len(header) - 1, len(header) - 1, KEY_WIDTH, self._plain)
        self._sheet.freeze_panes(1, 1)
        for at, name in enumerate(header):
            self._sheet.write_string(0, at, name[:LONGEST_CELL], self._head)
        count = 0
        for count, row in enumerate(self._table, start=1):
            self._write_row(count, row)
        return count

    def _write_row(self, at: int, row: TableRow) -> None:
        wrong: dict[int, list[str]] = defaultdict(list)
        for problem in row.problems:
            if problem["field"] in self._places:
                wrong[self._places[problem["field"]] + 1].append(
                    sentence(problem["code"], self._fields.get(problem["field"]))
                )
        self._sheet.write_string(at, 0, self._in_words(row), self._words)
        for place, text in enumerate(row.texts, start=1):
            if text or place in wrong:
                write = self._sheet.write_string if text else self._sheet.write_blank
                write(at, place, text[:LONGEST_CELL], self._bad if place in wrong else self._plain)
        self._sheet.write_string(at, len(row.texts) + 1, row_token(row.pk, row.revision), self._plain)
        for place, sentences in wrong.items():
            self._comment(at, place, "\n".join(sentences))

    def _comment(self, at: int, place: int, text: str) -> None:
        if self._comments < MOST_COMMENTS:
            self._comments += 1
            self._sheet.write_comment(at, place, text, {"x_scale": 1.6, "font_size": 10})

    def _in_words(self, row: TableRow) -> str:
        said = in_words(row.problems, self._fields)
        return "\n".join(explained(name, text) if name else text for name, text in said)[:LONGEST_CELL]
