"""What a report is to show: which report, which kinds of record, which period, which day, which language."""

import datetime
from dataclasses import dataclass

from records.enums import CreditReportKind
from records.models import CreditReport
from records.queries.grants import Grant


@dataclass(frozen=True)
class Order:
    """An order for a report. `entries` empty means every kind; `grant` limits a report that goes to a unit.

    Dates are inclusive. `as_of` is the day whose state it shows. `whole_number` prints the number of the document in
    full, where the person wants that; otherwise its last four characters.
    """

    as_of: datetime.date
    kind: CreditReportKind = CreditReportKind.FULL
    entries: tuple[str, ...] = ()
    period_from: datetime.date | None = None
    period_until: datetime.date | None = None
    language: str = "zh-hans"
    whole_number: bool = False
    grant: Grant | None = None

    @property
    def special(self) -> bool:
        """Whether it stands in place of a certificate."""
        return self.kind == CreditReportKind.SPECIAL

    @property
    def own(self) -> bool:
        """Whether it is made for the person, not for a unit."""
        return self.grant is None


def order_of(report: CreditReport, *, as_of: datetime.date, grant: Grant | None) -> Order:
    """The order behind an issued report, for another day: what it would have to show then."""
    return Order(
        as_of=as_of,
        kind=CreditReportKind(report.kind),
        entries=tuple(report.fields),
        period_from=report.period_from,
        period_until=report.period_until,
        language=report.language,
        grant=grant,
    )
