"""Reading rules of words that persons want shown to the public."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import models
from django.db.models import Q

from creditplatform.core.enums import Role
from creditplatform.core.models import User
from records.enums import PublicWordsState, RecordState
from records.querysets import centre_units, sites_led

if TYPE_CHECKING:
    from records.models import PublicWords  # noqa: F401

OPEN = (PublicWordsState.WAITING, PublicWordsState.SHOWN)


class PublicWordsQuerySet(models.QuerySet["PublicWords"]):
    """Which words."""

    def visible_to(self, user: User) -> PublicWordsQuerySet:
        """Those about records of the place of the credit centre; of its own records the centre of the other place."""
        if Role.CENTRE not in user.roles:
            return self.none()
        led = sites_led(user)
        elsewhere = Q(record__agency__in=centre_units()) & ~Q(record__site__in=led)
        seen = self.filter(Q(record__site__in=led) | elsewhere)
        return seen.exclude(record__agency__in=user.agency_ids).exclude(record__subject__binding__user=user)

    def waiting(self) -> PublicWordsQuerySet:
        """Not decided yet, of a record that is public today."""
        public = apps.get_model("records", "CreditRecord").objects.publishable()
        return self.filter(state=PublicWordsState.WAITING, record__in=public)

    def without_record(self, *, on: datetime.date) -> PublicWordsQuerySet:
        """Open ones whose record is no longer in force or has reached its last day."""
        over = ~Q(record__state=RecordState.IN_FORCE) | Q(record__publish_until__lte=on)
        return self.filter(over, state__in=OPEN)
