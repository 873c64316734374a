"""Correct single records: the same pipeline as an entry, with a reason, and never past somebody else's change."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import msgspec
from django.utils.translation import gettext_lazy as _

from creditplatform.core import audit, outbox
from creditplatform.core.enums import Door
from creditplatform.core.errors import Conflict, FieldProblem, Invalid, NotPermitted
from creditplatform.core.models import User
from records.enums import FieldRole, FieldType, Required
from records.feeds.mended import settle_record
from records.feeds.plan import Plan, plan_for
from records.models import CreditRecord, Entitlement, EntryField, Feed, FeedBatch
from records.services.entitlements import may_enter
from records.services.entry import IDENTITY_ROLES, form_feeds, identity_value, open_batch, prepare, write

REASON = "act-reason"
LONGEST_KEPT = 100_000


class ChangedMeanwhile(Conflict):
    """Somebody changed the record after the page that is handed in was opened."""

    default_code = "changed_meanwhile"
    default_message = _(
        "This record was changed in the meantime, so nothing was recorded. Look again: where what is on file now"
        " differs from what you typed, it stands beside the field. Send again what is right."
    )


class AnotherRecord(Conflict):
    """What was handed in speaks of another subject or decision than the record says."""

    default_code = "another_record"
    default_message = _(
        "The numbers that identify this record no longer lead to it, so it cannot be corrected here."
        " Please ask the credit centre."
    )


def mark_of(record: CreditRecord) -> str:
    """What a page remembers of the record it shows, to notice that it was changed meanwhile."""
    return f"{record.changed_at.isoformat()} {bytes(record.digest).hex()} {record.state}"


def correct_record(
    *,
    user: User,
    record: CreditRecord,
    values: Mapping[str, str],
    reason: str,
    seen: str,
    given_up: Collection[str] = (),
) -> CreditRecord:
    """Correct the content of a record; subject, document number and key field stay, history keeps the old content.

    `seen` is the `mark_of` the record when it was looked at. The correction is checked against the version of
    the entry in force; content whose field that version no longer has is kept, but for the codes in `given_up`.

    The reason is kept sealed with the batch of the correction, and the context of the history names that batch.
    A reason is free text about one person's record: it may well hold a name, which no pattern recognises, so
    refusing numbers would not be enough, and the context stays in history in clear for ever.

    Raises NotPermitted, NotCollected, ChangedMeanwhile, AnotherRecord, or Invalid with every problem at once.
    """
    if not reason.strip():
        raise Invalid([FieldProblem(REASON, "required", _("Please give the reason."))])
    pair = {"agency": record.agency_id, "entry": record.entry_id}
    entitlement = Entitlement.objects.select_related("agency", "entry").filter(**pair).first()
    if entitlement is None or not may_enter(user, entitlement):
        raise NotPermitted
    who: dict[str, Any] = {"actor": user, "door": Door.ADMIN, "agency_id": record.agency_id}
    with audit.context(reason="correction", **who):
        standing = _unchanged(record, seen)
        feed = _feed_of(standing, entitlement)
        batch = open_batch(feed, user, values, Door.ADMIN, reason.strip())
        with audit.context(reason=f"correction: batch {batch.pk}", **who):
            return _correct(standing, plan_for(feed), batch, values, given_up)


def content_of(record: CreditRecord) -> dict[str, str]:
    """Open and sealed content of a record by field code."""
    return {**record.payload, **_sealed(record)}


def retired_fields(record: CreditRecord, known: Collection[str]) -> list[EntryField]:
    """Fields with content of the record that are not among the known codes, as they were last described."""
    sealed = _sealed(record)
    codes = [code for code, text in content_of(record).items() if text and code not in known]
    described = EntryField.objects.filter(version__entry=record.entry_id, code__in=codes).order_by("version__number")
    last = {item.code: item for item in described}
    return [
        EntryField(
            code=code, name=last[code].name, name_en=last[code].name_en, type=FieldType.TEXT, length=LONGEST_KEPT,
            required=Required.NEVER, personal=code in sealed,
        )
        for code in codes
    ]  # fmt: skip


def corrections_of(record: CreditRecord) -> list[FeedBatch]:
    """The corrections of a record by form, oldest first, each with who made it and its reason."""
    history: Any = CreditRecord
    before = history.pgh_event_model.objects.filter(pgh_obj_id=record.pk).values_list("batch_id", flat=True)
    numbers = {*before, record.batch_id} - {None}
    batches = FeedBatch.objects.filter(pk__in=numbers, reason__isnull=False)
    return list(batches.select_related("submitted_by").order_by("received_at", "pk"))


def _sealed(record: CreditRecord) -> dict[str, str]:
    sealed: dict[str, str] = msgspec.json.decode(record.sealed_payload) if record.sealed_payload else {}
    return sealed


def _unchanged(record: CreditRecord, seen: str) -> CreditRecord:
    """The record, held until the end of the transaction. Raises ChangedMeanwhile."""
    held = CreditRecord.objects.select_for_update(of=("self",), no_key=True)
    standing = held.select_related("subject", "batch__feed__agency", "batch__feed__entry").get(pk=record.pk)
    if mark_of(standing) != seen:
        raise ChangedMeanwhile
    return standing


def _feed_of(record: CreditRecord, entitlement: Entitlement) -> Feed:
    """The unit's feed that brought the record; where that is not known, or a peer did, the one of its key field."""
    feed = record.batch.feed if record.batch else None
    if feed and not feed.peer_id and (feed.agency_id, feed.entry_id) == (record.agency_id, record.entry_id):
        return feed
    feeds = form_feeds(entitlement)
    return next((feed for feed in feeds if feed.field == record.field), feeds[0])


def _correct(
    record: CreditRecord, plan: Plan, batch: FeedBatch, values: Mapping[str, str], given_up: Collection[str]
) -> CreditRecord:
    retired = [item for item in retired_fields(record, {f.code for f in plan.fields}) if item.code not in given_up]
    plan = _as_recorded(record, replace(plan, fields=[*plan.fields, *retired]))
    content, identity = content_of(record), [item for item in plan.fields if item.role in IDENTITY_ROLES]
    said = {
        **values,
        **{item.code: identity_value(record, item) for item in identity},
        **{item.code: content[item.code] for item in retired},
    }
    if plan.dated_by_receipt and _says_otherwise(record, plan, said):
        plan = replace(plan, dated_by_receipt=False)  # periods follow a correction too, counted from the record's day
    corrected = write(plan, batch, prepare(plan, said))
    if corrected.pk != record.pk:
        raise AnotherRecord
    settle_record(corrected.pk)
    outbox.publish("records.corrected", records=[corrected.pk], stamp=f"batch {batch.pk}")
    return corrected


def _as_recorded(record: CreditRecord, plan: Plan) -> Plan:
    """What the feed has changed since does not move the record: its key field, its number and its own day stay."""
    constants = {**plan.constants, FieldRole.DOCUMENT_NUMBER: record.document_number}
    dated_on = record.decided_on if plan.dated_by_receipt else plan.dated_on
    return replace(plan, key_field=record.field, constants=constants, dated_on=dated_on)


def _says_otherwise(record: CreditRecord, plan: Plan, values: Mapping[str, str]) -> bool:
    """Whether the values change anything of the record, its day included."""
    day = plan.by_role.get(FieldRole.DECIDED_ON)
    typed = values.get(day.code, "") if day else ""
    redated = typed not in ("", record.decided_on.isoformat())
    return redated or any(row.digest != bytes(record.digest) for row in prepare(plan, values).rows)
