"""Reading rules as words: who may see which subject and record."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from typing import TYPE_CHECKING, TypeVar

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from creditplatform.core.enums import Role
from creditplatform.core.models import Membership, User
from creditplatform.core.rules import RuleBook, load_rulebook
from records.enums import (
    EXCHANGED,
    CrossCheckState,
    MissingState,
    Openness,
    RecordState,
    RowState,
    SubjectKind,
    VersionState,
)
from records.rules import published_tiers

if TYPE_CHECKING:
    from records.models import (  # noqa: F401
        CreditRecord,
        CrossCheck,
        EntryVersion,
        ExchangePeer,
        Feed,
        FeedBatch,
        MissingRecord,
        PeerDelivery,
        QuarantinedRow,
        Subject,
    )

DECIDING = frozenset({Role.OFFICER.value, Role.SUPERVISOR.value})
SUPERVISING = frozenset({Role.SUPERVISOR.value})
WORKING = DECIDING | {Role.CLERK.value}
Row = TypeVar("Row", bound=models.Model)


def units_of(user: User, roles: frozenset[str] = WORKING) -> set[int]:
    """Units in which a person holds one of these roles today."""
    return {m.agency_id for m in user.memberships_in_force if m.role in roles}


def sites_led(user: User) -> set[int]:
    """Sites whose credit centre a person belongs to today: it looks after all units of its own place, and no other."""
    return {m.agency.site_id for m in user.memberships_in_force if m.role == Role.CENTRE}


def centre_units() -> set[int]:
    """Units that are a credit centre today: somebody works there as such."""
    return set(Membership.objects.in_force().filter(role=Role.CENTRE).values_list("agency", flat=True))


class SubjectQuerySet(models.QuerySet["Subject"]):
    """Reading rules of subjects."""

    def by_number(self, index: bytes) -> SubjectQuerySet:
        """The subject of a document number, by its blind index."""
        return self.filter(number_index=index)


class EntryVersionQuerySet(models.QuerySet["EntryVersion"]):
    """Which versions of the catalogue carry what on a day."""

    def collecting(self, *, on: datetime.date) -> EntryVersionQuerySet:
        """Versions in force on that day whose legal basis is confirmed and itself in force."""
        return self.filter(_in_force(on) & _holds("legal_basis", on))

    def publishing(self, *, on: datetime.date, persons: bool = False) -> EntryVersionQuerySet:
        """Versions whose records about organisations (or about persons) a law makes public on that day.

        A version does while the provision it was collected under and the one that orders publication hold. A
        retired one whose own provisions no longer hold does too, as long as the entry has a version in force that
        does: the law went on under another name.
        """
        openness, basis = _PERSONS if persons else _ORGANISATIONS
        public = Q(**{openness: Openness.PUBLIC}, valid_from__lte=on, state__in=PUBLISHED)
        lawful = _holds("legal_basis", on) & _holds(basis, on)
        following = self.model._default_manager.filter(_in_force(on), public, lawful, entry=OuterRef("entry"))
        return self.filter(public, lawful | Exists(following))

    def coming(self, *, on: datetime.date) -> EntryVersionQuerySet:
        """Published versions that begin after that day."""
        return self.filter(state=VersionState.IN_FORCE, valid_from__gt=on)

    def visible_to(self, user: User) -> EntryVersionQuerySet:
        """What a member of staff may read: whatever was published; the centre also what it is working on."""
        return self if Role.CENTRE in user.roles else self.filter(state__in=PUBLISHED)

    def waiting_for(self, user: User) -> EntryVersionQuerySet:
        """Versions in review that this person of the centre may publish: no hand of theirs was in them."""
        if Role.CENTRE not in user.roles:
            return self.none()
        return self.filter(state=VersionState.IN_REVIEW).exclude(editors__contains=[user.pk])


PUBLISHED = (VersionState.IN_FORCE, VersionState.RETIRED)
_ORGANISATIONS = ("openness", "publication_basis")
_PERSONS = ("person_openness", "person_publication_basis")


def _in_force(day: datetime.date) -> Q:
    return Q(state=VersionState.IN_FORCE, valid_from__lte=day) & (Q(valid_until=None) | Q(valid_until__gt=day))


def _holds(basis: str, day: datetime.date) -> Q:
    """Whether the legal basis under that name is confirmed and in force on a day; its ends may be unknown."""
    begun = Q(**{f"{basis}__in_force_from": None}) | Q(**{f"{basis}__in_force_from__lte": day})
    lasts = Q(**{f"{basis}__in_force_until": None}) | Q(**{f"{basis}__in_force_until__gt": day})
    return Q(**{f"{basis}__confirmed": True}) & begun & lasts


class CreditRecordQuerySet(models.QuerySet["CreditRecord"]):
    """Reading rules of credit records."""

    def publishable(self, *, on: datetime.date | None = None, rulebook: RuleBook | None = None) -> CreditRecordQuerySet:
        """What is public on that day: asked of state, dates, tier, openness and law, never of a flag.

        True even when every worker is dead, since nothing here waits for a timer. Only while the law that
        publishes it is in force; natural persons only where the entry names one for them.
        """
        day = on or timezone.localdate()
        tiers = published_tiers(rulebook or load_rulebook(), day)
        versions: EntryVersionQuerySet = apps.get_model("records", "EntryVersion").objects.all()
        open_to_all = Q(version__in=versions.publishing(on=day)) & ~Q(subject_kind=SubjectKind.PERSON)
        persons_by_law = Q(version__in=versions.publishing(on=day, persons=True), subject_kind=SubjectKind.PERSON)
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
        return self.kept().filter(agency__in=units_of(user))

    def kept(self, *, on: datetime.date | None = None) -> CreditRecordQuerySet:
        """What may still be kept on that day, whether or not a worker has archived the rest yet."""
        day = on or timezone.localdate()
        return self.filter(Q(retain_until=None) | Q(retain_until__gt=day)).exclude(state=RecordState.ARCHIVED)

    def shareable(self, *, on: datetime.date, publicly: bool = False) -> CreditRecordQuerySet:
        """What may be handed on to other systems on that day: in force, within its period, and open to authorities.

        `publicly`: only what is open to everybody, for peers that are no authority. Sharing ends with publication
        (Order 36, article 3), and with the law it rests on.
        """
        if publicly:
            return self.publishable(on=on)
        return self.disclosable(on=on, openness=[Openness.PUBLIC, Openness.SHARED])

    def counting(self, *, on: datetime.date) -> CreditRecordQuerySet:
        """What an answer may still rest on that day: in force or past its publication, kept, and not withheld."""
        standing = [RecordState.IN_FORCE, RecordState.EXPIRED]
        return self.kept(on=on).filter(state__in=standing, withheld=False)

    def disclosable(self, *, on: datetime.date, openness: Collection[str]) -> CreditRecordQuerySet:
        """What may be shown on that day to somebody for whom records of these degrees of openness are open.

        In force, within its period and lawfully collected; use ends with publication (Order 36, article 3), and a
        record withheld until its source answers is not used.
        """
        lawful = apps.get_model("records", "EntryVersion").objects.exclude(state=VersionState.DRAFT)
        versions = lawful.filter(_holds("legal_basis", on))
        of_persons = Q(subject_kind=SubjectKind.PERSON, version__in=versions.filter(person_openness__in=openness))
        of_others = Q(version__in=versions.filter(openness__in=openness)) & ~Q(subject_kind=SubjectKind.PERSON)
        return self.kept(on=on).filter(
            of_persons | of_others,
            Q(publish_until=None) | Q(publish_until__gt=on),
            state=RecordState.IN_FORCE,
            withheld=False,
            decided_on__lte=on,
        )

    def from_peer(self, peer_id: int) -> CreditRecordQuerySet:
        """What a peer handed in last; a record that its unit has delivered or corrected here is the unit's own."""
        return self.filter(batch__feed__peer=peer_id, batch__format=EXCHANGED)

    def of_person(self, subject_id: int, *, on: datetime.date | None = None) -> CreditRecordQuerySet:
        """Everything kept about one subject, newest decision first."""
        return self.kept(on=on).filter(subject=subject_id).order_by("-decided_on", "-pk")


