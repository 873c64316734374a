"""The monthly review report: what each unit looked up, on what authority, and what the reviews of it found (H4.1, G8).

Counted from the access log and the reviews themselves; no person is named.
"""

import datetime
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from creditplatform.core.deadlines import add_months
from creditplatform.core.enums import AccessResult, Authority
from creditplatform.core.labels import Kind, label
from creditplatform.core.models import AccessLog, Agency
from records.enums import BatchCheckState, OwnPurpose, QueryState, ReviewCause, ReviewState
from records.figures.workbook import CONTENT_TYPE, table_workbook
from records.models import AccessReview, BatchCheck, HumanReview, Purpose, Query
from records.services.access_alarms import BY_STAFF

__all__ = ["CONTENT_TYPE", "UnitMonth", "monthly", "workbook"]


@dataclass
class UnitMonth:
    """A unit's month: looks by purpose, authority and result; reviews by what they were and what they found."""

    agency: Agency
    purposes: Counter[str] = field(default_factory=Counter)
    authorities: Counter[str] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)
    drawn: int = 0
    reviewed: int = 0
    alarms: int = 0
    complaints: int = 0
    wrong: int = 0
    open: int = 0
    turned_down: int = 0
    checks: int = 0
    human: int = 0
    labels: list[tuple[str, int]] = field(default_factory=list)

    @property
    def looks(self) -> int:
        """All looks of the month, refused ones among them."""
        return sum(self.results.values())

    @property
    def by_consent(self) -> int:
        """Looks for which a person's consent was needed."""
        return self.authorities[Authority.CONSENT]

    @property
    def by_statute(self) -> int:
        """Looks that a statute orders."""
        return self.authorities[Authority.STATUTE]

    @property
    def by_duty(self) -> int:
        """Looks for correction and upkeep of the unit's own records."""
        return self.authorities[Authority.DUTY]

    @property
    def refused(self) -> int:
        """Questions that nothing covered."""
        return self.results[AccessResult.REFUSED]

    @property
    def nothing(self) -> int:
        """Looks that found nothing on file."""
        return self.results[AccessResult.NOTHING]

    @property
    def anything(self) -> bool:
        """Whether there is something to report."""
        return bool(self.looks or self.drawn or self.alarms or self.complaints or self.turned_down or self.human)


def monthly(units: Collection[int], month: datetime.date) -> list[UnitMonth]:
    """The report on a month for these units, those with the most looks first; seven queries."""
    start, end = _midnight(month), _midnight(add_months(month, 1))
    rows = {one.pk: UnitMonth(one) for one in Agency.objects.filter(pk__in=units).select_related("site")}
    _count_looks(rows, start, end)
    _count_reviews(rows, start, end)
    _count_steps(rows, start, end)
    names = {purpose.code: purpose.label for purpose in Purpose.objects.all()}
    for row in rows.values():
        row.labels = [(names.get(code, label(Kind.PURPOSE, code)), n) for code, n in row.purposes.most_common()]
    return sorted((row for row in rows.values() if row.anything), key=lambda row: (-row.looks, row.agency.code))


def workbook(rows: list[UnitMonth], month: datetime.date) -> bytes:
    """The report as a workbook, one line for every unit and purpose."""
    headers = [
        _("Unit"), _("Purpose"), _("Looks"), _("By consent"), _("By statute"), _("Upkeep"), _("Refused"),
        _("Nothing on file"), _("Checks of many"), _("Turned down"), _("Samples"), _("Alarms"), _("Complaints"),
        _("Reviewed"), _("Found wrong"), _("Open"), _("Before a person"),
    ]  # fmt: skip
    lines: list[list[object]] = []
    for row in rows:
        lines.append([
            row.agency.label, _("all"), row.looks, row.by_consent, row.by_statute, row.by_duty, row.refused,
            row.nothing, row.checks, row.turned_down, row.drawn, row.alarms, row.complaints, row.reviewed, row.wrong,
            row.open, row.human,
        ])  # fmt: skip
        lines += [[row.agency.label, name, number] for name, number in row.labels]
    return table_workbook([(_("Month"), f"{month:%Y-%m}")], headers, lines)


def _count_looks(rows: dict[int, UnitMonth], start: datetime.datetime, end: datetime.datetime) -> None:
    looks = AccessLog.objects.filter(at__gte=start, at__lt=end, agency__in=rows, authority__in=BY_STAFF)
    counted = looks.exclude(purpose=OwnPurpose.EXCHANGE).order_by()
    found = counted.values_list("agency", "purpose", "authority", "result").annotate(number=Count("pk"))
    for agency, purpose, authority, result, number in found:
        row = rows[agency]
        row.purposes[purpose] += number
        row.authorities[authority] += number
        row.results[result] += number


def _count_reviews(rows: dict[int, UnitMonth], start: datetime.datetime, end: datetime.datetime) -> None:
    reviews = AccessReview.objects.filter(access_at__gte=start, access_at__lt=end, agency__in=rows).order_by()
    for agency, cause, state, number in reviews.values_list("agency", "cause", "state").annotate(number=Count("pk")):
        row = rows[agency]
        if cause == ReviewCause.SAMPLE:
            row.drawn += number
        elif cause == ReviewCause.COMPLAINT:
            row.complaints += number
        else:
            row.alarms += number
        if state in (ReviewState.RIGHT, ReviewState.WRONG):
            row.reviewed += number
        else:
            row.open += number
        row.wrong += number if state == ReviewState.WRONG else 0


def _count_steps(rows: dict[int, UnitMonth], start: datetime.datetime, end: datetime.datetime) -> None:
    month = {"asked_at__gte": start, "asked_at__lt": end, "agency__in": rows}
    refused = Query.objects.filter(**month, state=QueryState.REFUSED).order_by()
    for agency, number in refused.values_list("agency").annotate(number=Count("pk")):
        rows[agency].turned_down += number
    checks = BatchCheck.objects.filter(**month).order_by()
    for agency, state, number in checks.values_list("agency", "state").annotate(number=Count("pk")):
        rows[agency].checks += number
        rows[agency].turned_down += number if state == BatchCheckState.REFUSED else 0
    for agency, number in HumanReview.objects.filter(**month).order_by().values_list("agency").annotate(Count("pk")):
        rows[agency].human += number


def _midnight(day: datetime.date) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time()))
