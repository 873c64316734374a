"""Put the name of a person on file right. The number says who it is; nobody is found by a name, so nobody is mixed up.

A name is corrected where the unit that alone speaks of the person says so, or where two units disagreed and the credit
centre has found the other one right (G11). Personal information is kept correct (PIPL, articles 8 and 46).
"""

from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import msgspec
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core import audit, wording
from creditplatform.core.enums import Door
from creditplatform.core.errors import Invalid, NotPermitted
from creditplatform.core.models import Agency, User
from creditplatform.core.notices import write_notice
from records.enums import ChangeKind, FieldRole, RecordState, RowState, SubjectKind
from records.feeds.columns import clean
from records.feeds.plan import Plan, plan_for
from records.identifiers import name_index
from records.models import ChangeNote, CreditRecord, CrossCheck, QuarantinedRow, RealNameBinding, Subject
from records.services.mending import held_row, prepared_row, take_in_again
from records.services.setaside_table import day_of, delivered_by_field
from records.workflows.cross_check import decides_for

CODE = "name_differs"
LONGEST_REASON = 500
STANDING = (RecordState.IN_FORCE, RecordState.EXPIRED, RecordState.REPAIRED)
LETTER = _(
    "Your name on file was corrected at the instance of %(agency)s. Your number and what your records say have not"
    " changed. Please look whether the name is right now; if it is not, tell the credit centre."
)


def may_correct(row: QuarantinedRow, user: User) -> bool:
    """Whether the page of a row offers the correction: all else about it is right, and the user decides for the unit.

    That no other unit speaks of the person is asked when it is done.
    """
    codes = {problem["code"] for problem in row.problems}
    return row.state == RowState.OPEN and codes == {CODE} and decides_for(row.feed.agency_id, user)


def correct_from_row(*, user: User, row: QuarantinedRow, seen: int, reason: str) -> QuarantinedRow:
    """Take the name of a row set aside for the right one, correct the file, and take the row in.

    `seen` is the revision that was looked at, `reason` what the name was compared with; it is kept sealed with the
    history of the row's batch. Raises NotPermitted, RowChanged, NotCollected; Invalid without a reason, where another
    unit has records about the person, where the person verified the name on file, and where the row names somebody
    otherwise no longer.
    """
    if not may_correct(row, user):
        raise NotPermitted
    if not 0 < len(words := reason.strip()) <= LONGEST_REASON:
        raise Invalid.in_field(
            "reason", "required", _("Say what the name was compared with, in at most 500 characters.")
        )
    with _context(user, row, "name on file corrected by its unit"), transaction.atomic():
        held = held_row(row.pk, seen)
        subject, name = _named(held)
        records = CreditRecord.objects.filter(subject=subject)
        if not records.exists() or records.exclude(agency=held.feed.agency_id).exists():
            raise Invalid.in_field("reason", "not_ours_alone", NOT_OURS_ALONE)
        _correct(subject, name, held)
        return take_in_again(held, user, reason=words)


def correct_from_check(check: CrossCheck, user: User) -> None:
    """The differing statement was right: correct the file by the row of the sending unit, and take the row in.

    Must run in a transaction. Raises Invalid where that row waits no longer or names nobody otherwise any more, and
    where the person verified the name on file; NotCollected.
    """
    row = check.row
    if row is None or row.state != RowState.OPEN:
        raise Invalid.in_field("finding", "row_gone", ROW_GONE)
    with _context(user, row, "name on file corrected after a cross-check"):
        held = held_row(row.pk, row.revision)
        subject, name = _named(held)
        if subject.pk != check.subject_id:
            raise Invalid.in_field("finding", "row_gone", ROW_GONE)
        _correct(subject, name, held)
        take_in_again(held, user)


NOT_OURS_ALONE = _(
    "This cannot be said by your unit alone: another unit has records about the person, or none has. Where another unit"
    " has, both are asked under “Cross-checks”; otherwise compare the number of the row, which is probably wrong."
)
ROW_GONE = _(
    "The row of the differing unit waits no longer or says otherwise since, so its name cannot be taken over. Let it"
    " deliver the row again, or choose another finding."
)
VERIFIED = _(
    "The person has verified the name on file with an identity document, so the number of the row is probably that of"
    " somebody else. Compare it with the document."
)


def _context(user: User, row: QuarantinedRow, reason: str) -> AbstractContextManager[dict[str, Any]]:
    return audit.context(actor=user, door=Door.DESK, reason=reason, agency_id=row.feed.agency_id)


def _named(row: QuarantinedRow) -> tuple[Subject, str]:
    """The person of a row, held until the end of the transaction, and the name the row gives."""
    plan = plan_for(row.feed, dated_on=day_of(row.batch))
    cells = msgspec.json.decode(row.cells or "{}", type=dict[str, str])
    prepared = prepared_row(row, plan, cells)
    name = _name_in(cells, plan, row)
    keys = [key for key in prepared.subjects.values() if key.kind == SubjectKind.PERSON]
    if len(prepared.rows) != 1 or len(keys) != 1 or keys[0].name_index != name_index(name):
        raise Invalid.in_field("", "row_gone", ROW_GONE)
    subject = Subject.objects.select_for_update(no_key=True).filter(number_index=keys[0].number_index).first()
    if subject is None or bytes(subject.name_index) == keys[0].name_index:
        raise Invalid.in_field("", "row_gone", ROW_GONE)
    return subject, name


def _name_in(cells: dict[str, str], plan: Plan, row: QuarantinedRow) -> str:
    item = plan.by_role[FieldRole.SUBJECT_NAME]
    return clean([delivered_by_field(cells, plan.fields, row.feed).get(item.code, "")])[0]


def _correct(subject: Subject, name: str, row: QuarantinedRow) -> None:
    """Write the name, tell every peer that has a record of the person, and the person."""
    if RealNameBinding.objects.filter(subject=subject).exists():
        raise Invalid.in_field("", "name_verified", VERIFIED)
    Subject.objects.filter(pk=subject.pk).update(name_sealed=name, name_index=name_index(name))
    records = CreditRecord.objects.filter(subject=subject, state__in=STANDING).order_by("pk")
    if keys := list(records.values_list("pk", flat=True)):
        ChangeNote.objects.create(kind=ChangeKind.CORRECTED, record_ids=keys, at=timezone.now())
    text, text_en = wording.in_both(partial(_letter, row.feed.agency))
    write_notice(
        addressee=bytes(subject.number_index), code="name_corrected", text=text, text_en=text_en, about=f"name:{row.pk}"
    )


def _letter(agency: Agency) -> str:
    return str(LETTER % {"agency": agency.label})
