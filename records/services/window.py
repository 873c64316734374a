"""At the window: an official who has the person and the papers in front of them binds accounts, and helps back in.

One official binds a fresh account. What opens an account to whoever holds it needs two, see
`records.services.window_requests`. Every act is written into the person's access log and told to the person. All of it
must run in an audit context. Refusals sound alike whether or not anybody is on file.
"""

import secrets
from functools import cache

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core import limits, paper_codes, sessions
from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import Authority, Door
from creditplatform.core.errors import FieldProblem, Invalid, NotPermitted
from creditplatform.core.models import Agency, User
from creditplatform.core.notices import write_notice
from records.enums import OwnPurpose, SeenPapers, WindowAct
from records.identifiers import Identifier, checked_person
from records.models import RealNameBinding, RecoveryCode, Subject
from records.models.subject import WINDOW
from records.models.window import MOST_WRONG
from records.services.realname import ComeToTheWindow, attach
from records.window import window_of

ATTEMPTS, SECONDS = 10, 3600
SEEN = ("name", "number")
TEXTS = {
    WindowAct.BIND: (
        "信用中心窗口已核验您的证件，并将一个账号与您本人绑定。如非本人办理，请立即联系信用中心。",
        "An official of the credit centre has seen your papers and bound an account to you. If it was not you, please"
        " tell the credit centre at once.",
    ),
    WindowAct.MOVE: (
        "信用中心窗口已核验您的证件，解除了您原账号的绑定，并绑定了新账号。如非本人办理，请立即联系信用中心。",
        "An official of the credit centre has seen your papers, ended the binding of your older account and bound a new"
        " one. If it was not you, please tell the credit centre at once.",
    ),
    WindowAct.CODE: (
        "信用中心窗口已核验您的证件，为您的账号签发了一次性恢复码。如非本人办理，请立即联系信用中心。",
        "An official of the credit centre has seen your papers and issued a recovery code for your account. If it was"
        " not you, please tell the credit centre at once.",
    ),
}
USED = (
    "您的账号已使用恢复码设置了新密码，其他登录均已退出。如非本人操作，请立即联系信用中心。",
    "A new password was set for your account with a recovery code, and it was signed out everywhere else. If it was not"
    " you, please tell the credit centre at once.",
)


def bind_at_window(
    *, official: User, user: User, name: str, kind: str, number: str, papers: SeenPapers
) -> RealNameBinding:
    """Bind an account to the person whose papers were seen.

    Raises NotPermitted for whoever does not serve at a window or would bind their own account; Invalid, in the same
    words for every cause, where it cannot be done.
    """
    permit(official, user)
    wanted = checked_person(name, kind, number)
    with transaction.atomic():
        binding = bind_to(official, user, name, wanted, papers)
        tell(official, binding.subject, WindowAct.BIND, about=f"binding:{binding.pk}")
        return binding


def bind_to(official: User, user: User, name: str, wanted: Identifier, papers: str) -> RealNameBinding:
    """Bind an account that is nobody else's to the person of this number. Raises Invalid."""
    bound = RealNameBinding.objects.filter(user=user).select_related("subject").first()
    if bound is not None:
        if bytes(bound.subject.number_index) != wanted.blind_index:
            raise not_done()
        return bound
    try:
        return attach(user, name, wanted, adapter=WINDOW, bound_by=official, papers=papers)
    except ComeToTheWindow as error:
        raise not_done() from error


