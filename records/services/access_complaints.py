"""A person says that a look at the own data was not right: it goes to a second person, who answers with grounds.

All of it must run in an audit context.
"""

from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from creditplatform.core.calendars import load_calendar
from creditplatform.core.deadlines import Unit, compute
from creditplatform.core.errors import Conflict, Invalid
from creditplatform.core.models import AccessLog, Notice, User
from creditplatform.core.notices import write_notice
from creditplatform.core.rules import load_rulebook
from records.enums import ReviewCause, ReviewState
from records.models import AccessReview, Subject

CLOCK = "clock.access_complaint.working_days"
LONGEST_WORDS = 2000
ABOUT_LOOK = "look:"
FOUND = {
    ReviewState.RIGHT: _(
        "You said that a look at your data on %(day)s was not right. A second person has reviewed it and found that it"
        " was. The grounds stand beside the look, under “Who looked at me”."
    ),
    ReviewState.WRONG: _(
        "You said that a look at your data on %(day)s was not right. A second person has reviewed it and found that it"
        " was not. The grounds stand beside the look, under “Who looked at me”."
    ),
}


def open_complaint(*, user: User, subject: Subject, access: AccessLog, words: str) -> AccessReview:
    """Put an access into review in the words of the person, with a day by which it is answered.

    Whoever calls it has made sure that the access is one at this person and is shown to them. Raises Invalid without
    words, Conflict where the person has said so already.
    """
    said = words.strip()
    if not said:
        raise Invalid.in_field("words", "required", _("Please say in a few words what was not right."))
    if len(said) > LONGEST_WORDS:
        raise Invalid.in_field("words", "too_long", _("Please say it in fewer words."))
    today = timezone.localdate()
    days: int = load_rulebook().value(CLOCK, today, access.agency.site.code if access.agency else None)
    try:
        with transaction.atomic():
            return AccessReview.objects.create(
                access_id=access.pk, access_at=access.at, subject=subject, actor=access.actor, agency=access.agency,
                cause=ReviewCause.COMPLAINT, words=said,
                due_on=compute(today, days, Unit.WORKING_DAYS, load_calendar()).due_on,
            )  # fmt: skip
    except IntegrityError as error:
        raise Conflict("complained_already", _("You have said so already; the look is being reviewed.")) from error


def tell_outcome(review: AccessReview) -> Notice | None:
    """Tell the person how the review of their complaint ended; nothing where nobody complained or it goes on."""
    if review.cause != ReviewCause.COMPLAINT or review.state not in FOUND:
        return None
    words = FOUND[ReviewState(review.state)]
    texts = []
    for language in ("zh-hans", "en"):
        with translation.override(language):
            texts.append(str(words) % {"day": timezone.localdate(review.access_at).isoformat()})
    return write_notice(
        addressee=bytes(review.subject.number_index), code="access_review_ended", text=texts[0], text_en=texts[1],
        about=f"{ABOUT_LOOK}{review.pk}",
    )  # fmt: skip
