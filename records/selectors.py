"""Prepared answers about a person's own file. Every one is preceded by its line in the access log."""

import datetime
from dataclasses import dataclass

from django.utils import timezone

from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import Authority
from creditplatform.core.errors import NotPermitted
from creditplatform.core.models import Agency, Notice, User
from creditplatform.core.rules import load_rulebook
from creditplatform.core.vault import pk_of_token
from creditplatform.core.wording import chinese
from records import sentences
from records.bound import subject_of
from records.enums import FieldRole, OwnPurpose, RepresentationScope
from records.models import (
    Authorisation,
    CreditRecord,
    EntryField,
    PriorNotice,
    Representation,
    Subject,
)
from records.models.authorisation import AUTHORISATION_KIND
from records.models.record import TOKEN_KIND
from records.services.announcement_letters import ABOUT_ANNOUNCEMENT
from records.services.consent_notices import ABOUT_AUTHORISATION

PAGE = 50
RELATED = ("entry", "version__legal_basis", "agency__region", "subject", "site")
RECONSIDERATION_DAYS = "clock.reconsideration.apply.days"
ABOUT_LOOKS = frozenset({"record_viewed", "access_complaint_ended"})
ABOUT_SHARES = frozenset({"share_link_opened", "share_link_closed"})
ABOUT_RECORD = "record:"


@dataclass(frozen=True)
class Line:
    """A record of the person with its sentences."""

    record: CreditRecord
    happened: str
    shown: str
    repair: str
    reconsideration: str
    status: sentences.Status


def own_records(user: User, subject: Subject, *, before: tuple[datetime.date, int] | None = None) -> list[Line]:
    """One page of the person's records, newest first; the look is logged, the cost is six queries."""
    rows = CreditRecord.objects.of_person(subject.pk).select_related(*RELATED)
    if before:
        day, pk = before
        rows = rows.filter(decided_on__lte=day).exclude(decided_on=day, pk__gte=pk)
    records = list(rows[: PAGE + 1])
    log_own_look(user, subject, [record.entry.code for record in records])
    return _lines(records)


def own_record(user: User, subject: Subject, token: str) -> tuple[Line, list[tuple[str, str]]] | None:
    """One record of the person with every field it has, by name, or nothing where the number is not one of theirs."""
    pk = pk_of_token(TOKEN_KIND, token)
    if pk is None:
        return None
    record = CreditRecord.objects.of_person(subject.pk).select_related(*RELATED).filter(pk=pk).first()
    if record is None:
        return None
    log_own_look(user, subject, [record.entry.code])
    return _lines([record])[0], contents(record)


def contents(record: CreditRecord) -> list[tuple[str, str]]:
    """The open content of a record as it is shown, name and value of each field, in the order of the catalogue."""
    said = [(item, record.payload.get(item.code)) for item in record.version.fields.all()]
    return [(sentences.shown_label(item), shown_text(record, item, str(text))) for item, text in said if text]


def shown_text(record: CreditRecord, item: EntryField, text: str) -> str:
    """A unit by its name in the language of the page, anything else as its kind of field is shown."""
    named = item.role in (FieldRole.AGENCY_NAME, FieldRole.SOURCE_NAME)
    return unit_label(record.agency, text) if named else sentences.shown_value(item, text)


def unit_label(source: Agency, sent: str) -> str:
    """A unit named in a record, in the language of the page where it is one of ours; else as sent.

    One query where another unit than the source is named and the page is not in Chinese.
    """
    if not sent or sent in (source.name, source.name_en):
        return source.label
    known = None if chinese() else Agency.objects.filter(name=sent).first()
    return known.label if known else sent


@dataclass(frozen=True)
class Letter:
    """A notice, and the page it talks about: a record, consent or announcement of the person, looks, or links."""

    notice: Notice
    record: str = ""
    looks: bool = False
    shares: bool = False
    authorisation: str = ""
    announcement: str = ""


