"""The part of the own report that says who looked at the person's data."""

import datetime
from collections import Counter
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import ngettext

from creditplatform.core import wording
from creditplatform.core.enums import AccessResult, Authority
from creditplatform.core.labels import Kind, label
from creditplatform.core.models import AccessLog
from creditplatform.core.rules import RuleBook
from records.enums import OwnPurpose
from records.look_selectors import unit_that_looked
from records.models import AccessDeferral, Purpose, Subject
from records.rules import add_months

MONTHS = "report.looks_months"
MOST = 100


def looks(subject: Subject, rulebook: RuleBook, at: datetime.datetime, site: str) -> dict[str, Any]:
    """Accesses by others within the months the rule names, newest first; without those deferred by statute,
    without what was refused, and without checks of a report by its number, which show nobody more than a masked name.

    At most a hundred are listed, `more` says that there are others; what somebody who is no unit looked at on one day
    is one line. Two or three queries.
    """
    day = timezone.localtime(at).date()
    months = rulebook.value(MONTHS, day, site)
    since = add_months(day, -months)
    start = timezone.make_aware(datetime.datetime.combine(since, datetime.time.min))
    deferred = AccessDeferral.objects.holding(on=day).filter(subject=subject.pk).values("access_id")
    rows = AccessLog.objects.filter(subject_ref=subject.pk, at__gte=start).exclude(
        Q(authority=Authority.SELF) | Q(purpose=OwnPurpose.REPORT_CHECK) | Q(result=AccessResult.REFUSED)
    )
    found = list(rows.exclude(pk__in=deferred).select_related("agency").order_by("-at", "-pk")[: MOST + 1])
    named = {one.code: one.label for one in Purpose.objects.filter(code__in={row.purpose for row in found})}
    times = Counter(_of_one_day(row) for row in found[:MOST])
    listed = {_of_one_day(row): row for row in reversed(found[:MOST])}  # of those that are one line, the last
    lines = sorted(listed.values(), key=lambda row: (row.at, row.pk), reverse=True)
    return {
        "months": months,
        "since": since.isoformat(),
        "more": len(found) > MOST,
        "rows": [_row(row, named, times[_of_one_day(row)]) for row in lines],
    }


def _of_one_day(row: AccessLog) -> tuple[Any, ...]:
    """What is one line: each look of a unit, and all that somebody who is no unit looked at on one day."""
    if row.agency_id:
        return (row.pk,)
    return (timezone.localdate(row.at), row.purpose, row.actor_id, row.reference, row.result)


def _row(row: AccessLog, purposes: dict[str, str], times: int) -> dict[str, str]:
    said = [purposes.get(row.purpose) or label(Kind.PURPOSE, row.purpose)]
    if row.result == AccessResult.NOTHING:
        said.append(str(AccessResult.NOTHING.label))
    often = ngettext("%(times)s time on this day", "%(times)s times on this day", times) % {"times": times}
    return {
        "at": f"{timezone.localtime(row.at):%Y-%m-%d %H:%M}",
        "unit": unit_that_looked(row) or "—",
        "purpose": wording.clauses([*said, often] if times > 1 else said),
        "authority": str(Authority(row.authority).label),
        "case": row.case_number,
    }
