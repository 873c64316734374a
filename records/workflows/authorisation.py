"""Authorisation: asked for → granted or refused by the person → used → expired or withdrawn.

Fields returned are purpose ∩ consent ∩ openness, see `records.queries.grants`. A refusal needs no reason, a withdrawal
works at once, and neither has any other consequence (PIPL, articles 15 and 16). Nobody answers for want of an answer: a
request that is not answered in time ends. A representative who may answer requests takes steps of their own name, so
that history, receipt and letters say who answered; whoever works for the unit that asks answers it for nobody else.
Once the right of an heir is confirmed, the platform withdraws what the dead person had allowed.
"""

import datetime

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from creditplatform.core.errors import FieldProblem
from creditplatform.core.models import User
from creditplatform.core.workflow import Data, Step, Workflow, platform
from records.bound import representing, subject_of
from records.enums import AuthorisationState, RepresentationScope
from records.models import Authorisation, Purpose, Subject
from records.queries.scope import FieldScope
from records.querysets import units_of

# --- who ---------------------------------------------------------------------------------------


def acts_for(user: User | None, number_index: bytes, scope: RepresentationScope) -> Subject | None:
    """The person of that number, if the account is theirs or that of a representative who may do this."""
    own = subject_of(user)
    if own is None or bytes(own.number_index) == bytes(number_index):
        return own
    found = representing(own, number_index, scope)
    return found.person if found else None


def person(case: Authorisation, user: User | None) -> bool:
    """The person asked; the name asked for must be theirs."""
    own = subject_of(user)
    same = own is not None and bytes(own.number_index) == bytes(case.number_index)
    return same and own is not None and bytes(own.name_index) == bytes(case.name_index)


def holder(case: Authorisation, user: User | None) -> bool:
    """The person who gave it, also under another name by now."""
    own = subject_of(user)
    return own is not None and own.pk == case.subject_id


def representative(case: Authorisation, user: User | None) -> bool:
    """Who may answer requests for the person asked, and does not work for the unit that asks."""
    subject = _represented(case, user)
    return subject is not None and bytes(subject.name_index) == bytes(case.name_index) and not unit(case, user)


def representative_of_holder(case: Authorisation, user: User | None) -> bool:
    """Who may answer requests for the person who gave it; may always withdraw."""
    subject = _represented(case, user)
    return subject is not None and subject.pk == case.subject_id


def _represented(case: Authorisation, user: User | None) -> Subject | None:
    subject, own = acts_for(user, case.number_index, RepresentationScope.CONSENT), subject_of(user)
    return subject if subject is not None and own is not None and subject.pk != own.pk else None


def unit(case: Authorisation, user: User | None) -> bool:
    """A member of the unit that asked."""
    return user is not None and case.agency_id in units_of(user)


# --- what must be there -------------------------------------------------------------------------


def still_waiting(case: Authorisation, data: Data) -> FieldProblem | None:
    """The time to answer has not passed."""
    if case.answer_until > timezone.now():
        return None
    return FieldProblem("", "too_late", _("The time to answer this request has passed."))


def purpose_open(case: Authorisation, data: Data) -> FieldProblem | None:
    """The purpose is still in force and the unit may still ask for it."""
    if Purpose.objects.open_to(case.agency_id).filter(pk=case.purpose_id).exists():
        return None
    return FieldProblem("", "purpose_not_open", _("The unit may no longer use this purpose. Nothing can be allowed."))


def fields_chosen(case: Authorisation, data: Data) -> FieldProblem | None:
    """At least one field, and none that was not asked for."""
    chosen = set(data.get("fields") or ())
    if chosen and chosen <= set(case.requested_fields):
        return None
    return FieldProblem("fields", "fields_missing", _("Choose at least one of the kinds of information asked for."))


def end_chosen(case: Authorisation, data: Data) -> FieldProblem | None:
    """An end that lies ahead and within what the purpose allows."""
    end: datetime.datetime | None = data.get("expires_at")
    latest = timezone.now() + datetime.timedelta(days=case.purpose.longest_days)
    if end and timezone.now() < end <= latest:
        return None
    sentence = _("Choose an end within the next %(days)s days.") % {"days": case.purpose.longest_days}
    return FieldProblem("expires_at", "end_out_of_bounds", sentence)


