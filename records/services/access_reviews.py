"""Reviews of accesses: ask whoever looked, take the explanation, find right or wrong, tell whoever complained."""

from collections.abc import Mapping

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from creditplatform.core import audit, notices, wording
from creditplatform.core.enums import Door
from creditplatform.core.models import User
from records.enums import ReviewCause, ReviewState
from records.models import AccessReview, Representation, Subject
from records.workflows.access_review import ACCESS_REVIEW

TOLD = "access_complaint_ended"
S = ReviewState
# By whether somebody complained who represents the person.
SENTENCES: dict[bool, dict[str, Promise]] = {
    False: {
        S.RIGHT: _("Your complaint about a look at your data of %(day)s was checked: the look was found right."),
        S.WRONG: _(
            "Your complaint about a look at your data of %(day)s was checked: the look was found wrong. The unit was"
            " told, and its supervisors act on it."
        ),
    },
    True: {
        S.RIGHT: _(
            "Somebody who represents you complained about a look at your data of %(day)s. It was checked: the look was"
            " found right."
        ),
        S.WRONG: _(
            "Somebody who represents you complained about a look at your data of %(day)s. It was checked: the look was"
            " found wrong. The unit was told, and its supervisors act on it."
        ),
    },
}
TO_REPRESENTATIVE: dict[str, Promise] = {
    S.RIGHT: _(
        "Your complaint for somebody you represent, about a look of %(day)s, was checked: the look was found right."
    ),
    S.WRONG: _(
        "Your complaint for somebody you represent, about a look of %(day)s, was checked: the look was found wrong. The"
        " unit was told, and its supervisors act on it."
    ),
}


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
            _tell(ended, ended.subject.number_index, SENTENCES[ended.representation_id is not None])
            if acting := _still_acting(ended):
                _tell(ended, acting.number_index, TO_REPRESENTATIVE)
    return ended


def _take(step: str, review: AccessReview, user: User, words: str = "") -> AccessReview:
    with audit.context(actor=user, door=Door.DESK, reason=f"review of an access: {step}", agency_id=review.agency_id):
        return ACCESS_REVIEW.take(step, review, user=user, words=words)


def _still_acting(review: AccessReview) -> Subject | None:
    """Whoever complained for the person, while they still see the file."""
    if review.representation_id is None:
        return None
    held = Representation.objects.holding().filter(pk=review.representation_id)
    found = held.select_related("representative").first()
    return found.representative if found else None


def _tell(review: AccessReview, addressee: bytes, sentences: Mapping[str, Promise]) -> None:
    sentence = sentences[review.state]
    text, text_en = wording.in_both(lambda: sentence % {"day": review.access_on.isoformat()})
    notices.write_notice(addressee=addressee, code=TOLD, text=text, text_en=text_en, about=f"access-review:{review.pk}")
