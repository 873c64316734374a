"""Messages to persons: a row first, delivery and reading proven afterwards."""

import datetime
from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from creditplatform.core import vault
from creditplatform.core.enums import NoticeChannel
from creditplatform.core.models import Notice, User
from creditplatform.core.sealed import sealed_name

PAGE = 50
WRITE_MANY = """
INSERT INTO core_notice (addressee, code, subject_key, text, text_en, channel, created_at, delivery_proof)
SELECT n.addressee, %(code)s, n.about, n.text, n.text_en, %(channel)s, %(at)s, ''
FROM unnest(%(addressees)s::bytea[], %(abouts)s::text[], %(texts)s::bytea[], %(texts_en)s::bytea[])
    AS n (addressee, about, text, text_en)
ON CONFLICT (addressee, code, subject_key) DO NOTHING
"""


class NoticePage(NamedTuple):
    """Notices of one page, newest first, and whether older ones follow."""

    letters: list[Notice]
    more: bool


def write_notice(
    *, addressee: bytes, code: str, text: str, text_en: str, about: str, user: User | None = None
) -> Notice:
    """Write a notice once per person, kind and thing; a second call returns the first notice."""
    notice, _created = Notice.objects.get_or_create(
        addressee=addressee,
        code=code,
        subject_key=about,
        defaults={"text": text, "text_en": text_en, "user": user},
    )
    return notice


def write_notices(*, code: str, messages: Iterable[tuple[bytes, str, str, str]]) -> None:
    """Write many notices of one kind at once: addressee, what it is about, text, text in English; known ones stay."""
    rows = list(messages)
    if not rows:
        return
    addressees, abouts, texts, texts_en = zip(*rows, strict=True)
    columns = {"addressees": list(addressees), "abouts": list(abouts)}
    columns["texts"] = vault.seal_many(texts, sealed_name(Notice, "text"))
    columns["texts_en"] = vault.seal_many(texts_en, sealed_name(Notice, "text_en"))
    with connection.cursor() as cursor:
        cursor.execute(WRITE_MANY, {"code": code, "channel": NoticeChannel.SITE.value, "at": timezone.now(), **columns})


def show_notices(
    *, addressee: bytes, user: User, before: tuple[datetime.datetime, int] | None = None, unread: bool = False
) -> NoticePage:
    """One page of a person's notices. Showing them on the site is their delivery, and is proven by it.

    `before` are time and key of the last one of the page before; `unread` leaves out what was read. Call it only where
    their texts are shown; what is not on the page is not delivered by it.
    """
    newest = Notice.objects.filter(addressee=addressee).order_by("-created_at", "-pk")
    rows = newest.filter(read_at=None) if unread else newest
    if before:
        at, pk = before
        rows = rows.filter(created_at__lte=at).exclude(created_at=at, pk__gte=pk)
    found = list(rows.values_list("pk", flat=True)[: PAGE + 1])
    page = found[:PAGE]
    Notice.objects.filter(pk__in=page, delivered_at=None).update(
        delivered_at=timezone.now(),
        delivery_proof=f"shown to account {user.pk}",
        user=user,
        channel=NoticeChannel.SITE,
    )
    return NoticePage(list(newest.filter(pk__in=page)), len(found) > PAGE)


def count_unread(addressee: bytes) -> int:
    """How many notices of a person wait to be read."""
    return unread_of(addressee).count()


def unread_of(addressee: bytes) -> QuerySet[Notice]:
    """Notices of a person that wait to be read."""
    return Notice.objects.filter(addressee=addressee, read_at=None)


def mark_read(*, addressee: bytes, notice_id: int) -> bool:
    """Note that the person has read a notice of theirs; says whether that changed anything."""
    unread = Notice.objects.filter(pk=notice_id, addressee=addressee, read_at=None, delivered_at__isnull=False)
    return bool(unread.update(read_at=timezone.now()))
