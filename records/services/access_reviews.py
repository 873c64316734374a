"""Reviews of accesses: ask whoever looked, take the explanation, find right or wrong, tell whoever complained."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from creditplatform.core import audit, notices, wording
from creditplatform.core.enums import Door
from creditplatform.core.models import User
from records.enums import ReviewCause, ReviewState
from records.models import AccessReview
from records.workflows.access_review import ACCESS_REVIEW

TOLD = "access_complaint_ended"
RIGHT = _("Your complaint about a look at your data of %(day)s was checked: the look was found right.")
WRONG = _(
    "Your complaint about a look at your data of %(day)s was checked: the look was found wrong. The unit was told, and"
    " its supervisors act on it."
)


def ask(*, review: AccessReview, user: User) -> AccessReview:
    """Ask whoever looked what the look was needed for. Raises NotPermitted, Conflict."""
    return _take("ask", review, user)


def explain(*, review: AccessReview, user: User, words: str) -> AccessReview:
    """What the look was needed for, said by whoever looked. Raises NotPermitted, Conflict, Invalid."""
    return _take("explain", review, user, words=words)


def find(*, review: AccessReview, user: User, right: bool, words: str) -> AccessReview:
    """End a review with a finding and its grounds; a person who complained is told. Raises as `explain` does."""
    with transaction.atomic():
        ended = _take("find_right" if right else "find_wrong", review, user, words=words)
        if ended.cause == ReviewCause.COMPLAINT and ended.subject is not None:
            _tell(ended, ended.subject.number_index)
    return ended


def _take(step: str, review: AccessReview, user: User, words: str = "") -> AccessReview:
    with audit.context(actor=user, door=Door.DESK, reason=f"review of an access: {step}", agency_id=review.agency_id):
        return ACCESS_REVIEW.take(step, review, user=user, words=words)


def _tell(review: AccessReview, addressee: bytes) -> None:
    sentence = RIGHT if review.state == ReviewState.RIGHT else WRONG
    text, text_en = wording.in_both(lambda: sentence % {"day": review.access_on.isoformat()})
    notices.write_notice(addressee=addressee, code=TOLD, text=text, text_en=text_en, about=f"access-review:{review.pk}")