def uses_chosen(case: Authorisation, data: Data) -> FieldProblem | None:
    """A number of uses within what the purpose allows."""
    if 1 <= (data.get("uses_allowed") or 0) <= case.purpose.most_uses:
        return None
    most = case.purpose.most_uses
    sentence = ngettext("This purpose allows one look.", "This purpose allows at most %(uses)s looks.", most)
    sentence = sentence % {"uses": most}
    return FieldProblem("uses_allowed", "uses_out_of_bounds", sentence)


# --- what happens -------------------------------------------------------------------------------


def note_answer(case: Authorisation, user: User | None, data: Data) -> None:
    """Who answered, and when."""
    case.decided_at, case.decided_by = timezone.now(), user
    case.subject = acts_for(user, case.number_index, RepresentationScope.CONSENT)


def note_bounds(case: Authorisation, user: User | None, data: Data) -> None:
    """What was allowed, from now on, until when and how often."""
    case.granted_fields = FieldScope.of(data["fields"]).names
    case.valid_from, case.expires_at, case.uses_allowed = case.decided_at, data["expires_at"], data["uses_allowed"]


def note_end(case: Authorisation, user: User | None, data: Data) -> None:
    """When it ended."""
    case.ended_at = timezone.now()


def never_answered(case: Authorisation, data: Data) -> FieldProblem | None:
    """The time to answer, or the consent itself, has ended."""
    now = data.get("at") or timezone.now()
    end = case.expires_at if case.state == AuthorisationState.GRANTED else case.answer_until
    return None if end and end <= now else FieldProblem("", "not_ended", _("This authorisation has not ended yet."))


S = AuthorisationState
BOUNDED = (still_waiting, purpose_open, fields_chosen, end_chosen, uses_chosen)
GIVEN = (note_answer, note_bounds)
AUTHORISATION: Workflow[Authorisation] = Workflow(
    name="authorisation",
    title=_("Authorisation by the person"),
    states=AuthorisationState,
    initial=S.REQUESTED,
    final=frozenset({S.REFUSED, S.EXPIRED, S.REVOKED, S.RECALLED}),
    steps=(
        Step("grant", _("Allow"), frozenset({S.REQUESTED}), S.GRANTED, by=person, needs=BOUNDED, effects=GIVEN),
        Step(
            "grant_for", _("Allow for the person represented"), frozenset({S.REQUESTED}), S.GRANTED,
            by=representative, needs=BOUNDED, effects=GIVEN,
        ),
        Step(
            "refuse", _("Refuse"), frozenset({S.REQUESTED}), S.REFUSED, by=person, effects=(note_answer, note_end),
        ),
        Step(
            "refuse_for", _("Refuse for the person represented"), frozenset({S.REQUESTED}), S.REFUSED,
            by=representative, effects=(note_answer, note_end),
        ),
        # Both are taken for thousands in one statement, and for one in the same: see records.queries.uses.
        Step("use", _("Use"), frozenset({S.GRANTED}), S.GRANTED, by=platform),
        Step("use_up", _("Used up"), frozenset({S.GRANTED}), S.USED, by=platform),
        Step("revoke", _("Withdraw"), frozenset({S.GRANTED, S.USED}), S.REVOKED, by=holder, effects=(note_end,)),
        Step(
            "revoke_for", _("Withdraw for the person represented"), frozenset({S.GRANTED, S.USED}), S.REVOKED,
            by=representative_of_holder, effects=(note_end,),
        ),
        Step(
            "lapse", _("Withdraw, since the person has died"), frozenset({S.GRANTED, S.USED}), S.REVOKED, by=platform,
            effects=(note_end,),
        ),
        Step("recall", _("Take back"), frozenset({S.REQUESTED}), S.RECALLED, by=unit, effects=(note_end,)),
        Step(
            "expire", _("End"), frozenset({S.REQUESTED, S.GRANTED}), S.EXPIRED, by=platform,
            needs=(never_answered,), effects=(note_end,),
        ),
    ),
)  # fmt: skip
