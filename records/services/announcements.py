"""Announcing records: a unit tells the person before it enters an unfavourable record, and hears what they say.

Nothing here says whether anybody of a number is on file or has an account: an announcement to nobody waits as any other
does. All of it must run in an audit context.
"""

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.calendars import load_calendar
from creditplatform.core.enums import Authority, Door
from creditplatform.core.errors import Conflict, FieldProblem, Invalid, NotFoundHere, NotPermitted
from creditplatform.core.identity import facts
from creditplatform.core.masking import holds_number
from creditplatform.core.models import Agency, ApiClient, User
from creditplatform.core.rules import load_rulebook
from creditplatform.core.vault import pk_of_token
from records.enums import OwnPurpose, Polarity, SubjectKind
from records.feeds.plan import NotCollected, version_in_force
from records.feeds.problems import sentence
from records.feeds.values import document_number
from records.identifiers import Identifier, name_index
from records.models import Entitlement, EntryVersion, LegalBasis, PriorNotice
from records.models.prior_notice import LONGEST_CASE, LONGEST_INTENDED, PRIOR_NOTICE_KIND
from records.rules import add_months, is_minor
from records.services.access_alarms import due_after
from records.services.announcement_letters import tell_announced
from records.services.entitlements import entitlements_of, may_enter
from records.workflows.prior_notice import PRIOR_NOTICE

USUAL_DAYS, LEAST_DAYS = "prior_notice.reply.working_days", "prior_notice.reply.least_working_days"
MOST_DAYS, LAPSE_DAYS = "prior_notice.reply.most_days", "prior_notice.lapse.days"
MOST_OPEN = "prior_notice.open.most"
LONGEST_DOCUMENT = 128
SHOWN_REPLY = "prior-notice"


class AnnouncedAlready(Conflict):
    """The unit has announced this to the person, and it is open still (HTTP 409)."""

    default_code = "announced_already"
    default_message = _("This is announced to the person already. Withdraw that announcement before you make another.")


class TooManyAnnounced(Conflict):
    """So many records are announced to the person by this unit as may be at a time (HTTP 409)."""

    default_code = "too_many_announced"
    default_message = _(
        "Your unit has announced %(most)s records to this person already. Enter or withdraw one before you announce"
        " more."
    )


@dataclass(frozen=True)
class ReplyDays:
    """The first and last day that may be the last one for a reply, and the usual one."""

    earliest: datetime.date
    usual: datetime.date
    latest: datetime.date


@dataclass(frozen=True)
class Draft:
    """What is announced: to whom, what is intended in plain words, and until when to reply, empty for the usual day.

    `document_number` is that of the decision, where it has one already: only the record of that number follows then.
    """

    person: Identifier
    name: str
    intended: str
    reply_until: datetime.date | None = None
    document_number: str = ""
    case_number: str = ""


def reply_days(agency: Agency, *, today: datetime.date | None = None) -> ReplyDays:
    """Within which days a unit may set the end of the time to reply. Raises RuleMissing; two queries."""
    start, rulebook, calendar = today or timezone.localdate(), load_rulebook(), load_calendar()
    site = agency.site.code
    earliest, usual = (due_after(start, rulebook.value(key, start, site), calendar) for key in (LEAST_DAYS, USUAL_DAYS))
    latest = start + datetime.timedelta(days=rulebook.value(MOST_DAYS, start, site))
    return ReplyDays(earliest, usual, latest)


def announceable(user: User) -> list[Entitlement]:
    """The kinds of record a person may enter that can speak against a natural person today."""
    held = entitlements_of(user)
    versions = EntryVersion.objects.collecting(on=timezone.localdate()).filter(
        entry__in=[one.entry_id for one in held],
        polarity=Polarity.NEGATIVE,
        subject_kinds__contains=[SubjectKind.PERSON],
    )
    kinds = {version.entry_id: version.source_kinds for version in versions}
    return [one for one in held if one.entry_id in kinds and _may_send(one.agency, kinds[one.entry_id])]


