"""Reading rules as words: who may see which subject and record."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils import timezone

from creditplatform.core.enums import Role
from creditplatform.core.models import User
from creditplatform.core.rules import RuleBook, load_rulebook
from records.enums import Openness, RecordState, SubjectKind
from records.rules import published_tiers

if TYPE_CHECKING:
    from records.models import CreditRecord, Subject  # noqa: F401


class SubjectQuerySet(models.QuerySet["Subject"]):
    """Reading rules of subjects."""

    def by_number(self, index: bytes) -> SubjectQuerySet:
        """The subject of a document number, by its blind index."""
        return self.filter(number_index=index)


class CreditRecordQuerySet(models.QuerySet["CreditRecord"]):
    """Reading rules of credit records."""

    def publishable(self, *, on: datetime.date | None = None, rulebook: RuleBook | None = None) -> CreditRecordQuerySet:
        """What is public on that day: asked of state, dates, tier and openness, never of a flag.

        True even when every worker is dead, since nothing here waits for a timer. Natural persons
        only where the entry names the law that publishes them.
        """
        day = on or timezone.localdate()
        tiers = published_tiers(rulebook or load_rulebook(), day)
        open_to_all = Q(version__openness=Openness.PUBLIC) & ~Q(subject_kind=SubjectKind.PERSON)
        persons_by_law = Q(version__person_openness=Openness.PUBLIC, subject_kind=SubjectKind.PERSON)
        return self.filter(
            open_to_all | persons_by_law,
            Q(publish_until=None) | Q(publish_until__gt=day),
            state=RecordState.IN_FORCE,
            withheld=False,
            decided_on__lte=day,
            tier__in=tiers,
        )

    def visible_to(self, user: User) -> CreditRecordQuerySet:
        """Records a member of staff may open: those of the units in which the person enters or decides."""
        working = {Role.CLERK, Role.OFFICER, Role.SUPERVISOR}
        agencies = {m.agency_id for m in user.memberships_in_force if m.role in working}
        return self.kept().filter(agency__in=agencies)

    def kept(self, *, on: datetime.date | None = None) -> CreditRecordQuerySet:
        """What may still be kept on that day, whether or not a worker has archived the rest yet."""
        day = on or timezone.localdate()
        return self.filter(Q(retain_until=None) | Q(retain_until__gt=day)).exclude(state=RecordState.ARCHIVED)

    def of_person(self, subject_id: int, *, on: datetime.date | None = None) -> CreditRecordQuerySet:
        """Everything kept about one subject, newest decision first."""
        return self.kept(on=on).filter(subject=subject_id).order_by("-decided_on", "-pk")
