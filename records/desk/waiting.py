"""What waits on the desk: units that disagree, lists that lost a record, replies of persons, acts at the window."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Role
from records.admin.worktable import COUNTED, Task, Work
from records.enums import CrossCheckState
from records.models import CrossCheck, MissingRecord, PriorNotice, Representation, WindowRequest
from records.querysets import DECIDING, units_of
from records.services.entitlements import entitlements_of
from records.window import window_of


def work_of(user: Any) -> Work:
    """What this person has to see to; a query or two for each kind of it."""
    tasks = []
    officer, centre = units_of(user, DECIDING), Role.CENTRE in user.roles
    if officer or centre:
        states = [CrossCheckState.ASKED, CrossCheckState.ANSWERED] if officer else [CrossCheckState.ANSWERED]
        checks = CrossCheck.objects.visible_to(user).filter(state__in=states).order_by()
        if count := len(checks[:COUNTED].values_list("pk", flat=True)):
            text = _("Two units say different things about one person; neither was overwritten")
            tasks.append(Task(reverse("desk:cross_checks"), _("Cross-checks"), text, count))
    if officer:
        waiting = MissingRecord.objects.visible_to(user).waiting().order_by()
        if count := len(waiting[:COUNTED].values_list("pk", flat=True)):
            text = _("A complete list no longer contains them; withdraw or keep each")
            tasks.append(Task(reverse("desk:missing"), _("Records missing from their list"), text, count))
    if units_of(user):
        replies = PriorNotice.objects.under(entitlements_of(user)).to_consider().order_by()
        if count := len(replies[:COUNTED].values_list("pk", flat=True)):
            text = _("Persons have said something about a record that your unit intends")
            tasks.append(Task(reverse("desk:announcements"), _("Replies to announcements"), text, count))
    if centre_of_window := window_of(user):
        tasks.append(Task(reverse("desk:window"), _("Window"), _("Bind an account to a person, help somebody back in")))
        second = WindowRequest.objects.waiting().at_window(centre_of_window).exclude(requested_by=user).order_by()
        if count := len(second[:COUNTED].values_list("pk", flat=True)):
            text = _("Acts at the window that a second official confirms, each within minutes")
            tasks.append(Task(reverse("desk:window"), _("Waiting for a second official"), text, count))
        requested = Representation.objects.waiting().order_by()
        if count := len(requested[:COUNTED].values_list("pk", flat=True)):
            text = _("Requests to act for another person, each with its papers, and what was contested")
            tasks.append(Task(reverse("desk:representations"), _("Representations"), text, count))
    return Work([], tasks, [], [])
