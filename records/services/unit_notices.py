"""What waits for a unit, told once a working day: on the desk, and by e-mail to members with an address."""

import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection
from django.db.models import Count, Min
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from creditplatform.core import audit, outbox
from creditplatform.core.calendars import load_calendar
from creditplatform.core.enums import Door
from creditplatform.core.errors import NotPermitted
from creditplatform.core.models import Agency, Membership, User
from creditplatform.core.wording import after_one_another, clauses, explained, full_stop, in_both
from creditplatform.core.workdays import YearNotAnnounced, is_working_day
from records.feeds.problems import sentence
from records.models import QuarantinedRow, UnitNotice
from records.querysets import WORKING, units_of

ROWS_WAIT = "rows_set_aside"
TOPIC, CONSUMER = "records.unit_notice", "records.unit_letter"
TOLD_AT = datetime.time(9)
SATURDAY, CODES_NAMED = 5, 3
COUNT = ngettext_lazy(
    "%(number)d row set aside waits for your unit, the oldest since %(day)s.",
    "%(number)d rows set aside wait for your unit, the oldest since %(day)s.",
    "number",
)
COMMONEST: Promise = _("Most often")
SUBJECT = "待更正记录提醒 / Rows set aside wait for your unit"
CODES = """
SELECT p ->> 'code', count(DISTINCT q.id) FROM records_quarantinedrow q JOIN records_feed f ON f.id = q.feed_id,
    jsonb_array_elements(q.problems) p
WHERE f.agency_id = %s AND q.state = 'open' AND q.created_at < %s GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %s
"""


def tell_units(*, now: datetime.datetime) -> int:
    """Tell every unit what waited for it at nine in the morning of a working day; returns how many were told.

    Once per unit and day, however often it is asked: the row that says so and the letters it asks for are one
    transaction per unit. A day whose calendar is not announced yet counts by its weekday.
    """
    day = timezone.localdate(now)
    nine = datetime.datetime.combine(day, TOLD_AT, timezone.get_default_timezone())
    if now < nine or not _worked(day):
        return 0
    waiting = QuarantinedRow.objects.waiting().filter(created_at__lt=nine).order_by()
    told = UnitNotice.objects.filter(code=ROWS_WAIT, day=day).values("agency")
    units = waiting.exclude(feed__agency__in=told).values("feed__agency")
    found = units.annotate(number=Count("pk"), since=Min("created_at"))
    return sum(_tell(unit["feed__agency"], day, nine, unit["number"], unit["since"]) for unit in found)


def notices_for(user: User) -> list[UnitNotice]:
    """Notices to the person's units of which nobody has taken note, the newest of each kind and unit."""
    notices = UnitNotice.objects.filter(agency__in=units_of(user), read_at=None).select_related("agency")
    return list(notices.order_by("agency_id", "code", "-day").distinct("agency_id", "code"))


def take_note(*, user: User, notice: UnitNotice) -> None:
    """A member of the unit has read it; older ones of the same kind are settled with it. Raises NotPermitted."""
    if notice.agency_id not in units_of(user):
        raise NotPermitted
    with audit.context(actor=user, door=Door.DESK, reason="notice to the unit read", agency_id=notice.agency_id):
        unread = UnitNotice.objects.filter(agency=notice.agency_id, code=notice.code, read_at=None, day__lte=notice.day)
        unread.update(read_at=timezone.now(), read_by=user)


def subscribe() -> None:
    """Write the letters when the news of a notice comes round; called once when the app is ready."""
    outbox.subscribe(TOPIC, CONSUMER, send_letter)


def send_letter(payload: dict[str, Any]) -> None:
    """Send one member the notice by e-mail; the same letter always bears the same number, so a second one is known."""
    notice = UnitNotice.objects.select_related("agency").get(pk=payload["notice"])
    user = User.objects.get(pk=payload["user"])
    if not user.email or not user.is_active or notice.agency_id not in units_of(user):
        return
    address = f"{settings.PUBLIC_URL}/desk/set-aside/"
    number = f"<unit-notice-{notice.pk}-{user.pk}@{settings.EMAIL_DOMAIN}>"
    text = "\n\n".join((f"{notice.agency.name}：", notice.text, notice.text_en, address))
    EmailMessage(SUBJECT, text, to=[user.email], headers={"Message-ID": number}).send()


def _worked(day: datetime.date) -> bool:
    try:
        return is_working_day(day, load_calendar())
    except YearNotAnnounced:
        return day.weekday() < SATURDAY


def _tell(agency_id: int, day: datetime.date, nine: datetime.datetime, number: int, since: datetime.datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(CODES, [agency_id, nine, CODES_NAMED])
        codes = [(code, count) for code, count in cursor.fetchall()]
    words = dict(zip(("text", "text_en"), in_both(partial(_text, number, since, codes)), strict=True))
    with audit.context(actor=None, door=Door.TIMER, reason="daily notice to units", agency_id=agency_id):
        notice, created = UnitNotice.objects.get_or_create(
            agency=Agency.objects.get(pk=agency_id), code=ROWS_WAIT, day=day, defaults=words
        )
        if created and settings.EMAIL_CONFIGURED:
            for user in _members(agency_id):
                outbox.publish(TOPIC, notice=notice.pk, user=user)
    return int(created)


def _members(agency_id: int) -> list[int]:
    """Members who send or decide for the unit and have an address, each once."""
    members = Membership.objects.in_force().filter(agency=agency_id, role__in=WORKING, user__is_active=True)
    return sorted(set(members.exclude(user__email="").values_list("user", flat=True)))


def _text(number: int, since: datetime.datetime, codes: list[tuple[str, int]]) -> str:
    said = str(COUNT % {"number": number, "day": timezone.localdate(since).isoformat()})
    named = clauses(f"{sentence(code).rstrip('.。')} ({count})" for code, count in codes)
    return after_one_another([said, full_stop(explained(COMMONEST, named))])