def entitlement_of(agency: Agency, entry: str) -> Entitlement:
    """The right of a unit to an entry of that code. Raises Invalid, alike for an entry that is none."""
    found = Entitlement.objects.select_related("agency__site", "entry").filter(agency=agency, entry__code=entry).first()
    if found is None:
        raise Invalid.in_field("entry", "not_entitled", _("Your unit may not record this kind of information."))
    return found


def announce(
    draft: Draft, *, entitlement: Entitlement, user: User | None = None, client: ApiClient | None = None
) -> PriorNotice:
    """Announce a record to a person; the letter is written in the same transaction. Answers alike for everybody.

    By a member of the unit who may enter such records, or by a machine client of the unit. Raises NotPermitted; Invalid
    with everything that is wrong, also where the entry is not in force, speaks against nobody or is of no persons, and
    for minors, of whom nothing unfavourable is kept; AnnouncedAlready, TooManyAnnounced.
    """
    if not (may_enter(user, entitlement) if user else client and client.agency_id == entitlement.agency_id):
        raise NotPermitted
    (version, basis), days = _in_force(entitlement), reply_days(entitlement.agency)
    until = draft.reply_until or days.usual
    if problems := [*_text_problems(draft), *_day_problems(until, days), *_age_problems(draft, version)]:
        raise Invalid(problems)
    case = PriorNotice(
        number_index=draft.person.blind_index, name_index=name_index(draft.name),
        agency=entitlement.agency, entry=entitlement.entry, intended=draft.intended.strip(), reply_until=until,
        document_number=document_number(draft.document_number.strip()), case_number=draft.case_number.strip(),
        announced_by=user, client=client,
    )  # fmt: skip
    most: int = load_rulebook().value(MOST_OPEN, timezone.localdate(), entitlement.agency.site.code)
    try:
        with transaction.atomic():
            case.save()
            same = PriorNotice.objects.open().filter(agency=case.agency_id, number_index=case.number_index)
            if same.count() > most:
                raise TooManyAnnounced(most=most)
            tell_announced(case, basis)
    except IntegrityError as error:
        raise AnnouncedAlready from error
    return case


def reply(*, case: PriorNotice, user: User, words: str) -> PriorNotice:
    """Reply once, by the person alone. Raises NotPermitted, Conflict, Invalid as the procedure says."""
    return PRIOR_NOTICE.take("reply", case, user=user, words=words.strip())


def consider(
    *, case: PriorNotice, user: User | None = None, client: ApiClient | None = None, words: str
) -> PriorNotice:
    """Say how the reply was taken into account, before the record is entered; the person reads it.

    By a member of the unit or its machine client, as `withdraw`. Raises NotPermitted, Conflict, Invalid.
    """
    _by_unit(case, user, client)
    return PRIOR_NOTICE.take("consider", case, user=user, words=words.strip())


def withdraw(
    *, case: PriorNotice, user: User | None = None, client: ApiClient | None = None, words: str = ""
) -> PriorNotice:
    """Do not pursue it, and say how a reply was taken into account where there is one; the person is told."""
    _by_unit(case, user, client)
    return PRIOR_NOTICE.take("withdraw", case, user=user, words=words.strip())


def of_client(client: ApiClient, number: str) -> PriorNotice:
    """An announcement of that number by the client's unit. Raises NotFoundHere for every other; one query."""
    pk = pk_of_token(PRIOR_NOTICE_KIND, number)
    rows = PriorNotice.objects.select_related("entry", "agency", "subject", "record")
    found = rows.filter(pk=pk, agency=client.agency_id).first() if pk is not None else None
    if found is None:
        raise NotFoundHere
    return found


