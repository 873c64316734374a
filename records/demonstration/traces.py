"""What the demonstration's citizen finds: who looked at the records and why, and notices in both languages."""

import datetime
from typing import NamedTuple

from django.utils import timezone

from creditplatform.core.audit.access import record_disclosures
from creditplatform.core.audit.seal import seal_access_log
from creditplatform.core.enums import AccessResult, Authority, Door
from creditplatform.core.models import AccessLog, AccessSeal, Agency, Notice
from creditplatform.core.notices import write_notice
from records.demonstration.citizens import BOUND
from records.demonstration.people import sender_of
from records.demonstration.ties import identifier_of
from records.demonstration.world import World
from records.models import CreditRecord, Subject
from records.selectors import ABOUT_RECORD
from records.services.telling import RECEIVED


class Look(NamedTuple):
    """A disclosure: how many days before the anchor, by which unit, what for, on what authority."""

    days: int
    agency: str
    purpose: str
    authority: Authority
    reference: str
    fields: tuple[str, ...]
    result: AccessResult = AccessResult.SHOWN


class Message(NamedTuple):
    """A notice in both languages, how many days before the anchor it was written, and whether it was read.

    `feed` names the delivery with the record it is about, if it is about one.
    """

    days: int
    code: str
    text: str
    text_en: str
    read: bool
    feed: str = ""


LOOKS = (
    Look(
        45,
        "hz-market",
        "办理食品经营许可 / processing a food licence",
        Authority.STATUTE,
        "《中华人民共和国行政许可法》",
        ("name", "administrative-penalty"),
    ),
    Look(
        31,
        "hz-bank",
        "小额贷款审查 / assessing a small loan",
        Authority.CONSENT,
        "授权书（演示）2026-0031",
        ("name", "administrative-licence", "honesty-model"),
    ),
    Look(
        17,
        "hz-hrss",
        "核实信用修复申请 / verifying a repair request",
        Authority.DUTY,
        "",
        ("name", "administrative-penalty"),
    ),
    Look(
        9,
        "hz-volunteer",
        "志愿者星级复核 / reviewing a volunteer's stars",
        Authority.CONSENT,
        "授权书（演示）2026-0044",
        ("name", "star-volunteer"),
    ),
    Look(
        3,
        "hz-court",
        "查询失信被执行人信息 / checking for judgment default",
        Authority.STATUTE,
        "《中华人民共和国民事诉讼法》",
        ("name", "judgment-defaulter"),
        AccessResult.NOTHING,
    ),
)
READ_AFTER_DAYS = 45
MESSAGES = (
    Message(
        50,
        "record_disputed",
        "您对一条行政处罚信息提出了异议，该信息已标注“有异议”，直到有关部门答复。",
        "You have objected to a penalty. The record is marked as disputed until the unit has answered.",
        read=True,
        feed="hz-market-penalty",
    ),
    Message(
        20,
        "record_repaired",
        "您的信用修复申请已获同意，该条处罚信息已停止公示和共享。",
        "Your request for repair was granted. The penalty is no longer published or shared.",
        read=False,
        feed="hz-labour-penalty",
    ),
    Message(
        5,
        "record_viewed",
        "有单位查询了您的信用信息。您可以在“谁查过我”中查看是谁、为什么、依据什么。",
        "A unit has looked at your credit information. “Who looked at me” tells you who, why and on what authority.",
        read=False,
    ),
)


def _at(world: World, days: int) -> datetime.datetime:
    day = world.anchor - datetime.timedelta(days=days)
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time(10, 20)))


def leave_traces(world: World) -> dict[str, int]:
    """Write the looks at the bound citizen and the notices to that person; only where there are none yet."""
    subject = Subject.objects.get(number_index=identifier_of(BOUND).blind_index)
    return {"looks": _write_looks(world, subject), "notices": _write_notices(world, subject)}


def _write_looks(world: World, subject: Subject) -> int:
    """Looks of the past, sealed at once; on a ledger that is sealed already they bear today's date.

    The sealer does not look back behind its last block, so that an older row would count as slipped in.
    """
    if AccessLog.objects.filter(subject_ref=subject.pk).exists():
        return 0
    agencies = Agency.objects.in_bulk([look.agency for look in LOOKS], field_name="code")
    sealed_before = AccessSeal.objects.exists()
    record_disclosures([_entry(world, look, agencies[look.agency], subject, dated=not sealed_before) for look in LOOKS])
    seal_access_log()
    return len(LOOKS)


def _entry(world: World, look: Look, agency: Agency, subject: Subject, *, dated: bool) -> AccessLog:
    entry = AccessLog(
        agency=agency,
        actor=sender_of(agency, world.anchor),
        door=Door.WEB,
        purpose=look.purpose,
        authority=look.authority,
        reference=look.reference,
        subject_ref=subject.pk,
        fields=sorted(look.fields),
        result=look.result,
    )
    if dated:
        entry.at = _at(world, look.days)
    return entry


def _write_notices(world: World, subject: Subject) -> int:
    addressee, written = identifier_of(BOUND).blind_index, 0
    for message in MESSAGES:
        about = _about(message, subject)
        if Notice.objects.filter(addressee=addressee, code=message.code, subject_key=about).exists():
            continue
        notice = write_notice(
            addressee=addressee, code=message.code, text=message.text, text_en=message.text_en, about=about
        )
        _date(notice, _at(world, message.days), read=message.read)
        written += 1
    return written


def date_received(world: World) -> None:
    """Let what was written when the records came in be as old as they are; the older of it was read."""
    addressee = identifier_of(BOUND).blind_index
    fresh = Notice.objects.filter(addressee=addressee, code=RECEIVED, delivered_at=None)
    waiting = {notice.subject_key: notice for notice in fresh}
    for record in CreditRecord.objects.filter(subject__number_index=addressee):
        if notice := waiting.get(f"{ABOUT_RECORD}{record.token}"):
            _date(notice, record.received_at, read=record.received_at < _at(world, READ_AFTER_DAYS))


def _about(message: Message, subject: Subject) -> str:
    """The record that a notice is about, by its public number; else a name of its own."""
    records = CreditRecord.objects.of_person(subject.pk).filter(batch__feed__code=message.feed)
    record = records.first() if message.feed else None
    return f"{ABOUT_RECORD}{record.token}" if record else f"demonstration:{message.code}"


def _date(notice: Notice, written_at: datetime.datetime, *, read: bool) -> None:
    """Let a notice be of the past: written then, and if read, delivered and read two hours later."""
    values: dict[str, object] = {"created_at": written_at}
    if read:
        later = written_at + datetime.timedelta(hours=2)
        values |= {"delivered_at": later, "delivery_proof": "demonstration", "read_at": later}
    Notice.objects.filter(pk=notice.pk).update(**values)
