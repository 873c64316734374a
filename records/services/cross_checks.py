"""Ask two units that disagree, take their answers, note how it ended."""

from typing import Any

from django.db import transaction

from creditplatform.core import audit, outbox
from creditplatform.core.enums import Door
from creditplatform.core.errors import NotPermitted
from creditplatform.core.models import User
from records.enums import CrossCheckKind, CrossCheckState, Finding, RecordState
from records.models import CrossCheck
from records.services.names import correct_from_check
from records.services.tied_again import tie_from_record
from records.workflows.cross_check import CROSS_CHECK

ANSWERING = ("answer", "answer_too")


def subscribe() -> None:
    """Listen for new differences; called once when the app is ready."""
    outbox.subscribe("cross_checks.opened", "records.cross_checks", ask_units)


def ask_units(payload: dict[str, Any]) -> None:
    """Ask both units of every new difference: it stands on their desks with a day to answer by."""
    opened = CrossCheck.objects.filter(state=CrossCheckState.OPENED).order_by("pk")
    for check in opened.select_for_update(of=("self",), skip_locked=True, no_key=True):
        CROSS_CHECK.take("ask", check, user=None)


def answer(*, check: CrossCheck, user: User, answer: str) -> CrossCheck:
    """What the person's unit says of its own statement. Raises NotPermitted, Conflict or Invalid."""
    step = next((one.name for one in CROSS_CHECK.available(check, user) if one.name in ANSWERING), "")
    if not step:
        raise NotPermitted
    return _take(step, check, user, answer=answer)


def resolve(*, check: CrossCheck, user: User, finding: str) -> CrossCheck:
    """How the difference was cleared up: a name that proved right goes on file, a licence is laid in where it fits.

    Raises what the step raises, and Invalid where the name that proved right cannot be taken over.
    """
    with transaction.atomic():
        ended = _take("resolve", check, user, finding=finding)
        if ended.kind == CrossCheckKind.NAME and finding == Finding.SENDER_RIGHT:
            correct_from_check(ended, user)
        other = ended.other_record if ended.kind == CrossCheckKind.LICENCE else None
        if other and other.state != RecordState.REVOKED and finding != Finding.HOLDER_RIGHT:
            with audit.context(actor=user, door=Door.DESK, reason="cross-check resolved"):
                tie_from_record(other, ended.feed)
    return ended


def close(*, check: CrossCheck, user: User) -> CrossCheck:
    """It was no contradiction."""
    return _take("close", check, user)


def _take(step: str, check: CrossCheck, user: User, **data: Any) -> CrossCheck:
    with audit.context(actor=user, door=Door.DESK, reason=f"cross-check: {step}"):
        taken: CrossCheck = CROSS_CHECK.take(step, check, user=user, **data)
    return taken