class ExchangePeerQuerySet(models.QuerySet["ExchangePeer"]):
    """Which peers are served."""

    def served(self, *, on: datetime.date) -> ExchangePeerQuerySet:
        """Approved ones whose legal basis is confirmed and in force on that day."""
        return self.filter(_holds("legal_basis", on), active=True)


class PeerDeliveryQuerySet(models.QuerySet["PeerDelivery"]):
    """Which deliveries count."""

    def arrived(self) -> PeerDeliveryQuerySet:
        """All but those of which we know that they did not arrive."""
        return self.filter(undone_by=None, undoes=None)


class FeedQuerySet(models.QuerySet["Feed"]):
    """By which way the rows of a feed come."""

    def of_units(self) -> FeedQuerySet:
        """Feeds that units deliver themselves; those of a peer are the peer's alone."""
        return self.filter(peer=None)


class FeedBatchQuerySet(models.QuerySet["FeedBatch"]):
    """Reading rules of batches."""

    def by_form(self) -> FeedBatchQuerySet:
        """Single records that somebody entered, corrected or mended by a form."""
        return self.filter(format="form")

    def by_file(self) -> FeedBatchQuerySet:
        """Files and what systems handed in over the interface, whatever became of them."""
        return self.exclude(format="form")

    def delivered(self) -> FeedBatchQuerySet:
        """Files of units: no forms, and no rows set aside that came back."""
        return self.exclude(Q(format="form") | Q(rerun=True) | Q(notes__has_key="mends"))