def recover(*, username: str, code: str, password: str, client: str = "") -> User:
    """Set a new password with a code from the window; the second factor and every session end with it.

    Raises Invalid: about the password where that is too weak, else in the same words for an unknown account, a wrong,
    used or late code, and too many attempts.
    """
    if problems := _weak(password, None):
        raise Invalid(problems)
    user = User.objects.filter(username__iexact=username, is_active=True).first()
    if _too_often(username, client):
        raise _wrong_code()
    with transaction.atomic():  # a password refused for the account leaves the code unused
        if (right := _take_code(user, code)) and (problems := _weak(password, user)):
            raise Invalid(problems)
    if user is None or not right:
        raise _wrong_code()
    user.set_password(password)
    user.save(update_fields=["password"])
    user.authenticator_set.all().delete()  # type: ignore[attr-defined]
    sessions.end_sessions(user)
    binding = RealNameBinding.objects.filter(user=user).select_related("subject").first()
    if binding is not None:
        write_notice(
            addressee=bytes(binding.subject.number_index),
            code="account_recovered",
            text=USED[0],
            text_en=USED[1],
            about=f"recovered:{timezone.now().isoformat()}",
        )
    return user


def _take_code(user: User | None, code: str) -> bool:
    """Whether this is the open code of the account; it is closed by being right, and by the fifth wrong one.

    A code is hashed in every case, so that time does not tell whether there is such an account.
    """
    given = "".join(character for character in code.upper() if character in paper_codes.LETTERS)
    with transaction.atomic():
        open_codes = RecoveryCode.objects.select_for_update(of=("self",)).filter(user=user, closed_at=None)
        row = open_codes.filter(expires_at__gt=timezone.now()).first()
        right = check_password(given, row.code_hash if row else _no_code())
        if row is None:
            return False
        if right:
            row.used_at = row.closed_at = timezone.now()
        else:
            row.wrong_codes += 1
            row.closed_at = timezone.now() if row.wrong_codes == MOST_WRONG else None
        row.save(update_fields=["used_at", "closed_at", "wrong_codes"])
    return right


@cache
def _no_code() -> str:
    """The hash of a code nobody has."""
    return make_password(secrets.token_hex(16))


def _weak(password: str, user: User | None) -> list[FieldProblem]:
    try:
        validate_password(password, user)
    except ValidationError as error:
        return [FieldProblem("password", "weak", message) for message in error.messages]
    return []


def _too_often(username: str, client: str) -> bool:
    of_account = limits.count(f"recover:{limits.hidden(username.lower())}", SECONDS)
    of_client = limits.count(f"recover-client:{client}", SECONDS) if client else 0
    return of_account > ATTEMPTS or of_client > 3 * ATTEMPTS


def permit(official: User, user: User) -> Agency:
    """The credit centre at whose window the official serves. Raises NotPermitted, also for the own account."""
    agency = window_of(official)
    if official.pk == user.pk or agency is None:
        raise NotPermitted
    return agency


def look(official: User, person: int, *, case_number: str = "", purpose: OwnPurpose = OwnPurpose.WINDOW) -> None:
    """Into the access log of the person: an official sees name and number, or carries out an act for them."""
    record_disclosure(
        subject_ref=person,
        actor=official,
        agency=window_of(official),
        purpose=purpose,
        authority=Authority.DUTY,
        fields=SEEN,
        case_number=case_number,
        door=Door.DESK,
    )


def tell(official: User, subject: Subject, act: WindowAct, *, about: str, case_number: str = "") -> None:
    """Into the access log of the person that an act was carried out, and a letter to them."""
    look(official, subject.pk, case_number=case_number, purpose=OwnPurpose.WINDOW_ACT)
    text, text_en = TEXTS[act]
    write_notice(
        addressee=bytes(subject.number_index), code=f"window_{act.value}", text=text, text_en=text_en, about=about
    )


def not_done() -> Invalid:
    """The one refusal, whatever the cause and whoever is on file."""
    sentence = _(
        "This could not be done. Compare account, name and number with the papers. If all of them are right, the person"
        " may have another account already (choose that it was lost), the account may be another person's, or the name"
        " on file may need correction first."
    )
    return Invalid([FieldProblem("", "not_done", sentence)], code="not_done", message=sentence)


def _wrong_code() -> Invalid:
    sentence = _(
        "User name and code do not fit together, or the code has ended or been used. Please ask for a new one."
    )
    return Invalid([FieldProblem("", "wrong_code", sentence)], code="wrong_code", message=sentence)
