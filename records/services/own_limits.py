"""How much one account may have the platform check, make and keep, so that none fills disk and queue for all others.

Counted from what is kept, under a lock on the account. All of it must run in an audit context.
"""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import Conflict
from creditplatform.core.models import User
from creditplatform.core.rules import RuleBook, load_rulebook
from records.enums import RepresentationState
from records.models import CreditReport, Representation

MOST_CHECKED, MOST_ASKED = "representation.checked.most", "representation.asked_a_day.most"
MOST_REPORTS = "report.own_a_day.most"
BEING_CHECKED = (RepresentationState.REQUESTED, RepresentationState.CHECKED)


class TooManyChecked(Conflict):
    """So many requests of the account are being checked as may be at a time (HTTP 409)."""

    default_code = "too_many_being_checked"
    default_message = _("%(most)s of your requests are being checked. Please wait for an answer, or withdraw one.")


class TooManyToday(Conflict):
    """The account has asked as often as it may on one day (HTTP 409)."""

    default_code = "too_many_today"
    default_message = _("You have asked %(most)s times today, which is as often as anybody can. Please go on tomorrow.")


def check_representations(user: User) -> None:
    """Whether the account may ask for one representation more. Raises TooManyChecked, TooManyToday; RuleMissing."""
    book = _counted_alone(user)
    asked = Representation.objects.filter(requested_by=user)
    most = _most(book, MOST_CHECKED)
    if asked.filter(state__in=BEING_CHECKED).count() >= most:
        raise TooManyChecked(most=most)
    _refuse_today(asked.filter(requested_at__date=timezone.localdate()).count(), _most(book, MOST_ASKED))


def check_reports(user: User) -> None:
    """Whether the account may order one report more, of whomever. Raises TooManyToday, RuleMissing."""
    book = _counted_alone(user)
    made = CreditReport.objects.filter(requested_by=user, agency=None, issued_at__date=timezone.localdate())
    _refuse_today(made.count(), _most(book, MOST_REPORTS))


def most_reports() -> int:
    """How many reports an account may order a day. Raises RuleMissing."""
    return _most(load_rulebook(), MOST_REPORTS)


def _refuse_today(found: int, most: int) -> None:
    if found >= most:
        raise TooManyToday(most=most)


def _counted_alone(user: User) -> RuleBook:
    """Acts of the same account wait for each other's commit, so that all of them are counted."""
    User.objects.select_for_update(no_key=True).only("pk").get(pk=user.pk)
    return load_rulebook()


def _most(book: RuleBook, key: str) -> int:
    return int(book.value(key, timezone.localdate()))
