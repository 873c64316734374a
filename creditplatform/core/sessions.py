"""Where an account is signed in: when it signed in and with what sort of device, never from which address."""

from dataclasses import dataclass
from datetime import datetime

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from creditplatform.core.models import User

NO_ADDRESS = "::"  # the library's column wants one; ours says nothing
OTHER = "other"
# The first that stands in what a browser says of itself; many name several for the sake of old pages.
BROWSERS: tuple[tuple[str, str, str | Promise], ...] = (
    ("micromessenger", "wechat", _("WeChat")),
    ("alipayclient", "alipay", _("Alipay")),
    ("edg", "edge", "Edge"),
    ("firefox", "firefox", "Firefox"),
    ("huaweibrowser", "huawei", _("Huawei browser")),
    ("chrome", "chrome", "Chrome"),
    ("safari", "safari", "Safari"),
)
SYSTEMS: tuple[tuple[str, str, str | Promise], ...] = (
    ("harmony", "harmony", "HarmonyOS"),
    ("android", "android", "Android"),
    ("iphone", "iphone", "iPhone"),
    ("ipad", "ipad", "iPad"),
    ("windows", "windows", "Windows"),
    ("mac os", "macos", "macOS"),
    ("linux", "linux", "Linux"),
)
BROWSER_LABELS = {code: label for _mark, code, label in BROWSERS} | {OTHER: _("another browser")}
SYSTEM_LABELS = {code: label for _mark, code, label in SYSTEMS} | {OTHER: _("another device")}


@dataclass(frozen=True)
class SignedIn:
    """One browser in which an account is signed in."""

    number: int
    since: datetime
    browser: str | Promise
    system: str | Promise
    current: bool


def remember(request: HttpRequest, user: User) -> None:
    """Note that this browser is signed in; of the browser only its family is kept."""
    if not request.session.session_key:
        request.session.save()
    said = request.META.get("HTTP_USER_AGENT", "").lower()
    UserSession.objects.update_or_create(
        session_key=request.session.session_key,
        defaults={"user": user, "ip": NO_ADDRESS, "user_agent": f"{_family(said, BROWSERS)} {_family(said, SYSTEMS)}"},
    )


def _family(said: str, known: tuple[tuple[str, str, str | Promise], ...]) -> str:
    return next((code for mark, code, _label in known if mark in said), OTHER)


def sessions_of(request: HttpRequest, user: User) -> list[SignedIn]:
    """Where the account is signed in now, this browser first; two queries."""
    rows = UserSession.objects.filter(user_id=user.pk).order_by("-created_at")
    alive = set(
        Session.objects.filter(
            session_key__in=[row.session_key for row in rows], expire_date__gt=timezone.now()
        ).values_list("session_key", flat=True)
    )
    found = [_signed_in(row, request.session.session_key) for row in rows if row.session_key in alive]
    return sorted(found, key=lambda one: not one.current)


def _signed_in(row: UserSession, key: str | None) -> SignedIn:
    browser, _space, system = row.user_agent.partition(" ")
    return SignedIn(
        row.pk,
        row.created_at,
        BROWSER_LABELS.get(browser, BROWSER_LABELS[OTHER]),
        SYSTEM_LABELS.get(system, SYSTEM_LABELS[OTHER]),
        current=row.session_key == key,
    )


def end_session(user: User, number: int) -> bool:
    """Sign the account out of one browser; whether there was such a sign-in of this account."""
    row = UserSession.objects.filter(user_id=user.pk, pk=number).first()
    if row is not None:
        row.end()
    return row is not None


def end_sessions(user: User, *, but: str | None = None) -> int:
    """Sign the account out everywhere, but for one session; gives how many were ended."""
    rows = list(UserSession.objects.filter(user_id=user.pk).exclude(session_key=but or ""))
    for row in rows:
        row.end()
    return len(rows)
