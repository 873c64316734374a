"""Ask a person for consent, answer, withdraw: every step by the table of `records.workflows.authorisation`.

All of it must run in an audit context.
"""

import datetime
from collections.abc import Sequence
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Authority, Door
from creditplatform.core.errors import Conflict, CreditError, Invalid
from creditplatform.core.masking import holds_number
from creditplatform.core.models import Agency, ApiClient, User
from creditplatform.core.rules import RuleBook, load_rulebook
from creditplatform.core.vault import pk_of_token
from records.bound import subject_of
from records.enums import AuthorisationState, VersionState
from records.identifiers import Identifier, name_index
from records.models import Authorisation, EntryField, Purpose
from records.models.authorisation import AUTHORISATION_KIND
from records.queries.disclosure import NOBODY, NONE_GIVEN, Asker, register_refusal
from records.queries.grants import NotAuthorised, PurposeNotOpen
from records.queries.scope import FieldScope
from records.querysets.queries import AuthorisationQuerySet
from records.services.consent_notices import tell_answered_for, tell_asked
from records.workflows.authorisation import AUTHORISATION

ANSWER_DAYS = "authorisation.answer.days"
MOST_WAITING, PAUSE_DAYS = "authorisation.waiting.most", "authorisation.pause.days"
LOCK_SPACE = 0x41534B53
LONGEST_CASE = 60
log = structlog.get_logger(__name__)


class TooManyAsked(Conflict):
    """The unit has asked this person as often as it may before it has answers (HTTP 409)."""

    default_code = "too_many_requests_to_person"
    default_message = _(
        "Your unit has %(most)s requests to this person that wait for an answer or were taken back in the last"
        " %(days)s days. It can ask for more once the person has answered one, or time has passed."
    )


class AskedTooSoon(Conflict):
    """The person has lately refused this unit the same purpose, or withdrawn it (HTTP 409)."""

    default_code = "asked_again_too_soon"
    default_message = _(
        "This request was refused for the same purpose, or consent was withdrawn. Your unit can ask again from"
        " %(day)s on."
    )


def request_authorisation(
    *,
    agency: Agency,
    purpose: Purpose,
    person: Identifier,
    name: str,
    fields: Sequence[str],
    case_number: str = "",
    message: str = "",
    user: User | None = None,
    client: ApiClient | None = None,
) -> Authorisation:
    """Ask a person for consent to show these fields; answers alike whether or not the person is on file.

    The same request asked again while it waits is the same request. Raises PurposeNotOpen; Invalid where a field lies
    outside the purpose (`outside_purpose`) or a statute makes consent a mere form (`no_consent_needed`),
    and where the case number is the number of a person; TooManyAsked, AskedTooSoon. Whoever catches one of these calls
    `note_refused`.
    """
    _refuse_numbers(case_number)
    asked, book = _asked_fields(agency, purpose, fields), load_rulebook()
    wanted = Authorisation(
        agency=agency,
        purpose=purpose,
        number_index=person.blind_index,
        name_index=name_index(name),
        requested_fields=asked.names,
        case_number=case_number,
        message=message or None,
        requested_by=user,
        client=client,
        answer_until=timezone.now() + datetime.timedelta(days=_value(book, ANSWER_DAYS, agency)),
    )
    _one_at_a_time(wanted)
    if same := _asked_already(wanted):
        return same
    _refuse_pressing(wanted, book)
    wanted.save()
    tell_asked(wanted)
    return wanted


def _refuse_numbers(case_number: str) -> None:
    if holds_number(case_number):
        told = _("This is the number of a person. Please give the number of the case.")
        raise Invalid.in_field("case_number", "holds_number", told)


def _value(book: RuleBook, key: str, agency: Agency) -> int:
    return int(book.value(key, timezone.localdate(), agency.site.code))


def _asked_fields(agency: Agency, purpose: Purpose, fields: Sequence[str]) -> FieldScope:
    if not Purpose.objects.open_to(agency).filter(pk=purpose.pk).exists():
        raise PurposeNotOpen
    if not purpose.needs_consent:
        sentence = _("A statute lets your unit look for this purpose. The person would be asked for nothing.")
        raise Invalid.in_field("purpose", "no_consent_needed", sentence)
    asked = FieldScope.of(fields or purpose.fields)
    if _outside(FieldScope.of(purpose.fields), asked):
        raise outside_purpose()
    return asked


def outside_purpose() -> Invalid:
    """The refusal of fields that the purpose does not cover."""
    return Invalid.in_field("fields", "outside_purpose", _("The purpose does not cover everything that was asked for."))


def _asked_already(wanted: Authorisation) -> Authorisation | None:
    same = {
        name: getattr(wanted, name)
        for name in ("agency", "purpose", "number_index", "name_index", "requested_fields", "case_number")
    }
    return Authorisation.objects.waiting().filter(**same).first()


def _one_at_a_time(wanted: Authorisation) -> None:
    """Requests of a unit to the same person wait for each other's commit, so that all of them are counted."""
    whom = f"{wanted.agency_id}:{bytes(wanted.number_index).hex()}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [LOCK_SPACE, whom])


