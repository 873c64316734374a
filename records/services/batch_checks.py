"""Checks of many persons: take the file in, have it approved, work it off, remove the results when their day comes."""

import datetime
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import Conflict, CreditError, Invalid, NotFoundHere
from creditplatform.core.identity import IdentifierKind
from creditplatform.core.models import Agency, ApiClient, User
from records.enums import BatchCheckState, QueryKind
from records.identifiers import Identifier, checked_person, name_index
from records.models import Authorisation, BatchCheck, BatchCheckRow, HumanReview, Purpose, Subject
from records.queries.answered import must_stand
from records.queries.batch import AskedRow, run_check
from records.queries.grants import NotAuthorised, PurposeNotOpen, permitted_purpose
from records.services import check_files, human_review
from records.services.machines import KeyUsed, one_at_a_time
from records.services.queries import case_problems
from records.workflows.batch_check import BATCH_CHECK

LOCK_SPACE = 0x43484B53
AGAIN = _("Check this list once more")
MOST_REMOVED = 100
log = structlog.get_logger(__name__)


class CheckedAlready(Conflict):
    """The same list was checked for the same case, and its answers are kept still (HTTP 409)."""

    default_code = "checked_already"
    default_message = _(
        "This very list was sent for this case on %(day)s, and its answers can still be fetched. Checking it again"
        " takes another use of every consent: tick “%(again)s” if that is meant, and choose the file anew."
    )


def submit(
    *, agency: Agency, user: User, purpose: str, case_number: str, blocks: Iterable[bytes], file_name: str,
    again: bool = False,
) -> BatchCheck:  # fmt: skip
    """Register a check of many persons; where the purpose asks for no approval it is ready to be worked off.

    `again` checks a list once more that was checked for the same case, which takes another use of every consent.
    Must run in an audit context. Raises PurposeNotOpen; CheckedAlready without `again`; Invalid, FeedFileError, NoRoom
    for the file.
    """
    wanted = open_purpose(purpose, agency)
    if problems := case_problems(case_number):
        raise Invalid(problems)
    name, rows, index = check_files.take_in(blocks)
    try:
        if not again:
            _refuse_second(agency, wanted, case_number, index)
    except CheckedAlready:
        check_files.remove(name)
        raise
    about = {"agency": agency, "asked_by": user, "file_name": Path(file_name).name[:200], "list_index": index}
    return _register(wanted, case_number, name, rows, about)


def _refuse_second(agency: Agency, purpose: Purpose, case_number: str, index: bytes) -> None:
    same = BatchCheck.objects.filter(agency=agency, purpose=purpose, case_number=case_number.strip()[:60])
    standing = same.exclude(state__in=[BatchCheckState.REFUSED, BatchCheckState.CLEARED]).filter(list_index=index)
    found = standing.order_by("-pk").first()
    if found is not None:
        raise CheckedAlready(day=timezone.localdate(found.asked_at).isoformat(), again=AGAIN)


def submit_list(
    *, agency: Agency, client: ApiClient, purpose: str, case_number: str, people: Sequence[AskedRow], key: str = ""
) -> tuple[BatchCheck, bool]:
    """Register a check of a list that a system of the unit sent, and whether it is new: a key is taken once.

    Must run in an audit context. Raises PurposeNotOpen, Invalid, NoRoom; KeyUsed where the key stands for another list.
    """
    wanted = open_purpose(purpose, agency)
    if problems := case_problems(case_number):
        raise Invalid(problems)
    if key:
        one_at_a_time(client, key)
        found = BatchCheck.objects.filter(client=client, key=key).first()
        if found:
            if (found.purpose_id, found.case_number) != (purpose, case_number.strip()[:60]) or _others(found, people):
                raise KeyUsed
            return found, False
    name = check_files.keep_list(people)
    return _register(wanted, case_number, name, len(people), {"agency": agency, "client": client, "key": key}), True


def _others(batch: BatchCheck, people: Sequence[AskedRow]) -> bool:
    """Whether a list names others than the batch; once its rows are removed their number has to do."""
    if not batch.file:
        return batch.rows != len(people)
    kept = [tuple(line.cells) for line in check_files.rows_of(batch)]
    return kept != [(one.name, one.number, one.kind) for one in people]


def open_purpose(code: str, agency: Agency) -> Purpose:
    """The purpose, where the unit may ask under it whether records are clean. Raises PurposeNotOpen."""
    wanted = permitted_purpose(code, agency)
    if not wanted.gives_eligibility:
        raise PurposeNotOpen
    return wanted


def _register(wanted: Purpose, case_number: str, name: str, rows: int, about: dict[str, Any]) -> BatchCheck:
    case = case_number.strip()[:60]
    try:
        with transaction.atomic():
            batch = BatchCheck.objects.create(
                purpose=wanted, kind=QueryKind.ELIGIBILITY, case_number=case, file=name, rows=rows, **about
            )
            return batch if wanted.needs_approval else BATCH_CHECK.take("let_pass", batch, user=None)
    except BaseException:
        check_files.remove(name)
        raise


def approve(*, batch: BatchCheck, user: User) -> BatchCheck:
    """Let a check pass, as a second person; it is ready to be worked off. Raises NotPermitted, Conflict."""
    return BATCH_CHECK.take("approve", batch, user=user)


def turn_down(*, batch: BatchCheck, user: User, words: str) -> BatchCheck:
    """Refuse a check with the reason; its file goes. Raises NotPermitted, Conflict, Invalid."""
    return _without_file("refuse", batch, user, words=words)


