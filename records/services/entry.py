"""Enter single records: a form is a batch of one row and goes through the same pipeline."""

import hashlib
from collections.abc import Mapping, Sequence

import msgspec
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Door
from creditplatform.core.errors import Conflict, FieldProblem, Invalid, NotPermitted
from creditplatform.core.models import User
from records.enums import BatchState, FieldRole, Rhythm
from records.feeds.mapping import ColumnMap
from records.feeds.plan import Plan, plan_for
from records.feeds.prepare import Preparer
from records.feeds.prepared import Prepared, Row, delivered_cells
from records.feeds.problems import sentence
from records.feeds.readers import Chunk
from records.feeds.standing import Withdrawal
from records.feeds.store import Store
from records.feeds.vocabulary import IDENTIFIER_KINDS, SUBJECT_KINDS
from records.identifiers import ORGANISATION_NUMBERS
from records.models import CreditRecord, Entitlement, EntryField, Feed, FeedBatch, Subject
from records.querysets import CreditRecordQuerySet
from records.services.entitlements import may_enter
from records.workflows.feed_batch import FEED_BATCH

IDENTITY_ROLES = frozenset(
    {
        FieldRole.SUBJECT_KIND, FieldRole.SUBJECT_NAME, FieldRole.CREDIT_CODE, FieldRole.ORGANISATION_CODE,
        FieldRole.REGISTRATION_NUMBER, FieldRole.TAX_NUMBER, FieldRole.INSTITUTION_NUMBER,
        FieldRole.SOCIAL_GROUP_NUMBER, FieldRole.IDENTITY_KIND, FieldRole.IDENTITY_NUMBER, FieldRole.DOCUMENT_NUMBER,
    }
)  # fmt: skip


# What an entry needs besides the fields of the catalogue; no field code may be mistaken for it.
FEED = "act-feed"


class AlreadyOnFile(Conflict):
    """The unit has recorded this decision about this subject before; `record_id` says where."""

    default_code = "already_on_file"
    default_message = _("This decision about this subject is on file already, so nothing was recorded.")

    def __init__(self, record_id: int) -> None:
        super().__init__()
        self.record_id = record_id


def enter_record(
    *,
    user: User,
    entitlement: Entitlement,
    values: Mapping[str, str],
    feed: Feed | None = None,
    door: Door = Door.ADMIN,
) -> CreditRecord:
    """Record one decision that is not on file yet.

    `feed` says which key field it counts for, where the unit has several feeds of the entry. Raises
    NotPermitted, NotCollected, Invalid with every problem at once, or AlreadyOnFile: what is on file is
    changed by a correction alone, which names its reason.
    """
    if not may_enter(user, entitlement):
        raise NotPermitted
    chosen, problems = _chosen(form_feeds(entitlement), feed)
    plan = plan_for(chosen)
    with transaction.atomic():
        batch = open_batch(chosen, user, values, door)
        prepared = prepare(plan, values)
        if problems:
            raise Invalid([*problems, *problems_of(plan, prepared)])
        known = next((pk for row in prepared.rows if (pk := _on_file(plan, row))), None)
        if known:
            raise AlreadyOnFile(known)
        record = write(plan, batch, prepared)
        # Between the question and the answer another form or file may have been first.
        if record.batch_id != batch.pk or record.received_at != record.changed_at:
            raise AlreadyOnFile(record.pk)
        return record


def form_feeds(entitlement: Entitlement) -> list[Feed]:
    """The feeds a form may count for: those of unit and entry that differ in what they make of a row.

    Where there is none, one is made for the forms of the unit.
    """
    active = Feed.objects.of_units().filter(agency=entitlement.agency_id, entry=entitlement.entry_id, active=True)
    differing: dict[str, Feed] = {}
    for feed in active.select_related("agency", "entry").order_by("pk"):
        differing.setdefault(repr((feed.field, sorted(feed.constants.items()), feed.dated_by_receipt)), feed)
    return list(differing.values()) or [_feed_for_forms(entitlement)]


