"""Links by which a person shows chosen parts of the own file once: made, withdrawn, opened with the code.

Link and code are told separately. The code is kept as a slow hash over a keyed one, so that neither the database nor
the key ring alone yields it. All of it must run in an audit context.
"""

import datetime
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from secrets import compare_digest

import structlog
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core import paper_codes
from creditplatform.core.enums import Authority, Door
from creditplatform.core.errors import Conflict, CreditError, FieldProblem, Invalid, NotPermitted
from creditplatform.core.models import User
from creditplatform.core.rules import load_rulebook
from creditplatform.core.vault import blind_index, pk_of_token
from records.bound import subject_of
from records.enums import OwnPurpose
from records.models import ShareLink, Subject
from records.models.authorisation import MOST_WRONG_CODES, SHARE_KIND
from records.queries.disclosure import Asker, Shown, disclose, register_refusal
from records.queries.grants import grant_by_link
from records.services.consent_notices import tell_closed, tell_opened

SHORTEST_HOURS, LONGEST_DAYS = "share_link.shortest_hours", "share_link.longest_days"
CODE_LENGTH = 8
# So long the browser that opened a link may send or load the page again: a double click, another language.
READING = datetime.timedelta(minutes=10)
READER_INDEXED_AS = "records.ShareLink.reader"
LONGEST_RECIPIENT = 200
log = structlog.get_logger(__name__)


class NotOpened(CreditError):
    """The link opens nothing with this code (HTTP 403): the same words whatever the cause."""

    http_status = 403
    default_code = "share_link_not_opened"
    default_message = _(
        "This link and this code open nothing. The code may be mistyped, or the link has ended, was withdrawn or was"
        " closed after wrong codes. Ask whoever gave it to you for a new one."
    )


class OpenedBefore(Conflict):
    """Link and code are right, and were used before; said only to somebody who has both."""

    default_code = "share_link_opened_before"
    default_message = _("This link was opened on %(time)s. It shows its content only once.")


@dataclass(frozen=True)
class Bounds:
    """How short and how long a link may live today."""

    shortest: datetime.timedelta
    longest: datetime.timedelta


@dataclass(frozen=True)
class Opened:
    """What a link showed, and until when the browser that opened it may show it again."""

    link: ShareLink
    records: list[Shown]
    until: datetime.datetime


def bounds() -> Bounds:
    """The bounds of a link's life, from the rule values. Raises RuleMissing."""
    book, today = load_rulebook(), timezone.localdate()
    return Bounds(
        datetime.timedelta(hours=book.value(SHORTEST_HOURS, today)),
        datetime.timedelta(days=book.value(LONGEST_DAYS, today)),
    )


def make(
    *, user: User, subject: Subject, fields: Sequence[str], lifetime: datetime.timedelta, recipient: str = ""
) -> tuple[ShareLink, str]:
    """Make a link and its code, which is told once and never again.

    Only the person makes one: no scope of a representation covers it. Raises NotPermitted, Invalid with everything
    that is missing.
    """
    if subject_of(user) != subject:
        raise NotPermitted
    if problems := _problems(fields, lifetime, recipient):
        raise Invalid(problems)
    code = paper_codes.drawn(CODE_LENGTH)
    now = timezone.now()
    link = ShareLink.objects.create(
        subject=subject, made_by=user, recipient=recipient.strip() or None, fields=sorted(set(fields)),
        code_hash=make_password(_keyed(code)), made_at=now, expires_at=now + lifetime,
    )  # fmt: skip
    return link, code


def revoke(*, link: ShareLink, user: User) -> ShareLink:
    """Withdraw a link; from now on it opens nothing. Raises NotPermitted, Conflict where it was opened already."""
    with transaction.atomic():
        locked = _locked(link.pk)
        if locked is None or subject_of(user) != locked.subject:
            raise NotPermitted
        if locked.opened_at:
            raise OpenedBefore(time=_minute(locked.opened_at))
        locked.revoked_at = locked.revoked_at or timezone.now()
        locked.save(update_fields=["revoked_at"])
    return locked


