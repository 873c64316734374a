"""What needs two officials at the window: moving a binding to another account, and recovery codes.

The first enters what they have read from the papers, the second compares it with the same papers and has it carried
out. All of it must run in an audit context. Refusals sound alike whether or not anybody is on file.
"""

import datetime

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core import audit, paper_codes, sessions
from creditplatform.core.enums import Door
from creditplatform.core.errors import Conflict, NotPermitted
from creditplatform.core.models import User
from creditplatform.core.notices import write_notice
from records.enums import SeenPapers, WindowAct, WindowRequestState
from records.identifiers import Identifier, checked_person
from records.models import RealNameBinding, RecoveryCode, Subject, WindowRequest
from records.models.window import WINDOW_KIND
from records.services.window import bind_to, look, not_done, permit, tell
from records.window import is_person, may_be_done
from records.workflows.window_request import WINDOW_REQUEST, number_of

CODE_LENGTH, GROUP = 12, 4
REFUSED = (
    "信用中心窗口有人以您的名义申请账号换绑或密码恢复，经第二名工作人员核对后未予办理，您的账号没有变化。如非本人申请，请联系信用中心。",
    "Somebody asked at the window of the credit centre, in your name, to move your account or to set a new password. A"
    " second official refused it, and nothing has changed. If it was not you, please tell the credit centre.",
)


class WaitsAlready(Conflict):
    """Something waits for this account already (HTTP 409)."""

    default_code = "waits_already"
    default_message = _("For this account something waits for a second official already.")


def ask(
    *, official: User, user: User, act: WindowAct, name: str, kind: str, number: str, papers: SeenPapers
) -> WindowRequest:
    """Enter what is to be done and what was read from the papers; nothing is done before a second official confirms.

    Raises NotPermitted for whoever does not serve at a window, and for the own account or person; Invalid, in the same
    words for every cause, where it could not be done; WaitsAlready.
    """
    agency = permit(official, user)
    wanted = checked_person(name, kind, number)
    if is_person(official, wanted):
        raise NotPermitted
    if not may_be_done(act, user, name, wanted):
        raise not_done()
    now, person = timezone.now(), Subject.objects.by_number(wanted.blind_index).first()
    _lapse_of(user)
    try:
        with transaction.atomic():
            case = WindowRequest.objects.create(
                act=act, user=user, person=person, agency=agency, asked_kind=wanted.kind.value,
                asked_number=wanted.number, asked_name=name.strip(), papers=papers, requested_by=official,
                requested_at=now, expires_at=now + datetime.timedelta(minutes=settings.WINDOW_REQUEST_MINUTES),
            )  # fmt: skip
            if person is not None:
                look(official, person.pk, case_number=case.token)
    except IntegrityError as error:
        raise WaitsAlready from error
    return case


def confirm(*, case: WindowRequest, official: User, seen: bool) -> tuple[RecoveryCode, str] | None:
    """Carry it out, by the second official; a recovery code with its letters, which are given this once.

    `seen` says that the papers are before them, too. Raises Conflict where it is decided, NotPermitted, Invalid.
    """
    if case.state != WindowRequestState.REQUESTED:
        raise Conflict
    name, wanted = case.asked_name or "", number_of(case)  # gone with the decision
    with transaction.atomic():
        # Of two requests about one person the second sees what the first has changed.
        Subject.objects.by_number(wanted.blind_index).select_for_update(no_key=True).first()
        taken = WINDOW_REQUEST.take("confirm", case, user=official, seen=seen)
        if taken.act == WindowAct.CODE:
            return _issue_code(taken, official)
        _end_binding(wanted, but=taken.user)
        binding = bind_to(official, taken.user, name, wanted, taken.papers)
        tell(official, binding.subject, WindowAct.MOVE, about=f"binding:{binding.pk}", case_number=taken.token)
    return None


def refuse(*, case: WindowRequest, official: User, refusal: str) -> WindowRequest:
    """Refuse with the reason; the person, where one is on file, is told that somebody has tried."""
    taken = WINDOW_REQUEST.take("refuse", case, user=official, refusal=refusal)
    if taken.person is not None:
        write_notice(
            addressee=bytes(taken.person.number_index), code="window_refused", text=REFUSED[0], text_en=REFUSED[1],
            about=f"{WINDOW_KIND}:{taken.pk}",
        )  # fmt: skip
    return taken


def withdraw(*, case: WindowRequest, official: User) -> WindowRequest:
    """Take it back, as after a slip of the pen; only who entered it."""
    return WINDOW_REQUEST.take("withdraw", case, user=official)


def lapse_due(*, at: datetime.datetime, most: int = 1000) -> int:
    """Close what nobody has confirmed in time and forget what was read from papers; how many were closed.

    Nothing waits for it, since the end is asked of the clock. What somebody holds is left for the next time.
    """
    due = WindowRequest.objects.filter(state=WindowRequestState.REQUESTED, expires_at__lte=at).order_by("pk")
    rows = list(due.select_for_update(of=("self",), no_key=True, skip_locked=True)[:most])
    for case in rows:
        WINDOW_REQUEST.take("lapse", case, user=None, at=at)
    return len(rows)


def _lapse_of(user: User) -> None:
    """Make way where an older request of the account has ended, whether or not the timer has been."""
    over = WindowRequest.objects.filter(
        user=user, state=WindowRequestState.REQUESTED, expires_at__lte=timezone.now()
    ).first()
    if over is not None:
        WINDOW_REQUEST.take("lapse", over, user=None)


def _issue_code(case: WindowRequest, official: User) -> tuple[RecoveryCode, str]:
    """A recovery code for the account; an older open one is closed. Its hash alone is stored."""
    code = paper_codes.drawn(CODE_LENGTH)
    now = timezone.now()
    RecoveryCode.objects.filter(user=case.user, closed_at=None).update(closed_at=now)
    issued = RecoveryCode.objects.create(
        user=case.user,
        issued_by=official,
        papers=case.papers,
        code_hash=make_password(code),
        issued_at=now,
        expires_at=now + datetime.timedelta(minutes=settings.RECOVERY_CODE_MINUTES),
    )
    person = RealNameBinding.objects.select_related("subject").get(user=case.user).subject
    tell(official, person, WindowAct.CODE, about=f"recovery:{issued.pk}", case_number=case.token)
    return issued, "-".join(code[at : at + GROUP] for at in range(0, CODE_LENGTH, GROUP))


def _end_binding(wanted: Identifier, *, but: User) -> None:
    """End the binding of the person's older account and its ways in; history keeps who ended it.

    The identity platform may then be connected with the new account.
    """
    old = RealNameBinding.objects.filter(subject__number_index=wanted.blind_index).exclude(user=but)
    for binding in old.select_related("user"):
        with audit.context(actor=None, door=Door.DESK, reason="binding ended at the window"):
            binding.delete()
            RecoveryCode.objects.filter(user=binding.user, closed_at=None).update(closed_at=timezone.now())
        SocialAccount.objects.filter(user_id=binding.user_id).delete()
        sessions.end_sessions(binding.user)
