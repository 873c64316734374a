"""Feed batch: received → checking → applied or partly quarantined → corrected → closed.

A file whose columns are not all known waits in `mapping` until the unit has said which is which; one that is not at
its end may be cancelled, and what was applied before stays.

A file that cannot be read as a table is refused with the reason. Clocks do not run here; a batch
that a crash left behind is taken up again, since `checking` may be entered from itself.
"""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core import wording
from creditplatform.core.enums import Role
from creditplatform.core.errors import FieldProblem
from creditplatform.core.models import User
from creditplatform.core.workflow import Data, Step, Workflow, platform
from records.enums import BatchState, RowState
from records.models import FeedBatch

# --- who ---------------------------------------------------------------------------------------


def staff_of_the_unit(batch: FeedBatch, user: User | None) -> bool:
    """Clerks and officers of the unit whose feed it is."""
    working = {Role.CLERK, Role.OFFICER, Role.SUPERVISOR}
    return user is not None and any(
        m.agency_id == batch.feed.agency_id and m.role in working for m in user.memberships_in_force
    )


def the_unit(batch: FeedBatch, user: User | None) -> bool:
    """Staff of the unit, or its machine client, which bears no user; the service has asked whose client it is."""
    return user is None or staff_of_the_unit(batch, user)


def staff_or_platform(batch: FeedBatch, user: User | None) -> bool:
    """The unit, or the platform when the last row that waited is closed."""
    return user is None or staff_of_the_unit(batch, user)


# --- what must be there -------------------------------------------------------------------------


def nothing_left_open(batch: FeedBatch, data: Data) -> FieldProblem | None:
    """No row waits for correction any more."""
    if batch.rows.filter(state=RowState.OPEN).exists():
        return FieldProblem("", "rows_open", _("Some rows still wait for correction."))
    return None


def reason_known(batch: FeedBatch, data: Data) -> FieldProblem | None:
    """A refusal names its error."""
    return None if data.get("error") else FieldProblem("error", "required", _("Name the error."))


# --- what happens -------------------------------------------------------------------------------


def finish(batch: FeedBatch, user: User | None, data: Data) -> None:
    """Date the end."""
    batch.finished_at = timezone.now()


def note_error(batch: FeedBatch, user: User | None, data: Data) -> None:
    """Keep why the file was refused."""
    error = data["error"]
    batch.finished_at, batch.error_code = timezone.now(), error.code
    batch.error_message, batch.error_message_en = wording.in_both(lambda: error.message[:500])


def note_form(batch: FeedBatch, user: User | None, data: Data) -> None:
    """Keep in which form the file came."""
    for name in ("format", "encoding", "notes", "columns", "dated_on"):
        if name in data:
            setattr(batch, name, data[name])


def take_up_soon(batch: FeedBatch, user: User | None, data: Data) -> None:
    """A worker looks after the batch again."""
    batch.due_at = timezone.now()


S = BatchState
FEED_BATCH: Workflow[Any] = Workflow(
    name="feed_batch",
    title=_("Feed batch"),
    states=BatchState,
    initial=S.RECEIVED,
    final=frozenset({S.CLOSED, S.REFUSED, S.CANCELLED}),
    steps=(
        Step("check", _("Check"), frozenset({S.RECEIVED, S.CHECKING}), S.CHECKING, by=platform, effects=(note_form,)),
        Step("apply", _("Apply"), frozenset({S.CHECKING}), S.APPLIED, by=platform, effects=(finish,)),
        Step(
            "apply_partly", _("Apply, some rows set aside"), frozenset({S.CHECKING}), S.PARTLY_QUARANTINED,
            by=platform, effects=(finish,),
        ),
        Step(
            "ask_columns", _("Ask which column is which field"), frozenset({S.RECEIVED, S.CHECKING}), S.MAPPING,
            by=platform, effects=(note_form,),
        ),
        Step(
            "confirm_columns", _("Confirm the columns"), frozenset({S.MAPPING}), S.RECEIVED,
            by=the_unit, effects=(take_up_soon,),
        ),
        Step(
            "cancel", _("Cancel"), frozenset({S.RECEIVED, S.CHECKING, S.MAPPING}), S.CANCELLED,
            by=the_unit, effects=(finish,),
        ),
        Step(
            "refuse", _("Refuse the file"), frozenset({S.RECEIVED, S.CHECKING, S.MAPPING}), S.REFUSED,
            by=platform, needs=(reason_known,), effects=(note_error,),
        ),
        Step(
            "correct", _("All rows corrected"), frozenset({S.PARTLY_QUARANTINED}), S.CORRECTED,
            by=staff_or_platform, needs=(nothing_left_open,),
        ),
        Step(
            "reopen", _("A row waits again"), frozenset({S.CORRECTED}), S.PARTLY_QUARANTINED, by=staff_of_the_unit,
        ),
        Step("close", _("Close"), frozenset({S.APPLIED, S.CORRECTED}), S.CLOSED, by=staff_of_the_unit),
    ),
)  # fmt: skip
