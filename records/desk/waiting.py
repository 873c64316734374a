"""What waits on the desk: units that disagree, lists that lost a record, replies of persons, acts at the window."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Role
from records.admin.worktable import COUNTED, Task, Work
from records.enums import CrossCheckState
from records.models import CrossCheck, MissingRecord, PriorNotice, PublicWords, Representation, WindowRequest
from records.querysets import DECIDING, units_of
from records.services.entitlements import entitlements_of
from records.window import window_of


def work_of(user: Any) -> Work:
    """What this person has to see to; a query or two for each kind of it."""
    return Work([], [*_of_units(user), *_of_centre(user), *_of_window(user)], [], [])


def _of_units(user: Any) -> Iterator[Task]:
    officer, centre = units_of(user, DECIDING), Role.CENTRE in user.roles
    if officer or centre:
        states = [CrossCheckState.ASKED, CrossCheckState.ANSWERED] if officer else [CrossCheckState.ANSWERED]
        text = _("Two units say different things about one person; neither was overwritten")
        checks = CrossCheck.objects.visible_to(user).filter(state__in=states)
        yield from _waiting(checks, "desk:cross_checks", _("Cross-checks"), text)
    if officer:
        text = _("A complete list no longer contains them; withdraw or keep each")
        gone = MissingRecord.objects.visible_to(user).waiting()
        yield from _waiting(gone, "desk:missing", _("Records missing from their list"), text)
    if units_of(user):
        text = _("Persons have said something about a record that your unit intends")
        replies = PriorNotice.objects.under(entitlements_of(user)).to_consider()
        yield from _waiting(replies, "desk:announcements", _("Replies to announcements"), text)


def _of_centre(user: Any) -> Iterator[Task]:
    if Role.CENTRE in user.roles:
        text = _("What persons say about records, to be looked over before the public reads it")
        words = PublicWords.objects.visible_to(user).waiting()
        yield from _waiting(words, "desk:words", _("Words for the public"), text)


def _of_window(user: Any) -> Iterator[Task]:
    if window := window_of(user):
        yield Task(reverse("desk:window"), _("Window"), _("Bind an account to a person, help somebody back in"))
        text = _("Acts at the window that a second official confirms, each within minutes")
        second = WindowRequest.objects.waiting().at_window(window).exclude(requested_by=user)
        yield from _waiting(second, "desk:window", _("Waiting for a second official"), text)
        text = _("Requests to act for another person, each with its papers, and what was contested")
        requested = Representation.objects.waiting()
        yield from _waiting(requested, "desk:representations", _("Representations"), text)


def _waiting(rows: QuerySet[Any], page: str, name: Any, text: Any) -> Iterator[Task]:
    """A task where rows wait; counted up to a bound."""
    if count := len(rows.order_by()[:COUNTED].values_list("pk", flat=True)):
        yield Task(reverse(page), name, text, count)
