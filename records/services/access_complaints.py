"""A person says that a look at the own data was not right: it goes to a second person, who answers with grounds.

All of it must run in an audit context.
"""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.calendars import load_calendar
from creditplatform.core.deadlines import Unit, compute
from creditplatform.core.errors import Conflict, Invalid
from creditplatform.core.models import AccessLog, User
from creditplatform.core.rules import load_rulebook
from records.enums import ReviewCause
from records.models import AccessReview, Subject

CLOCK = "clock.access_complaint.working_days"
LONGEST_WORDS = 2000


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
