"""What waits for a member of staff today: the first thing the admin shows."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from creditplatform.core import probes
from creditplatform.core.enums import Role
from creditplatform.core.labels import Kind, label
from creditplatform.core.models import RuleValue
from creditplatform.core.wording import joined
from records.admin.feeds import own_agencies
from records.admin.records import entitlements_of
from records.enums import RowState
from records.models import FeedBatch, QuarantinedRow, UnitNotice
from records.models.feed import OPEN_STATES
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
    """What waits for this person; at most seven queries, whatever the size of the tables."""
    agencies = own_agencies(user)
    tasks = [*_sending_tasks(user, agencies), *_centre_tasks(user)]
    batches = FeedBatch.objects.filter(feed__agency__in=agencies).select_related("feed")[:8] if agencies else []
    return Work(alarms(), tasks, list(batches), notices_for(user) if agencies else [])


def _sending_tasks(user: Any, agencies: set[int]) -> list[Task]:
    if not agencies:
        return []
    tasks = [
        Task(
            reverse("admin:records_feedbatch_upload"),
            _("Deliver a file"),
            _("CSV, XLSX, XLS or XML; every row is checked first"),
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


def _centre_tasks(user: Any) -> list[Task]:
    if Role.CENTRE not in user.roles:
        return []
    proposed = RuleValue.objects.filter(in_force=False, entered_by__isnull=False).exclude(entered_by=user)
    unfinished = FeedBatch.objects.filter(state__in=OPEN_STATES).aggregate(n=Count("pk"))["n"]
    return [
        Task(
            reverse("admin:core_rulevalue_changelist") + "?in_force__exact=0",
            _("Rule values to approve"),
            _("Entered by somebody else; a second person brings them into force"),
            proposed.count(),
        ),
        Task(reverse("admin:records_feedbatch_changelist"), _("Batches at work"), _("Of all units"), unfinished),
    ]


def alarms() -> list[str]:
    """Workers and timers that have fallen silent."""
    stopped = probes.stopped_timers()
    if not stopped:
        return []
    text = ngettext(
        "A timer has stopped: %(names)s. Publication is right all the same; files and letters wait.",
        "Timers have stopped: %(names)s. Publication is right all the same; files and letters wait.",
        len(stopped),
    )
    return [text % {"names": joined(label(Kind.SIGN_OF_LIFE, name) for name in stopped)}]