def read_reply(case: PriorNotice, *, user: User | None, door: Door) -> str:
    """What the person replied, for the unit, after its line in the access log; empty where nothing was said."""
    if case.reply is None or case.subject_id is None:
        return ""
    record_disclosure(
        subject_ref=case.subject_id, actor=user, agency=case.agency, purpose=OwnPurpose.UPKEEP,
        authority=Authority.DUTY, case_number=case.case_number, fields=[SHOWN_REPLY, case.entry.code], door=door,
    )  # fmt: skip
    return case.reply


def lapse_due(*, on: datetime.date, most: int = 1000) -> int:
    """End one batch of announcements whose record has not come so long after the time to reply; how many.

    What somebody holds is left for the next time. Call again until it returns 0.
    """
    before = on - datetime.timedelta(days=load_rulebook().value(LAPSE_DAYS, on))
    due = PriorNotice.objects.over(before=before).order_by("pk")
    rows = list(due.select_for_update(of=("self",), no_key=True, skip_locked=True)[:most])
    for case in rows:
        PRIOR_NOTICE.take("lapse", case, user=None, before=before)
    return len(rows)


def _by_unit(case: PriorNotice, user: User | None, client: ApiClient | None) -> None:
    """Of a client only its unit is asked here; of a person the procedure asks everything."""
    if user is None and (client is None or client.agency_id != case.agency_id):
        raise NotPermitted


def _in_force(entitlement: Entitlement) -> tuple[EntryVersion, LegalBasis]:
    """The version in force, which speaks against natural persons, with its basis. Raises Invalid."""
    try:
        version = version_in_force(entitlement.entry, timezone.localdate())
    except NotCollected as error:
        raise Invalid.in_field("entry", error.code, error.message) from error
    basis = version.legal_basis
    against = version.polarity == Polarity.NEGATIVE and SubjectKind.PERSON in version.subject_kinds
    if basis is None or not against or not _may_send(entitlement.agency, version.source_kinds):
        told = _("Only unfavourable records about persons that your unit may send are announced.")
        raise Invalid.in_field("entry", "not_announced", told)
    return version, basis


def _may_send(agency: Agency, kinds: Iterable[str]) -> bool:
    return not kinds or agency.kind in kinds


def _text_problems(draft: Draft) -> Iterator[FieldProblem]:
    intended = draft.intended.strip()
    if not intended:
        yield FieldProblem("intended", "required", _("Say in plain words what is intended and why."))
    lengths = {"intended": LONGEST_INTENDED, "document_number": LONGEST_DOCUMENT, "case_number": LONGEST_CASE}
    for field, most in lengths.items():
        text = getattr(draft, field)
        if len(text) > most:
            yield FieldProblem(field, "too_long", _("Please use no more than %(most)s characters.") % {"most": most})
        elif holds_number(text):
            told = _("Please leave out numbers of documents, telephones and bank cards.")
            yield FieldProblem(field, "holds_number", told)


def _day_problems(until: datetime.date, days: ReplyDays) -> Iterator[FieldProblem]:
    if days.earliest <= until <= days.latest:
        return
    bounds = {"first": days.earliest.isoformat(), "last": days.latest.isoformat()}
    told = _("Choose a day from %(first)s to %(last)s: the person needs time to reply.") % bounds
    yield FieldProblem("reply_until", "out_of_bounds", told)


def _age_problems(draft: Draft, version: EntryVersion) -> Iterator[FieldProblem]:
    """Minors are refused as their records are; the age is what the number tells."""
    today, born_on = timezone.localdate(), facts(draft.person.kind, draft.person.number).birth_date
    if born_on is None:
        if version.min_age is not None:
            yield FieldProblem("number", "age_unknown", sentence("age_unknown"))
    elif is_minor(born_on, today, load_rulebook()):
        yield FieldProblem("number", "minor", sentence("minor"))
    elif version.min_age is not None and today < add_months(born_on, 12 * version.min_age):
        yield FieldProblem("number", "under_age", _("The person is younger than this kind of record allows."))