def letters(subject: Subject, shown: list[Notice]) -> list[Letter]:
    """Notices of one page with what they talk about, where the person can still open it; three queries at most."""
    tokens = {notice.pk: _token_of(notice) for notice in shown}
    keys = {token: pk_of_token(TOKEN_KIND, token) for token in tokens.values() if token}
    wanted = [key for key in keys.values() if key]
    own = set(CreditRecord.objects.of_person(subject.pk).filter(pk__in=wanted).values_list("pk", flat=True))
    known = {token for token, key in keys.items() if key in own}
    about = [pk_of_token(AUTHORISATION_KIND, _number_about(notice)) for notice in shown]
    requests = Authorisation.objects.of_person(subject).filter(pk__in=[pk for pk in about if pk is not None])
    asked = {one.number for one in requests}
    announced = _announced_to(subject, shown)
    return [
        Letter(
            notice,
            record=tokens[notice.pk] if tokens[notice.pk] in known else "",
            looks=notice.code in ABOUT_LOOKS,
            shares=notice.code in ABOUT_SHARES,
            authorisation=_number_of(notice, ABOUT_AUTHORISATION, asked),
            announcement=_number_of(notice, ABOUT_ANNOUNCEMENT, announced),
        )
        for notice in shown
    ]


def notices_about(subject: Subject, record: CreditRecord) -> list[Notice]:
    """Notices to the person about one record, oldest first, with the proof of their delivery; not their texts.

    Looking at this list delivers none of them: what they say is read on the page of notices.
    """
    about = f"{ABOUT_RECORD}{record.token}"
    mine = Notice.objects.filter(addressee=subject.number_index, subject_key__startswith=about)
    return list(mine.defer("text", "text_en").order_by("created_at", "pk"))


def _token_of(notice: Notice) -> str:
    """The public number of the record a notice is about; empty for one about something else."""
    about = notice.subject_key
    return about.removeprefix(ABOUT_RECORD).partition(":")[0] if about.startswith(ABOUT_RECORD) else ""


def _announced_to(subject: Subject, shown: list[Notice]) -> set[str]:
    """The numbers of the person's announcements; asked only where a letter is about one."""
    if not any(notice.subject_key.startswith(ABOUT_ANNOUNCEMENT) for notice in shown):
        return set()
    return {case.number for case in PriorNotice.objects.of_person(subject).only("pk")}


def _number_of(notice: Notice, about: str, own: set[str]) -> str:
    """The number of the consent or announcement a notice is about, where it is one of the person."""
    number = notice.subject_key.removeprefix(about)
    return number if number in own else ""


def _number_about(notice: Notice) -> str:
    about = notice.subject_key
    return about.removeprefix(ABOUT_AUTHORISATION) if about.startswith(ABOUT_AUTHORISATION) else ""


def _lines(records: list[CreditRecord]) -> list[Line]:
    """Records with their sentences; which of them are public is asked of all at once."""
    today, rulebook = timezone.localdate(), load_rulebook()
    shown = CreditRecord.objects.publishable(on=today, rulebook=rulebook).filter(pk__in=[one.pk for one in records])
    public = set(shown.values_list("pk", flat=True))
    days = next((one.value for one in rulebook.versions(RECONSIDERATION_DAYS, since=today, until=today)), None)
    return [_line(record, today, days, public=record.pk in public) for record in records]


def _line(record: CreditRecord, today: datetime.date, days: int | None, *, public: bool) -> Line:
    return Line(
        record=record,
        happened=sentences.what_happened(record),
        shown=sentences.shown_until(record, today, public=public),
        repair=sentences.repair_sentence(record, today),
        reconsideration=sentences.reconsideration_sentence(record, today, days),
        status=sentences.status(record, public=public),
    )


def is_own(user: User, subject: Subject) -> bool:
    """Whether the account is bound to this very person."""
    own = subject_of(user)
    return own is not None and own.pk == subject.pk


def log_looks_shown(user: User, subject: Subject) -> None:
    """That who looked is shown to a representative is a look too; the person's own is none."""
    if not is_own(user, subject):
        log_own_look(user, subject, ["looks"])


def log_own_look(
    user: User, subject: Subject, fields: list[str], scope: RepresentationScope = RepresentationScope.FILE
) -> None:
    """Write the look of the person, or of a representative with the number of the representation it rests on."""
    if is_own(user, subject):
        record_disclosure(
            subject_ref=subject.pk, actor=user, purpose=OwnPurpose.OWN_FILE, authority=Authority.SELF, fields=fields
        )
        return
    found = representation_by(user, subject, scope)
    record_disclosure(
        subject_ref=subject.pk, actor=user, purpose=OwnPurpose.REPRESENTATIVE, authority=found.authority,
        reference=found.token, fields=fields,
    )  # fmt: skip


def representation_by(user: User, subject: Subject, scope: RepresentationScope) -> Representation:
    """The representation by which an account may do this for a person today. Raises NotPermitted."""
    own = subject_of(user)
    by = Representation.objects.holding().filter(representative=own, person=subject, scope__contains=[scope])
    found = by.first() if own else None
    if found is None:
        raise NotPermitted
    return found
