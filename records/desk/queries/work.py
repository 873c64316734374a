"""What waits on the desk because somebody asks about a person: approvals, decisions, explanations, reviews."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Role
from records.admin.worktable import COUNTED, Task, Work
from records.models import AccessReview, BatchCheck, HumanReview, Query
from records.querysets import DECIDING, SUPERVISING, units_of


def work_of(user: Any) -> Work:
    """Queries to approve, results to decide, looks to explain or to review; five queries at most."""
    waiting: list[tuple[QuerySet[Any], str, str | Promise, str | Promise]] = [
        (
            AccessReview.objects.all().asked_of(user), "desk:access-reviews", _("Looks to explain"),
            _("You are asked what a look at somebody's data was needed for"),
        ),
    ]  # fmt: skip
    if units_of(user, SUPERVISING):
        waiting += [
            (
                Query.objects.all().to_approve(user), "desk:queries", _("Queries to approve"),
                _("Asked by somebody of your unit; a second person lets them pass"),
            ),
            (
                BatchCheck.objects.all().to_approve(user), "desk:batch-checks", _("Checks of many to approve"),
                _("Asked by somebody of your unit; a second person lets them pass"),
            ),
        ]  # fmt: skip
    if units_of(user, DECIDING):
        waiting.append((
            HumanReview.objects.all().to_decide(user), "desk:results", _("Results before a person"),
            _("An automatic answer that somebody of your unit has to look at again"),
        ))  # fmt: skip
    if {Role.SUPERVISOR, Role.CENTRE, Role.AUDITOR} & set(user.roles):
        waiting.append((
            AccessReview.objects.visible_to(user).open(), "desk:access-reviews", _("Looks to review"),
            _("Drawn by sample, unusual, or complained of"),
        ))  # fmt: skip
    tasks = [
        Task(reverse(page), title, text, count)
        for rows, page, title, text in waiting
        if (count := len(rows.order_by()[:COUNTED].values_list("pk", flat=True)))
    ]
    return Work([], tasks, [], [])
