"""Prepared answers about announcements: for the person, for the unit, and beside the record that has followed."""

import datetime
from dataclasses import dataclass

from django.db.models import Count, Min, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from creditplatform.core.models import User
from creditplatform.core.notices import unread_of
from records.feeds.plan import NotCollected, version_in_force
from records.models import CreditRecord, LegalBasis, PriorNotice, Subject
from records.querysets.announcements import PriorNoticeQuerySet
from records.services.announcement_letters import Delivery, deliveries
from records.services.entitlements import entitlements_of

RELATED = ("agency", "entry", "record")


@dataclass(frozen=True)
class Announced:
    """An announcement with the proof that its letter was delivered; none where no letter was written."""

    case: PriorNotice
    letter: Delivery | None


@dataclass(frozen=True)
class Waiting:
    """What waits for a person: letters not read, announcements to reply to, and the first day on which that ends."""

    letters: int
    replies: int
    reply_until: datetime.date | None


def waiting_for(subject: Subject) -> Waiting:
    """What waits for a person; one query."""
    addressee = bytes(subject.number_index)
    letters = unread_of(addressee).order_by().values("addressee").annotate(n=Count("pk")).values("n")
    taking = PriorNotice.objects.of_person(subject).taking_reply(on=timezone.localdate()).order_by()
    replies = taking.annotate(all=Value(1)).values("all").annotate(n=Count("pk"), first=Min("reply_until"))
    found = Subject.objects.filter(pk=subject.pk).values_list(
        Coalesce(Subquery(letters), 0), Coalesce(Subquery(replies.values("n")), 0), Subquery(replies.values("first"))
    )
    return Waiting(*found.get())


def of_unit(user: User) -> PriorNoticeQuerySet:
    """The announcements a member of staff may see: of units and entries for which the person may enter records."""
    return PriorNotice.objects.under(entitlements_of(user)).select_related(*RELATED)


def with_delivery(cases: list[PriorNotice]) -> list[Announced]:
    """Announcements with the proof of delivery; one query."""
    found = deliveries(cases) if cases else {}
    return [Announced(case, found.get(case.pk)) for case in cases]


def to_person(subject: Subject) -> PriorNoticeQuerySet:
    """Everything a person was announced, newest first."""
    return PriorNotice.objects.of_person(subject).select_related(*RELATED).order_by("-announced_at", "-pk")


def coming_for(subject: Subject) -> list[PriorNotice]:
    """Announcements that are open and may still be replied to, or were, the nearest day first; one query."""
    waiting = to_person(subject).open().filter(reply_until__gte=timezone.localdate())
    return list(waiting.order_by("reply_until", "pk"))


def before_record(subject: Subject, record: CreditRecord) -> list[Announced]:
    """How the person was told before a record came, with the proof of delivery; one query, two where it was."""
    return with_delivery(list(PriorNotice.objects.of_person(subject).filter(record=record).order_by("pk")))


def basis_of(case: PriorNotice) -> LegalBasis | None:
    """On which basis such records are collected today; nothing where the entry is no longer in force."""
    try:
        return version_in_force(case.entry, timezone.localdate()).legal_basis
    except NotCollected:
        return None
