"""Which rows set aside a page shows: read from its address, nonsense ignored, and written back into addresses."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.utils import timezone

from records.enums import RowState
from records.feeds.problems import SENTENCES
from records.models import Feed, FeedBatch, QuarantinedRow
from records.querysets import QuarantinedRowQuerySet

AGES = (1, 3, 7, 30)
COUNTED = 10_000
PER_FEED = """
SELECT s.feed_id, p ->> 'code', count(DISTINCT s.id) FROM ({rows}) s, jsonb_array_elements(s.problems) p
GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2
"""
PER_CODE = """
SELECT p ->> 'code', count(DISTINCT s.id) FROM ({rows}) s, jsonb_array_elements(s.problems) p
GROUP BY 1 ORDER BY 2 DESC, 1
"""


@dataclass(frozen=True)
class RowFilter:
    """What was asked for; an empty value asks for everything. `age` is how many days a row has waited at least."""

    feed: int | None = None
    batch: int | None = None
    agency: int | None = None
    code: str = ""
    field: str = ""
    age: int | None = None
    state: str = RowState.OPEN

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> "RowFilter":
        """Read from an address or a form."""
        code, state, age = asked.get("code", ""), asked.get("state", ""), _number(asked.get("age", ""))
        return cls(
            feed=_number(asked.get("feed", "")),
            batch=_number(asked.get("batch", "")),
            agency=_number(asked.get("agency", "")),
            code=code if code in SENTENCES else "",
            field=_plain(asked.get("field", "")),
            age=age if age in AGES else None,
            state=state if state in RowState.values else RowState.OPEN,
        )

    def apply(self, rows: QuarantinedRowQuerySet) -> QuarantinedRowQuerySet:
        """Those of the rows that were asked for."""
        exact = {"feed": self.feed, "feed__agency": self.agency}
        found = rows.filter(state=self.state, **{name: key for name, key in exact.items() if key is not None})
        if self.batch is not None:
            found = found.of_batch(self.batch)
        if self.age:
            found = found.filter(created_at__lt=timezone.now() - datetime.timedelta(days=self.age))
        return found.with_problem(code=self.code, field=self.field)

    def values(self) -> dict[str, str]:
        """What differs from asking for everything that waits, by name."""
        usual = RowFilter()
        return {name: str(value) for name, value in vars(self).items() if value != vars(usual)[name]}

    def address(self, **changes: Any) -> str:
        """The part of an address behind the question mark that asks for this, with some of it changed."""
        return f"?{urlencode(replace(self, **changes).values())}"


def count_by_code(rows: QuarantinedRowQuerySet) -> tuple[list[tuple[str, int]], int]:
    """How many rows have each problem, commonest first, and how many rows there are; counted no further than 10,000."""
    counted = rows.order_by().values("id", "problems")[:COUNTED]
    sql, parameters = counted.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(PER_CODE.format(rows=sql), parameters)
        per_code = cursor.fetchall()
    return per_code, len(counted.values_list("pk", flat=True))


def count_by_unit(rows: QuarantinedRowQuerySet) -> list[tuple[int, str, int]]:
    """Feed, code and number of rows: counts for the centre, which sees no row."""
    sql, parameters = rows.order_by().values("id", "feed_id", "problems")[: 5 * COUNTED].query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(PER_FEED.format(rows=sql), parameters)
        found: list[tuple[int, str, int]] = cursor.fetchall()
    return found


def chosen_feed(asked: RowFilter, feeds: list[Feed]) -> Feed | None:
    """The one feed a page is about: asked for, or that of the delivery asked for, or the only one there is."""
    wanted = asked.feed
    if wanted is None and asked.batch is not None:
        wanted = FeedBatch.objects.filter(pk=asked.batch).values_list("feed", flat=True).first()
    if wanted is None and len(feeds) == 1:
        return feeds[0]
    return next((feed for feed in feeds if feed.pk == wanted), None)


def all_rows() -> QuarantinedRowQuerySet:
    """Every row, before anybody's rights are asked about."""
    return QuarantinedRow.objects.all()


def _number(text: Any) -> int | None:
    """A key as it stands in an address; None for anything the database would not take."""
    plain = str(text)
    return int(plain) if plain.isascii() and plain.isdecimal() and len(plain) <= 18 else None


def _plain(text: Any) -> str:
    found = str(text)[:60]
    return found if found.isprintable() else ""