def open_link(*, token: str, code: str, user: User | None, reader: str = "") -> Opened:
    """Show what the person chose, once, to whoever has link and code; the locked row lets one of many in.

    `reader` is the mark of a browser: where it opened the link a moment ago, the page was sent twice, and is shown
    again. What is refused stays written, so the transaction must be kept. Raises NotOpened, OpenedBefore.
    """
    pk = pk_of_token(SHARE_KIND, token)
    with transaction.atomic():
        link = _locked(pk) if pk is not None else None
        asker = Asker(agency=None, user=user, door=Door.WEB)
        if link is not None and _is_read_by(link, reader):
            return _shown(link, asker)
        refusal = _refusal(link, _typed(code), asker)
        if link is not None and refusal is None:
            return _opened(link, asker, reader)
    raise refusal or NotOpened


def read_on(*, token: str, user: User | None, reader: str) -> Opened | None:
    """The same once more for the browser that opened it a moment ago, registered as a look; None for every other."""
    pk = pk_of_token(SHARE_KIND, token)
    link = ShareLink.objects.select_related("subject").filter(pk=pk).first() if pk is not None and reader else None
    if link is None or not _is_read_by(link, reader):
        return None
    with transaction.atomic():
        return _shown(link, Asker(agency=None, user=user, door=Door.WEB))


def is_live(link: ShareLink, at: datetime.datetime | None = None) -> bool:
    """Whether the right code would open it at that moment."""
    unused = link.opened_at is None and link.revoked_at is None
    return unused and link.wrong_codes < MOST_WRONG_CODES and (at or timezone.now()) < link.expires_at


def _opened(link: ShareLink, asker: Asker, reader: str) -> Opened:
    link.opened_at = timezone.now()
    if reader:
        link.reader_index = blind_index(reader, READER_INDEXED_AS)
    link.save(update_fields=["opened_at", "reader_index"])
    tell_opened(link)
    return _shown(link, asker)


def _shown(link: ShareLink, asker: Asker) -> Opened:
    return Opened(link, disclose(link.subject, grant_by_link(link), asker), _read_until(link))


def _read_until(link: ShareLink) -> datetime.datetime:
    return min((link.opened_at or link.made_at) + READING, link.expires_at)


def _is_read_by(link: ShareLink, reader: str) -> bool:
    """Whether this browser has opened it, and so lately that it may show it again."""
    if not reader or link.opened_at is None or link.reader_index is None:
        return False
    known = compare_digest(bytes(link.reader_index), blind_index(reader, READER_INDEXED_AS))
    return known and timezone.now() < _read_until(link)


def _refusal(link: ShareLink | None, code: str, asker: Asker) -> CreditError | None:
    """Why the link does not open, or None; checks a code in every case, so that time tells nothing either."""
    right = check_password(_keyed(code), link.code_hash if link else _no_code())
    if link is None:
        log.warning("share_link_unknown")
        return NotOpened()
    if right and is_live(link):
        return None
    if not right and is_live(link):
        link.wrong_codes += 1
        link.save(update_fields=["wrong_codes"])
        if link.wrong_codes == MOST_WRONG_CODES:
            tell_closed(link)
    _write_refusal(link, asker)
    return OpenedBefore(time=_minute(link.opened_at)) if right and link.opened_at else NotOpened()


@cache
def _no_code() -> str:
    """The hash of a code nobody has; made once, so that an unknown link costs what a known one does."""
    return make_password(_keyed(""))


def _write_refusal(link: ShareLink, asker: Asker) -> None:
    register_refusal(
        link.subject_id, asker, purpose=OwnPurpose.SHARE_LINK, authority=Authority.CONSENT, reference=link.token
    )


def _locked(pk: int) -> ShareLink | None:
    rows = ShareLink.objects.select_for_update(of=("self",), no_key=True).select_related("subject")
    return rows.filter(pk=pk).first()


def _keyed(code: str) -> str:
    return blind_index(code, "records.ShareLink.code").hex()


def _typed(code: str) -> str:
    """The code as it was meant: small and full-width letters and spaces between groups do no harm."""
    return "".join(unicodedata.normalize("NFKC", code).upper().split()).replace("-", "")


def _minute(moment: datetime.datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"


def _problems(fields: Sequence[str], lifetime: datetime.timedelta, recipient: str) -> list[FieldProblem]:
    problems, allowed = [], bounds()
    if not fields:
        problems.append(FieldProblem("fields", "required", _("Choose at least one kind of record.")))
    if not allowed.shortest <= lifetime <= allowed.longest:
        problems.append(FieldProblem("lifetime", "out_of_bounds", _("Choose one of the times offered.")))
    if len(recipient) > LONGEST_RECIPIENT:
        problems.append(FieldProblem("recipient", "too_long", _("Please say it in fewer words.")))
    return problems