def _feed_for_forms(entitlement: Entitlement) -> Feed:
    code = f"form-{entitlement.agency.code}-{entitlement.entry.code}"[:60]
    names = {"name": entitlement.entry.name, "name_en": entitlement.entry.name_en}
    made, _created = Feed.objects.get_or_create(
        code=code,
        defaults={**names, "agency": entitlement.agency, "entry": entitlement.entry, "rhythm": Rhythm.ONCE},
    )
    return made


def _chosen(feeds: Sequence[Feed], feed: Feed | None) -> tuple[Feed, list[FieldProblem]]:
    """The feed an entry counts for, and what is wrong with the choice; without a choice the first serves to check."""
    if feed is None and len(feeds) == 1:
        return feeds[0], []
    if feed in feeds:
        return feeds[feeds.index(feed)], []
    return feeds[0], [FieldProblem(FEED, "required", _("Say which key field the decision belongs to."))]


def _on_file(plan: Plan, row: Row) -> int | None:
    return _where(plan, row).values_list("pk", flat=True).first()


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
        words_of_kind = (text for text, kind in SUBJECT_KINDS.items() if kind == subject.kind and text in item.choices)
        return next(words_of_kind, "")
    if item.role == FieldRole.IDENTITY_KIND:
        words = {kind.value: text for text, kind in reversed(IDENTIFIER_KINDS.items())}
        return words.get(subject.identifier_kind, "") if subject.number_sealed else ""
    role_kinds = {kind.value: role for role, kind in ORGANISATION_NUMBERS}
    return subject.code if role_kinds.get(subject.identifier_kind) == item.role else ""


def open_batch(feed: Feed, user: User, values: Mapping[str, str], door: Door, reason: str | None = None) -> FeedBatch:
    """The batch of a form; `reason` is why a record is corrected, and is kept sealed."""
    content = msgspec.json.encode(sorted(values.items()))
    digest = hashlib.sha256(content + str(timezone.now()).encode()).hexdigest()
    batch = FeedBatch.objects.create(
        feed=feed, file_name="form", file_digest=digest, size=len(content), door=door, submitted_by=user,
        state=BatchState.RECEIVED, reason=reason,
    )  # fmt: skip
    taken: FeedBatch = FEED_BATCH.take("check", batch, user=None, format="form")
    return taken


def prepare(plan: Plan, values: Mapping[str, str]) -> Prepared:
    """The values of a form, by field code, checked as one row of a file is."""
    codes = [item.code for item in plan.fields]
    columns = ColumnMap({code: at for at, code in enumerate(codes)})
    chunk = Chunk(1, 1, [[values.get(code, "").strip()] for code in codes], [1], [1])
    prepared = Preparer(plan, columns, codes).prepare(chunk)
    prepared.delivered = delivered_cells(chunk, codes)
    return prepared


def problems_of(plan: Plan, prepared: Prepared) -> list[FieldProblem]:
    """What is wrong with a form, field by field."""
    known = {item.code: item for item in plan.fields}
    return [
        FieldProblem(name if name in known else "", code, sentence(code, known.get(name), form=True))
        for row in prepared.setaside
        for name, code in row.problems
    ]


def write(plan: Plan, batch: FeedBatch, prepared: Prepared) -> CreditRecord:
    """Bring in the one row of a form and finish its batch. Raises Invalid with every problem at once."""
    outcome = Store(plan, batch).write(prepared)
    if prepared.setaside:
        raise Invalid(problems_of(plan, prepared))
    FeedBatch.objects.filter(pk=batch.pk).update(received=1, accepted=outcome.accepted, unchanged=outcome.unchanged)
    FEED_BATCH.take("apply", batch, user=None)
    (row,) = prepared.rows or prepared.withdrawn
    return _where(plan, row).select_related("subject", "version", "entry", "agency").get()


def _where(plan: Plan, row: Row | Withdrawal) -> CreditRecordQuerySet:
    """Where the decision of a row stands, if it is on file."""
    return CreditRecord.objects.filter(
        subject__number_index=row.subject, entry=plan.version.entry_id, agency=plan.agency, document_number=row.document
    )