def work_off(batch: BatchCheck) -> BatchCheck:
    """Answer what has no answer yet and finish; after a crash it goes on where it was left.

    One worker per check: a second one raises Conflict. What cannot be answered at all (the purpose was taken out of
    force, the file is gone) stops the check with the reason.
    """
    with _only_worker(batch.pk):
        found = BatchCheck.objects.select_related("purpose__legal_basis", "agency__site", "asked_by").get(pk=batch.pk)
        if found.state != BatchCheckState.CHECKING:
            return found
        try:
            permitted_purpose(found.purpose.code, found.agency)
            door = Door.API if found.client_id else Door.DESK
            run_check(found, check_files.asked_rows(found), door=door)
        except (CreditError, FileNotFoundError) as error:
            return _stop(found, error)
        with audit.context(actor=None, door=Door.TIMER, reason="batch check done", agency_id=found.agency_id):
            return BATCH_CHECK.take("finish", found, user=None)


def unfinished() -> list[int]:
    """Checks that are to be worked off or went on when their worker died."""
    waiting = BatchCheck.objects.filter(state=BatchCheckState.CHECKING).exclude(file="").order_by("pk")
    return list(waiting.values_list("pk", flat=True)[:50])


def clear_due(*, on: datetime.date, door: Door) -> int:
    """Remove results and files whose day has come; how many checks."""
    due = BatchCheck.objects.filter(state=BatchCheckState.DONE, keep_until__lte=on).order_by("pk")
    ids = list(due.values_list("pk", flat=True)[:MOST_REMOVED])
    for pk in ids:
        with audit.context(actor=None, door=door, reason="batch results kept long enough"):
            _without_file("clear", BatchCheck.objects.get(pk=pk), None, on=on)
    return len(ids)


def send_to_person(*, batch: BatchCheck, user: User, row_number: int, words: str = "") -> HumanReview:
    """Put the answer of a row before somebody else of the unit, while consent lasts and its records stand.

    Raises NotFoundHere, Invalid for a row without an answer, AnswerOutdated, NotAuthorised, Conflict.
    """
    row = BatchCheckRow.objects.filter(batch=batch, row_number=row_number).exclude(outcome="").first()
    if batch.state != BatchCheckState.DONE or batch.asked_by_id != user.pk:
        raise NotFoundHere
    if row is None:
        raise Invalid.in_field(
            "row", "no_answer", _("No row of this number has an answer: see the numbers in the results.")
        )
    must_stand(row.records, batch.begun_at)
    person, name = _person_of(batch, row_number)
    return human_review.request_review(
        subject_id=Subject.objects.by_number(person.blind_index).values_list("pk", flat=True).first(),
        number_index=person.blind_index,
        agency=batch.agency,
        purpose=batch.purpose,
        case_number=f"{batch.case_number[: 59 - len(str(row_number)) - 1]} #{row_number}",
        outcome=row.outcome,
        reasons=row.reasons,
        records=row.records,
        user=user,
        looked_by=batch.asked_by,
        authorisation=_consent_of(batch, person, name) if batch.purpose.needs_consent else None,
        words=words,
        batch=batch,
        row_number=row_number,
    )


def decisions(batch: BatchCheck) -> dict[int, HumanReview]:
    """What became of answers of a check that were put before a person: the last review of each row, by its number."""
    return {one.row_number or 0: one for one in HumanReview.objects.filter(batch=batch).order_by("pk")}


def name_in_row(batch: BatchCheck, row_number: int) -> str:
    """The name of a row as it was sent; empty once the file is gone."""
    if not batch.file:
        return ""
    return next((row.name for row in check_files.asked_rows(batch) if row.row_number == row_number), "")


def _person_of(batch: BatchCheck, row_number: int) -> tuple[Identifier, str]:
    row = next((row for row in check_files.asked_rows(batch) if row.row_number == row_number), AskedRow(0, "", ""))
    return checked_person(row.name, row.kind or IdentifierKind.RESIDENT_ID, row.number), row.name


def _consent_of(batch: BatchCheck, person: Identifier, name: str) -> Authorisation:
    """The consent of the person that the check has used: of those still lasting the one that ends first."""
    used = Authorisation.objects.filter(
        agency=batch.agency_id, purpose=batch.purpose_id, number_index=person.blind_index, name_index=name_index(name),
        uses__gt=0,
    ).order_by("expires_at", "pk")  # fmt: skip
    found = next((one for one in used if one.lasts_at(timezone.now())), None)
    if found is None:
        raise NotAuthorised
    return found


def _stop(batch: BatchCheck, error: Exception) -> BatchCheck:
    code = error.code if isinstance(error, CreditError) else "file_gone"
    log.warning("batch_check_stopped", batch=batch.pk, code=code)
    words = str(error) if isinstance(error, CreditError) else _("The file of this check is gone. Please send it again.")
    with audit.context(actor=None, door=Door.TIMER, reason="batch check stopped", agency_id=batch.agency_id):
        return _without_file("stop", batch, None, words=words)


def _without_file(step: str, batch: BatchCheck, user: User | None, **data: Any) -> BatchCheck:
    name = batch.file
    with transaction.atomic():
        taken = BATCH_CHECK.take(step, batch, user=user, **data)
        transaction.on_commit(lambda: check_files.remove(name), robust=True)
    return taken


@contextmanager
def _only_worker(batch_id: int) -> Iterator[None]:
    """Hold the check for this session; the lock dies with the process, so a killed worker frees it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, batch_id])
        if not cursor.fetchone()[0]:
            raise Conflict("batch_busy", _("This check is being worked off already."))
        try:
            yield
        finally:
            if not cursor.closed and connection.is_usable():
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, batch_id])
