"""Check of many persons: submitted → approved or refused by a second person → being checked → checked → removed.

Purposes that ask for no approval are let pass at once. The results go on the day that the rule value says.
"""

import datetime

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import FieldProblem
from creditplatform.core.models import User
from creditplatform.core.rules import load_rulebook
from creditplatform.core.workflow import Data, Step, Workflow, platform
from records.enums import BatchCheckState
from records.models import BatchCheck
from records.workflows.query import (
    asker,
    note_decision,
    note_refusal,
    platform_where_no_approval,
    second_person,
    words_given,
)

KEEP_DAYS = "batch_check.keep_days"

# --- what must be there -------------------------------------------------------------------------


def all_answered(case: BatchCheck, data: Data) -> FieldProblem | None:
    """Every row has its answer, or the reason why it has none."""
    return None if case.checked == case.rows else FieldProblem("", "rows_left", _("There are rows left to check."))


def kept_long_enough(case: BatchCheck, data: Data) -> FieldProblem | None:
    """The day has come on which results are removed."""
    on = data.get("on") or timezone.localdate()
    if case.keep_until and case.keep_until <= on:
        return None
    return FieldProblem("", "kept_still", _("The results are still kept."))


# --- what happens -------------------------------------------------------------------------------


def note_end(case: BatchCheck, user: User | None, data: Data) -> None:
    """When it was done, and the day on which its results are removed."""
    case.done_at = timezone.now()
    today = timezone.localdate(case.done_at)
    days: int = load_rulebook().value(KEEP_DAYS, today, case.agency.site.code)
    case.keep_until = today + datetime.timedelta(days=days)


def note_fetched(case: BatchCheck, user: User | None, data: Data) -> None:
    """Up to which row the answers were handed out, so that a second time is told from the first."""
    case.fetched_up_to = max(case.fetched_up_to, data["up_to"])


def remove_answers(case: BatchCheck, user: User | None, data: Data) -> None:
    """The answers of the rows go; counts and steps stay. The file goes once this is committed."""
    case.results.all().delete()
    case.file = case.file_name = ""


def note_stop(case: BatchCheck, user: User | None, data: Data) -> None:
    """Why it could not be answered; when it was approved stays."""
    case.refusal = data["words"][:300]


def forget_file(case: BatchCheck, user: User | None, data: Data) -> None:
    """A refused check needs no file. The file goes once this is committed."""
    case.file = case.file_name = ""


S = BatchCheckState
BATCH_CHECK: Workflow[BatchCheck] = Workflow(
    name="batch_check",
    title=_("Check of many persons"),
    states=BatchCheckState,
    initial=S.SUBMITTED,
    final=frozenset({S.REFUSED, S.CLEARED}),
    steps=(
        Step(
            "approve", _("Approve"), frozenset({S.SUBMITTED}), S.CHECKING, by=second_person, effects=(note_decision,),
        ),
        Step(
            "let_pass", _("Approve"), frozenset({S.SUBMITTED}), S.CHECKING, by=platform_where_no_approval,
            effects=(note_decision,),
        ),
        Step(
            "refuse", _("Refuse"), frozenset({S.SUBMITTED}), S.REFUSED, by=second_person,
            needs=(words_given,), effects=(note_refusal, forget_file),
        ),
        Step(
            "finish", _("Finish"), frozenset({S.CHECKING}), S.DONE, by=platform,
            needs=(all_answered,), effects=(note_end,),
        ),
        Step(
            "stop", _("Stop"), frozenset({S.CHECKING}), S.REFUSED, by=platform, needs=(words_given,),
            effects=(note_stop, remove_answers),
        ),
        Step("fetch", _("Fetch the results"), frozenset({S.DONE}), S.DONE, by=asker, effects=(note_fetched,)),
        Step(
            "clear", _("Remove the results"), frozenset({S.DONE}), S.CLEARED, by=platform,
            needs=(kept_long_enough,), effects=(remove_answers,),
        ),
    ),
)  # fmt: skip
