"""Put off the display of an access to the person: only by statute, to a day, by two people (PIPL, articles 18 and 35).

Whether a deferral holds is asked of its day, see `DeferralQuerySet.holding`; nothing has to run for it to end. An
access on the person's consent is never put off. All of it must run in an audit context.
"""

import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Authority
from creditplatform.core.errors import Conflict, FieldProblem, Invalid, NotPermitted
from creditplatform.core.models import AccessLog, User
from creditplatform.core.rules import RuleMissing, load_rulebook
from records.enums import ReviewCause
from records.models import AccessDeferral, AccessReview, LegalBasis, Subject
from records.querysets import SUPERVISING, sites_led, units_of

LONGEST = "deferral.longest_days"


def longest_days() -> int | None:
    """The longest time an access may be kept back, or None where no rule on it is in force: then none may be."""
    try:
        days: int = load_rulebook().value(LONGEST, timezone.localdate())
    except RuleMissing:
        return None
    return days


def may_answer_for(user: User, agency_id: int | None, site_id: int | None) -> bool:
    """A supervisor of the unit, or staff of the centre of its place."""
    return agency_id in units_of(user, SUPERVISING) or site_id in sites_led(user)


def defer(*, access: AccessLog, legal_basis: LegalBasis, until: datetime.date, user: User) -> AccessDeferral:
    """Ask that an access by statute is shown from a later day on; without effect until a second person approves it.

    Raises NotPermitted; Invalid with everything that is wrong; Conflict where it was asked for already.
    """
    if access.agency is None or access.agency_id not in units_of(user, SUPERVISING):
        raise NotPermitted
    if problems := _problems(access, legal_basis, until):
        raise Invalid(problems)
    try:
        with transaction.atomic():
            return AccessDeferral.objects.create(
                access_id=access.pk, access_at=access.at, subject_id=access.subject_ref, legal_basis=legal_basis,
                until=until, entered_by=user,
            )  # fmt: skip
    except IntegrityError as error:
        raise Conflict("deferred_already", _("The display of this access is deferred already.")) from error


def approve(*, deferral: AccessDeferral, user: User) -> AccessDeferral:
    """A second person approves it; from now on the access is not shown before its day.

    Raises NotPermitted for whoever asked for it and for other units, Conflict where it is approved or over, Invalid.
    """
    with transaction.atomic():
        locked = AccessDeferral.objects.select_for_update(of=("self",)).get(pk=deferral.pk)
        access = AccessLog.objects.select_related("agency").get(pk=locked.access_id, at=locked.access_at)
        site = access.agency.site_id if access.agency else None
        if locked.entered_by_id == user.pk or not may_answer_for(user, access.agency_id, site):
            raise NotPermitted
        if locked.approved_by_id or locked.until <= timezone.localdate():
            raise Conflict
        if problems := _problems(access, locked.legal_basis, locked.until):
            raise Invalid(problems)
        locked.approved_by, locked.approved_at = user, timezone.now()
        locked.save(update_fields=["approved_by", "approved_at"])
    return locked


def _problems(access: AccessLog, legal_basis: LegalBasis, until: datetime.date) -> list[FieldProblem]:
    found = (_not_by_statute(access), _complained_of(access), _no_basis(legal_basis), _no_end(access, until))
    return [problem for problem in found if problem]


def _not_by_statute(access: AccessLog) -> FieldProblem | None:
    by_statute = access.authority == Authority.STATUTE and Subject.objects.filter(pk=access.subject_ref).exists()
    sentence = _("Only a look that a statute allowed, at somebody on file, can be shown later.")
    return None if by_statute else FieldProblem("", "not_by_statute", sentence)


def _complained_of(access: AccessLog) -> FieldProblem | None:
    """Whoever has complained of a look has seen it, and goes on reading what becomes of the complaint."""
    said = AccessReview.objects.filter(access_id=access.pk, access_at=access.at, cause=ReviewCause.COMPLAINT)
    if not said.exists():
        return None
    sentence = _("The person has complained of this look, so it is not put off any more.")
    return FieldProblem("", "complained_of", sentence)


def _no_basis(legal_basis: LegalBasis) -> FieldProblem | None:
    today = timezone.localdate()
    begun = legal_basis.in_force_from is None or legal_basis.in_force_from <= today
    lasts = legal_basis.in_force_until is None or legal_basis.in_force_until > today
    if legal_basis.confirmed and begun and lasts:
        return None
    return FieldProblem("legal_basis", "not_in_force", _("Choose a statute that is confirmed and in force."))


def _no_end(access: AccessLog, until: datetime.date) -> FieldProblem | None:
    days, today = longest_days(), timezone.localdate()
    if days is None:
        return FieldProblem(
            "until", "no_rule", _("No rule in force says how long display may be put off, so it is not put off.")
        )
    latest = timezone.localdate(access.at) + datetime.timedelta(days=days)
    if today < until <= latest:
        return None
    sentence = _("Choose a day from tomorrow to %(day)s.") % {"day": latest.isoformat()}
    return FieldProblem("until", "out_of_bounds", sentence)