def _refuse_pressing(wanted: Authorisation, book: RuleBook) -> None:
    """Raise where the unit presses the person: too many requests at a time, or anew right after a refusal.

    Counted by the number alone, so that neither another name nor another case makes a difference. Requests taken back
    count for as long as a refusal does, since each of them brought a letter.
    """
    days, most = (_value(book, key, wanted.agency) for key in (PAUSE_DAYS, MOST_WAITING))
    lately = {"ended_at__date__gt": timezone.localdate() - datetime.timedelta(days=days)}
    rows = Authorisation.objects.filter(agency=wanted.agency, number_index=wanted.number_index)
    refused = rows.filter(
        purpose=wanted.purpose, state__in=[AuthorisationState.REFUSED, AuthorisationState.REVOKED], **lately
    )
    if last := refused.order_by("-ended_at").values_list("ended_at", flat=True).first():
        again = timezone.localdate(last) + datetime.timedelta(days=days)
        raise AskedTooSoon(day=again.isoformat())
    if (rows.waiting() | rows.filter(state=AuthorisationState.RECALLED, **lately)).count() >= most:
        raise TooManyAsked(most=most, days=days)


def note_refused(
    *, agency: Agency, purpose: str, error: CreditError, door: Door, case_number: str = "", user: User | None = None
) -> None:
    """Register that a request was refused: for operators, and in the access log under nobody's name.

    `purpose` is its code as it was sent; one that does not exist is not repeated.
    """
    known = Purpose.objects.filter(code=purpose).exists()
    log.warning("consent_request_refused", code=error.code, unit=agency.code, purpose=purpose if known else "unknown")
    if known:
        case = "" if holds_number(case_number) else case_number.strip()[:LONGEST_CASE]
        asker = Asker(agency, user, door, case)
        register_refusal(NOBODY, asker, purpose=purpose, authority=Authority.CONSENT, reference=NONE_GIVEN)


def _outside(allowed: FieldScope, asked: FieldScope) -> bool:
    """Whether something is asked for that the purpose does not show, which names personal fields by themselves."""
    if not allowed.covers(asked):
        return True
    fields = EntryField.objects.filter(version__entry__code__in=asked.entries, version__state=VersionState.IN_FORCE)
    personal = fields.filter(personal=True).select_related("version__entry")
    return any((allowed & asked).hides(item, item.version.entry.code) for item in personal)


def grant(
    *, authorisation: Authorisation, user: User, fields: Sequence[str], expires_at: datetime.datetime, uses_allowed: int
) -> Authorisation:
    """Allow what was asked, whole or in part, as the person or for them; the person is told what others answer.

    Raises Invalid, NotPermitted, Conflict as the procedure says.
    """
    return _answer("grant", authorisation, user, fields=list(fields), expires_at=expires_at, uses_allowed=uses_allowed)


def refuse(*, authorisation: Authorisation, user: User) -> Authorisation:
    """Refuse; no reason is asked for."""
    return _answer("refuse", authorisation, user)


def revoke(*, authorisation: Authorisation, user: User) -> Authorisation:
    """Withdraw consent; from now on it opens nothing."""
    return _answer("revoke", authorisation, user)


def _answer(step: str, authorisation: Authorisation, user: User, **data: Any) -> Authorisation:
    """Take the step as the person, or the one for a representative with a letter to the person."""
    own = subject_of(user)
    if own is None or bytes(own.number_index) == bytes(authorisation.number_index):
        return AUTHORISATION.take(step, authorisation, user=user, **data)
    with transaction.atomic():
        taken = AUTHORISATION.take(f"{step}_for", authorisation, user=user, **data)
        tell_answered_for(taken, step)
    return taken


def recall(*, authorisation: Authorisation, user: User) -> Authorisation:
    """Take back a request that was not answered yet; a member of the unit that asked does it."""
    return AUTHORISATION.take("recall", authorisation, user=user)


def by_number(number: str, agency: Agency) -> Authorisation:
    """The authorisation of that number, asked for by this unit, with its purpose and person.

    Raises NotAuthorised for every other; one query.
    """
    return _named(Authorisation.objects.select_related("purpose__legal_basis", "subject"), number, agency)


def named(number: str, agency: Agency) -> Authorisation:
    """The same, the row alone, for whoever has the purpose at hand."""
    return _named(Authorisation.objects.all(), number, agency)


def _named(rows: AuthorisationQuerySet, number: str, agency: Agency) -> Authorisation:
    pk = pk_of_token(AUTHORISATION_KIND, number)
    found = next(iter(rows.filter(pk=pk, agency=agency).order_by()), None) if pk is not None else None
    if found is None:
        raise NotAuthorised
    return found


def expire_due(*, at: datetime.datetime | None = None, most: int = 1000) -> int:
    """Close one batch of authorisations and requests whose time has come; nothing waits for it, since bounds are asked.

    Rows somebody holds wait for the next run. Call again until it returns 0.
    """
    now = at or timezone.now()
    free = Authorisation.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    ended = Q(state=AuthorisationState.GRANTED, expires_at__lte=now)
    unanswered = Q(state=AuthorisationState.REQUESTED, answer_until__lte=now)
    due = list(free.filter(ended | unanswered).order_by()[:most])
    for authorisation in due:
        AUTHORISATION.take("expire", authorisation, user=None, at=now)
    return len(due)
