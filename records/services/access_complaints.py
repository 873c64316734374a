"""Somebody says that a look at a person's data was not right: it goes to a second person, who answers with grounds.

Whoever sees the looks may say so: the person, and whoever sees the file for them, near relatives of the deceased too,
since anybody may complain of unlawful processing (PIPL, article 65). All of it must run in an audit context.
"""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.calendars import load_calendar
from creditplatform.core.errors import Conflict, Invalid, NotPermitted
from creditplatform.core.models import AccessLog, User
from creditplatform.core.rules import load_rulebook
from records.bound import representing, subject_of
from records.enums import RepresentationScope, ReviewCause
from records.models import AccessReview, Representation, Subject
from records.services.access_alarms import due_after

CLOCK = "clock.access_complaint.working_days"
LONGEST_WORDS = 2000


def open_complaint(*, user: User, subject: Subject, access: AccessLog, words: str) -> AccessReview:
    """Put an access into review in the words of whoever complains, with a day by which it is answered.

    Whoever calls it has made sure that the display of the access is not deferred. Raises NotPermitted where it is no
    look at this person or the account may not see the looks at them, Invalid without words, Conflict where the same
    account has said so already or looked itself.
    """
    representation = _right_to_see(user, subject, access)
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
                cause=ReviewCause.COMPLAINT, words=said, complainant=user, representation=representation,
                due_on=due_after(today, days, load_calendar()),
            )  # fmt: skip
    except IntegrityError as error:
        raise Conflict("complained_already", _("You have said so already; the look is being reviewed.")) from error


def _right_to_see(user: User, subject: Subject, access: AccessLog) -> Representation | None:
    """By what right somebody else than the person complains; None for the person."""
    own = subject_of(user)
    if own is None or access.subject_ref != subject.pk:
        raise NotPermitted
    if access.actor_id == user.pk and access.agency_id is None:
        raise Conflict("own_look", _("This look was your own."))
    if own.pk == subject.pk:
        return None
    found = representing(own, bytes(subject.number_index), RepresentationScope.FILE)
    if found is None:
        raise NotPermitted
    return found
