"""Reading rules of announcements."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q

from records.enums import PriorNoticeState

if TYPE_CHECKING:
    from records.models import Entitlement, PriorNotice, Subject  # noqa: F401


class PriorNoticeQuerySet(models.QuerySet["PriorNotice"]):
    """Which announcements."""

    def open(self) -> PriorNoticeQuerySet:
        """Those whose record may still come."""
        return self.filter(state__in=[PriorNoticeState.ANNOUNCED, PriorNoticeState.REPLIED])

    def taking_reply(self, *, on: datetime.date) -> PriorNoticeQuerySet:
        """Those the person may reply to that day: once, and up to the end of the last day."""
        return self.filter(state=PriorNoticeState.ANNOUNCED, reply_until__gte=on)

    def of_person(self, subject: Subject) -> PriorNoticeQuerySet:
        """Those to this very person, named rightly, and those the person has answered, also under an earlier name."""
        meant = Q(number_index=bytes(subject.number_index), name_index=bytes(subject.name_index))
        return self.filter(meant | Q(subject=subject))

    def under(self, entitlements: Iterable[Entitlement]) -> PriorNoticeQuerySet:
        """Those of units and entries for which somebody may enter records."""
        held = apps.get_model("records", "Entitlement")._default_manager.filter(
            pk__in=[one.pk for one in entitlements], agency=OuterRef("agency"), entry=OuterRef("entry")
        )
        return self.filter(Exists(held))

    def to_consider(self) -> PriorNoticeQuerySet:
        """Replies of which the unit has not said how it takes them into account."""
        return self.filter(state=PriorNoticeState.REPLIED, considered__isnull=True)

    def over(self, *, before: datetime.date) -> PriorNoticeQuerySet:
        """Open ones whose last day for a reply lies before that day."""
        return self.open().filter(reply_until__lt=before)

    def followed(self) -> dict[str, int]:
        """How many were followed by their record, and how many of those while the person could still reply."""
        early = Q(replied_at=None, ended_at__date__lte=F("reply_until"))
        return self.filter(state=PriorNoticeState.FOLLOWED).order_by().aggregate(
            followed=Count("pk"), early=Count("pk", filter=early)
        )  # fmt: skip