class QuarantinedRowQuerySet(models.QuerySet["QuarantinedRow"]):
    """Reading rules of rows set aside: they hold what a unit itself sent, so its members alone see them."""

    def sent_by(self, user: User) -> QuarantinedRowQuerySet:
        """Rows of the units for which a person sends or decides."""
        return self.filter(feed__agency__in=units_of(user))

    def waiting(self) -> QuarantinedRowQuerySet:
        """Rows that nobody has corrected or discarded yet."""
        return self.filter(state=RowState.OPEN)

    def of_batch(self, batch_id: int) -> QuarantinedRowQuerySet:
        """Rows that a batch set aside, and those set aside under another one that it repeated."""
        repeated = apps.get_model("records", "RepeatedRow").objects.filter(batch=batch_id).values("row")
        return self.filter(Q(batch=batch_id) | Q(pk__in=repeated))

    def with_problem(self, *, code: str = "", field: str = "") -> QuarantinedRowQuerySet:
        """Rows with this problem, in this field; with both only where they belong together."""
        wanted = {name: text for name, text in (("code", code), ("field", field)) if text}
        return self.filter(problems__contains=[wanted]) if wanted else self


class TieQuerySet(models.QuerySet[Row]):
    """Reading rules of affiliations and of memberships of key groups."""

    def standing(self, *, on: datetime.date | None = None) -> TieQuerySet[Row]:
        """Ties that hold on that day: asked of their dates and of the record they rest on, never of a flag."""
        day = on or timezone.localdate()
        gone = Q(record__state__in=[RecordState.REVOKED, RecordState.ARCHIVED])
        return self.filter(Q(valid_until=None) | Q(valid_until__gt=day), valid_from__lte=day).exclude(gone)

    def known(self) -> TieQuerySet[Row]:
        """Ties past and present whose record is kept and not taken back."""
        return self.exclude(record__state__in=[RecordState.REVOKED, RecordState.ARCHIVED])

    def disclosed_to(self, user: User) -> TieQuerySet[Row]:
        """Ties a member of staff may see: those of the own units, and those whose entry is shared among authorities."""
        shared = Q(record__version__person_openness__in=[Openness.SHARED, Openness.PUBLIC])
        own = Q(record__agency__in=units_of(user))
        return self.filter(own | shared, record__isnull=False)


class CrossCheckQuerySet(models.QuerySet["CrossCheck"]):
    """Reading rules of cross-checks."""

    def visible_to(self, user: User) -> CrossCheckQuerySet:
        """Those of the own units; the centre sees those of its place, which hold no value of the person."""
        own, led = units_of(user), sites_led(user)
        ours = Q(holder__in=own) | Q(sender__in=own)
        return self.filter(ours | Q(holder__site__in=led) | Q(sender__site__in=led) if led else ours)

    def open(self) -> CrossCheckQuerySet:
        """Not ended yet."""
        return self.exclude(state__in=[CrossCheckState.RESOLVED, CrossCheckState.CLOSED])

    def overdue(self, *, on: datetime.date | None = None) -> CrossCheckQuerySet:
        """Units were asked and the day to answer has passed."""
        return self.filter(state=CrossCheckState.ASKED, due_on__lt=on or timezone.localdate())


class MissingRecordQuerySet(models.QuerySet["MissingRecord"]):
    """Reading rules of records missing from their list."""

    def visible_to(self, user: User) -> MissingRecordQuerySet:
        """Those of the units in which the person decides or enters."""
        return self.filter(feed__agency__in=units_of(user))

    def waiting(self) -> MissingRecordQuerySet:
        """Proposed and not decided yet."""
        return self.filter(state=MissingState.PROPOSED)
