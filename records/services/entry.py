"""Enter and correct single records: a form is a batch of one row and goes through the same pipeline."""

import hashlib
from collections.abc import Mapping

import msgspec
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import FieldProblem, Invalid, NotPermitted
from creditplatform.core.models import User
from records.enums import BatchState, FieldRole, Rhythm
from records.feeds.mapping import ColumnMap
from records.feeds.plan import Plan, plan_for
from records.feeds.prepare import Preparer
from records.feeds.prepared import Prepared
from records.feeds.problems import sentence
from records.feeds.readers import Chunk
from records.feeds.store import Store
from records.feeds.vocabulary import IDENTIFIER_KINDS, SUBJECT_KINDS
from records.identifiers import ORGANISATION_NUMBERS
from records.models import CreditRecord, Entitlement, EntryField, Feed, FeedBatch, Subject
from records.workflows.feed_batch import FEED_BATCH

IDENTITY_ROLES = frozenset(
    {
        FieldRole.SUBJECT_KIND, FieldRole.SUBJECT_NAME, FieldRole.CREDIT_CODE, FieldRole.ORGANISATION_CODE,
        FieldRole.REGISTRATION_NUMBER, FieldRole.TAX_NUMBER, FieldRole.INSTITUTION_NUMBER,
        FieldRole.SOCIAL_GROUP_NUMBER, FieldRole.IDENTITY_KIND, FieldRole.IDENTITY_NUMBER, FieldRole.DOCUMENT_NUMBER,
    }
)  # fmt: skip


def may_enter(user: User, entitlement: Entitlement) -> bool:
    """Members of the unit who were given the entry by name."""
    return entitlement.agency_id in user.agency_ids and user.has_perm("records.enter_records", entitlement)


def enter_record(
    *, user: User, entitlement: Entitlement, values: Mapping[str, str], door: Door = Door.ADMIN
) -> CreditRecord:
    """Record one decision. Raises NotPermitted, NotCollected, or Invalid with every problem at once.

    The same decision about the same subject again is either unchanged or a correction, as in a file.
    """
    if not may_enter(user, entitlement):
        raise NotPermitted
    feed = form_feed(entitlement)
    plan = plan_for(feed)
    with transaction.atomic():
        batch = _open_batch(feed, user, values, door)
        prepared = _prepare(plan, values)
        outcome = Store(plan, batch).write(prepared)
        if prepared.setaside:
            raise Invalid(_problems(plan, prepared))
        FeedBatch.objects.filter(pk=batch.pk).update(received=1, accepted=outcome.accepted, unchanged=outcome.unchanged)
        FEED_BATCH.take("apply", batch, user=None)
        return _entered(plan, prepared)


def correct_record(*, user: User, record: CreditRecord, values: Mapping[str, str], reason: str) -> CreditRecord:
    """Correct the content of a record; subject and document number stay, the old content stays in its history."""
    if not reason.strip():
        raise Invalid([FieldProblem("reason", "required", _("Please give the reason."))])
    entitlement = Entitlement.objects.select_related("agency", "entry").get(
        agency=record.agency_id, entry=record.entry_id
    )
    kept = {item.code: text for item in record.version.fields.all() if (text := identity_value(record, item))}
    changed = {code: text for code, text in values.items() if code not in kept}
    with audit.context(actor=user, door=Door.ADMIN, reason=f"correction: {reason}", agency_id=record.agency_id):
        return enter_record(user=user, entitlement=entitlement, values={**changed, **kept})


def form_feed(entitlement: Entitlement) -> Feed:
    """The feed a form counts for: that of the unit and entry, or one made for its forms."""
    feed = Feed.objects.filter(agency=entitlement.agency, entry=entitlement.entry, active=True).order_by("pk").first()
    if feed:
        return feed
    code = f"form-{entitlement.agency.code}-{entitlement.entry.code}"[:60]
    names = {"name": entitlement.entry.name, "name_en": entitlement.entry.name_en}
    made, _created = Feed.objects.get_or_create(
        code=code,
        defaults={**names, "agency": entitlement.agency, "entry": entitlement.entry, "rhythm": Rhythm.ONCE},
    )
    return made


def identity_value(record: CreditRecord, item: EntryField) -> str:
    """What the record says in a field that identifies it; such fields are not changed by a correction."""
    if item.role not in IDENTITY_ROLES:
        return ""
    if item.role == FieldRole.DOCUMENT_NUMBER:
        return record.document_number
    return _subject_value(record.subject, item)


def _subject_value(subject: Subject, item: EntryField) -> str:
    if item.role == FieldRole.SUBJECT_NAME:
        return subject.name_sealed or subject.name
    if item.role == FieldRole.IDENTITY_NUMBER:
        return subject.number_sealed or ""
    return _kind_or_code(subject, item)


def _kind_or_code(subject: Subject, item: EntryField) -> str:
    if item.role == FieldRole.SUBJECT_KIND:
        return next(text for text, kind in SUBJECT_KINDS.items() if kind == subject.kind and text in item.choices)
    if item.role == FieldRole.IDENTITY_KIND:
        words = {kind.value: text for text, kind in reversed(IDENTIFIER_KINDS.items())}
        return words.get(subject.identifier_kind, "") if subject.number_sealed else ""
    role_kinds = {kind.value: role for role, kind in ORGANISATION_NUMBERS}
    return subject.code if role_kinds.get(subject.identifier_kind) == item.role else ""


def _open_batch(feed: Feed, user: User, values: Mapping[str, str], door: Door) -> FeedBatch:
    content = msgspec.json.encode(sorted(values.items()))
    digest = hashlib.sha256(content + str(timezone.now()).encode()).hexdigest()
    batch = FeedBatch.objects.create(
        feed=feed, file_name="form", file_digest=digest, size=len(content), door=door, submitted_by=user,
        state=BatchState.RECEIVED,
    )  # fmt: skip
    taken: FeedBatch = FEED_BATCH.take("check", batch, user=None, format="form")
    return taken


def _prepare(plan: Plan, values: Mapping[str, str]) -> Prepared:
    codes = [item.code for item in plan.fields]
    columns = ColumnMap({code: at for at, code in enumerate(codes)})
    row = [[values.get(code, "").strip()] for code in codes]
    return Preparer(plan, columns, codes).prepare(Chunk(1, 1, row, [1], [1]))


def _problems(plan: Plan, prepared: Prepared) -> list[FieldProblem]:
    known = {item.code for item in plan.fields}
    return [
        FieldProblem(name if name in known else "", code, sentence(code))
        for row in prepared.setaside
        for name, code in row.problems
    ]


def _entered(plan: Plan, prepared: Prepared) -> CreditRecord:
    (row,) = prepared.rows
    return CreditRecord.objects.select_related("subject", "version", "entry", "agency").get(
        subject__number_index=row.subject, entry=plan.version.entry_id, agency=plan.agency, document_number=row.document
    )
