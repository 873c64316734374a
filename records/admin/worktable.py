"""What waits for a member of staff today: the first thing the admin shows."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from creditplatform.core import probes
from creditplatform.core.deadlines import add_months
from creditplatform.core.enums import Role
from creditplatform.core.labels import Kind, label
from creditplatform.core.models import Agency, RuleValue
from creditplatform.core.wording import joined
from records.enums import RowState
from records.exchange import overview
from records.figures.declared import owing, report_due_on
from records.figures.rules import first_day
from records.figures.silence import alarm_of
from records.models import EntryVersion, FeedBatch, QuarantinedRow, UnitNotice
from records.models.feed import OPEN_STATES
from records.querysets import sites_led, units_of
from records.services.entitlements import entitlements_of
from records.services.unit_notices import notices_for

COUNTED = 1000


@dataclass(frozen=True)
class Task:
    """One thing to do, with its number where there is one."""

    url: str
    title: str | Promise
    text: str | Promise
    count: int | None = None


@dataclass(frozen=True)
class Work:
    """Alarms first, then notices to the unit, then things to do, then the last batches."""

    alarms: list[str]
    tasks: list[Task]
    batches: list[FeedBatch]
    notices: list[UnitNotice]


def work_of(user: Any) -> Work:
    """What waits for this person; at most eleven queries, whatever the size of the tables."""
    agencies = units_of(user)
    tasks = [*_sending_tasks(user, agencies), *_report_tasks(agencies), *_centre_tasks(user)]
    batches = FeedBatch.objects.filter(feed__agency__in=agencies).select_related("feed")[:8] if agencies else []
    return Work(alarms(user), tasks, list(batches), notices_for(user) if agencies else [])


def _sending_tasks(user: Any, agencies: set[int]) -> list[Task]:
    if not agencies:
        return []
    tasks = [
        Task(
            reverse("desk:deliver"),
            _("Deliver a file"),
            _("CSV, XLSX, XLS, XML or JSON; every row is checked first"),
        )
    ]
    if entitlements_of(user):
        tasks.append(
            Task(reverse("admin:records_creditrecord_add"), _("Record one decision"), _("By a form of the catalogue"))
        )
    waiting = QuarantinedRow.objects.filter(feed__agency__in=agencies, state=RowState.OPEN)
    count = len(waiting.order_by()[:COUNTED].values_list("pk", flat=True))
    tasks.append(Task(reverse("desk:setaside"), _("Rows set aside"), _("What is wrong, and how to mend it"), count))
    return tasks


def _report_tasks(agencies: set[int]) -> list[Task]:
    """Reports on the month before that the units still owe, with their last day."""
    if not agencies:
        return []
    month = add_months(first_day(timezone.localdate()), -1)
    units = owing(Agency.objects.filter(pk__in=agencies), month)
    return [_report_task(unit, month) for unit in units]


def _report_task(unit: Agency, month: datetime.date) -> Task:
    due = report_due_on(month, unit.site.code)
    words: str | Promise = _("What your unit produced, published and reported")
    if due:
        late = timezone.localdate() > due
        words = (gettext("It was due on %(day)s.") if late else gettext("Due on %(day)s.")) % {"day": due}
    title = gettext("Monthly report on %(month)s") % {"month": f"{month:%Y-%m}"}
    return Task(reverse("desk:figures_report", args=[unit.code, f"{month:%Y-%m}"]), title, words)


def _centre_tasks(user: Any) -> list[Task]:
    if Role.CENTRE not in user.roles:
        return []
    proposed = RuleValue.objects.filter(in_force=False, entered_by__isnull=False).exclude(entered_by=user)
    unfinished = FeedBatch.objects.filter(state__in=OPEN_STATES, feed__agency__site__in=sites_led(user)).aggregate(
        n=Count("pk")
    )["n"]
    return [
        Task(
            reverse("admin:core_rulevalue_changelist") + "?in_force__exact=0",
            _("Rule values to approve"),
            _("Entered by somebody else; a second person brings them into force"),
            proposed.count(),
        ),
        Task(
            reverse("desk:catalogue"),
            _("Versions to review"),
            _("Of the catalogue; edited by somebody else, published by you"),
            EntryVersion.objects.waiting_for(user).count(),
        ),
        Task(reverse("admin:records_feedbatch_changelist"), _("Batches at work"), _("Of all units"), unfinished),
        Task(
            reverse("desk:exchange"),
            _("Confirmations overdue"),
            _("Withdrawals that other systems have not confirmed in time"),
            overview.overdue_count(),
        ),
    ]


def alarms(user: Any) -> list[str]:
    """Workers and timers that have fallen silent, then feeds and systems this person may hear of that have."""
    feeds = alarm_of(user)
    peers = overview.alarms() if Role.CENTRE in user.roles else []
    return [*_stopped_timers(), *([feeds] if feeds else []), *peers]


def _stopped_timers() -> list[str]:
    stopped = probes.stopped_timers()
    if not stopped:
        return []
    text = ngettext(
        "A timer has stopped: %(names)s. Publication is right all the same; files and letters wait.",
        "Timers have stopped: %(names)s. Publication is right all the same; files and letters wait.",
        len(stopped),
    )
    return [text % {"names": joined(label(Kind.SIGN_OF_LIFE, name) for name in stopped)}]
