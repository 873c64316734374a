"""Exchange upward and sideways: peers, the ordered feed of changes, what was handed over and what was confirmed."""

from typing import ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import append_only, audited, guarded
from creditplatform.core.enums import Door
from creditplatform.core.models import Agency, ApiClient, Site, User
from creditplatform.core.models.people import Bilingual
from creditplatform.core.sealed import SealedTextField
from records.enums import ChangeCause, ChangeKind, Direction, PeerKind
from records.models.catalogue import CatalogueEntry, LegalBasis
from records.models.record import CreditRecord
from records.querysets import ExchangePeerQuerySet, PeerDeliveryQuerySet

PEER_HAS_BASIS = """
IF NEW.active AND NOT EXISTS (
    SELECT 1 FROM records_legalbasis b WHERE b.code = NEW.legal_basis_id AND b.confirmed
) THEN
    RAISE EXCEPTION 'a peer is active only on a confirmed legal basis' USING ERRCODE = 'CR004';
END IF;
RETURN NEW;
"""
CONTENT_STAYS_APPROVED = """
IF EXISTS (
    SELECT 1 FROM records_exchangepeer p WHERE p.active AND (
        (TG_OP <> 'INSERT' AND p.id = OLD.peer_id) OR (TG_OP <> 'DELETE' AND p.id = NEW.peer_id)
    )
) THEN
    RAISE EXCEPTION 'what an active peer is entitled to was approved by a second person' USING ERRCODE = 'CR003';
END IF;
RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
"""


@audited
class ExchangePeer(Bilingual):
    """A system with which changes are exchanged: who runs it, on what legal basis, how it is reached.

    One person proposes, another approves; what it is entitled to stands in its entries and changes only while it is
    not active.
    """

    code = models.SlugField(_("code"), max_length=40, unique=True)
    kind = models.CharField(_("kind"), max_length=20, choices=PeerKind)
    agency = models.ForeignKey(Agency, verbose_name=_("run by"), on_delete=models.PROTECT, related_name="peers")
    client = models.OneToOneField(
        ApiClient, verbose_name=_("machine client"), null=True, blank=True, on_delete=models.PROTECT,
        related_name="peer", help_text=_("By which it fetches changes, confirms them and hands on its own."),
    )  # fmt: skip
    site = models.ForeignKey(
        Site, verbose_name=_("only records of"), null=True, blank=True, on_delete=models.PROTECT,
        help_text=_("Empty: records of every site."),
    )  # fmt: skip
    legal_basis = models.ForeignKey(
        LegalBasis, verbose_name=_("legal basis"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    push_url = models.URLField(
        _("address it is pushed to"), blank=True,
        help_text=_("Ends in /api/v1/. Empty: the peer fetches the changes itself."),
    )  # fmt: skip
    push_client_id = models.CharField(_("our client number there"), max_length=255, blank=True)
    push_secret = SealedTextField(_("our secret there"), null=True, blank=True)
    active = models.BooleanField(_("active"), default=False, editable=False)
    paused = models.BooleanField(_("paused"), default=False, editable=False)
    proposed_by = models.ForeignKey(
        User, verbose_name=_("proposed by"), null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    approved_by = models.ForeignKey(
        User, verbose_name=_("approved by"), null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )

    objects = ExchangePeerQuerySet.as_manager()

    class Meta:
        verbose_name = _("exchange peer")
        verbose_name_plural = _("exchange peers")
        ordering: ClassVar = ["code"]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="basis_confirmed", when=pgtrigger.Before, operation=pgtrigger.Insert | pgtrigger.Update,
                func=PEER_HAS_BASIS,
            ),
        ]  # fmt: skip
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(active=False)
                | (Q(proposed_by__isnull=False) & Q(approved_by__isnull=False) & ~Q(proposed_by=F("approved_by"))),
                name="exchange_peer_two_people",
                violation_error_message=_("A peer needs the approval of a second person."),
            ),
            models.CheckConstraint(
                condition=Q(push_url="") | (~Q(push_client_id="") & Q(push_secret__isnull=False)),
                name="exchange_peer_push_complete",
                violation_error_message=_("A peer that is pushed to has an address, our client number and our secret."),
            ),
        ]


@audited
class PeerEntry(models.Model):
    """An entry of which a peer gets, or hands in, records; which fields, and whether of natural persons."""

    peer = models.ForeignKey(ExchangePeer, verbose_name=_("peer"), on_delete=models.CASCADE, related_name="entries")
    entry = models.ForeignKey(CatalogueEntry, verbose_name=_("entry"), on_delete=models.PROTECT, related_name="+")
    direction = models.CharField(_("direction"), max_length=10, choices=Direction, default=Direction.GIVEN)
    persons = models.BooleanField(
        _("natural persons too"), default=False,
        help_text=_("Only if the legal basis covers names and numbers of persons."),
    )  # fmt: skip
    fields = ArrayField(
        models.CharField(max_length=40), verbose_name=_("fields"), default=list, blank=True,
        help_text=_("Codes of the fields it gets. Empty: every field of the entry."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("entry of a peer")
        verbose_name_plural = _("entries of peers")
        ordering: ClassVar = ["peer", "direction", "entry"]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="approved", when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete, func=CONTENT_STAYS_APPROVED,
            ),
        ]  # fmt: skip
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["peer", "entry", "direction"],
                name="peer_entry_once",
                violation_error_message=_("This entry is named for the peer already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.peer}: {self.entry}"


class PeerState(models.Model):
    """How far a peer has got and when it was last heard of; progress of the moment, made anew at every contact."""

    peer = models.OneToOneField(ExchangePeer, on_delete=models.CASCADE, primary_key=True, related_name="state")
    handed_over = models.BigIntegerField(_("handed over up to"), default=0)
    confirmed = models.BigIntegerField(_("confirmed up to"), default=0)
    last_contact_at = models.DateTimeField(_("last contact"), null=True)
    attempts = models.PositiveIntegerField(_("failed attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), db_default=Now())
    last_error = models.CharField(_("last error"), max_length=60, blank=True)
    refused = models.JSONField(_("not taken by the peer"), default=list)
    turn = models.PositiveIntegerField(_("times told again"), default=0, db_default=0)

    class Meta:
        verbose_name = _("position of a peer")
        verbose_name_plural = _("positions of peers")

    def __str__(self) -> str:
        return f"{self.peer}: {self.confirmed}"


class ChangeNote(models.Model):
    """What one statement did to credit records, written by a trigger; waits for its numbers and is gone then."""

    kind = models.CharField(max_length=10, choices=ChangeKind)
    cause = models.CharField(max_length=10, choices=ChangeCause, blank=True)
    record_ids = ArrayField(models.BigIntegerField())
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("change not yet numbered")
        verbose_name_plural = _("changes not yet numbered")

    def __str__(self) -> str:
        return f"{self.kind} {len(self.record_ids)}"


@append_only
class ChangeEvent(models.Model):
    """A run of changes of one kind, numbered without gaps: the n-th record bears the number `first` + n - 1."""

    first = models.BigIntegerField(_("first number"), primary_key=True)
    last = models.BigIntegerField(_("last number"), unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=ChangeKind)
    cause = models.CharField(_("cause"), max_length=10, choices=ChangeCause, blank=True)
    record_ids = ArrayField(models.BigIntegerField(), verbose_name=_("records"))
    at = models.DateTimeField(_("time of the change"))
    numbered_at = models.DateTimeField(_("numbered"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("run of changes")
        verbose_name_plural = _("runs of changes")
        ordering: ClassVar = ["first"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(last=F("first") + models.Func(F("record_ids"), function="cardinality") - 1),
                name="change_event_numbers_its_records",
                violation_error_message=_("Every record of a run of changes has a number of its own."),
            ),
            models.CheckConstraint(
                condition=(Q(kind=ChangeKind.WITHDRAWN) & ~Q(cause=""))
                | (~Q(kind=ChangeKind.WITHDRAWN) & Q(cause__in=["", ChangeCause.DISPUTED, ChangeCause.UNDISPUTED])),
                name="change_event_cause",
                violation_error_message=_("A withdrawal names its cause."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first}–{self.last} {self.kind}"


@append_only
class PeerDelivery(models.Model):
    """What a peer was given at one time: the stretch of the feed, and the keys of the records told and withdrawn.

    It is written before anything goes out. One that surely did not arrive is undone by another line that names it.
    """

    peer = models.ForeignKey(ExchangePeer, verbose_name=_("peer"), on_delete=models.PROTECT, related_name="deliveries")
    after = models.BigIntegerField(_("after"))
    upto = models.BigIntegerField(_("up to"))
    records = ArrayField(models.BigIntegerField(), verbose_name=_("records told"), default=list)
    withdrawn = ArrayField(models.BigIntegerField(), verbose_name=_("records withdrawn"), default=list)
    door = models.CharField(_("way out"), max_length=10, choices=Door)
    at = models.DateTimeField(_("time"), db_default=Now(), editable=False)
    undoes = models.OneToOneField(
        "self", verbose_name=_("delivery that did not arrive"), null=True, editable=False, on_delete=models.PROTECT,
        related_name="undone_by",
    )  # fmt: skip

    objects = PeerDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery to a peer")
        verbose_name_plural = _("deliveries to peers")
        ordering: ClassVar = ["-at"]
        indexes: ClassVar = [GinIndex(fields=["records"], name="peer_delivery_records")]

    def __str__(self) -> str:
        return f"{self.peer}: {self.after}–{self.upto}"


@guarded
class PeerReceipt(models.Model):
    """A withdrawal that a peer must confirm: when it was told, by when it is due, when and how it was confirmed."""

    peer = models.ForeignKey(ExchangePeer, verbose_name=_("peer"), on_delete=models.PROTECT, related_name="receipts")
    number = models.BigIntegerField(_("number of the change"))
    record = models.ForeignKey(
        CreditRecord, verbose_name=_("record"), on_delete=models.PROTECT, related_name="peer_receipts"
    )
    site = models.ForeignKey(Site, verbose_name=_("public site"), on_delete=models.PROTECT, related_name="+")
    cause = models.CharField(_("cause"), max_length=10, choices=ChangeCause)
    ended_at = models.DateTimeField(_("withdrawn"))
    due_on = models.DateField(_("to be confirmed by"))
    sent_at = models.DateTimeField(_("told"), null=True)
    attempts = models.PositiveIntegerField(_("times told"), default=0)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)
    proof = models.CharField(_("proof"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("receipt of a peer")
        verbose_name_plural = _("receipts of peers")
        ordering: ClassVar = ["peer", "number"]
        indexes: ClassVar = [
            models.Index(fields=["due_on"], name="peer_receipt_open", condition=Q(confirmed_at=None)),
            models.Index(fields=["site", "due_on"], name="peer_receipt_of_site"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["peer", "number"],
                name="peer_receipt_once",
                violation_error_message=_("This withdrawal waits for this peer already."),
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at=None) | (Q(sent_at__isnull=False) & ~Q(proof="")),
                name="peer_receipt_confirmed_with_proof",
                violation_error_message=_("A withdrawal is confirmed after it was told, and with its proof."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.peer} #{self.number}"


@append_only
class ReceivedBlock(models.Model):
    """A block of changes that a peer handed in, and the answer it got; the same block again gets the same answer."""

    peer = models.ForeignKey(ExchangePeer, verbose_name=_("peer"), on_delete=models.PROTECT, related_name="blocks")
    key = models.CharField(_("key of the block"), max_length=100)
    answer = models.JSONField(_("answer"))
    digest = models.CharField(_("digest (SHA-256)"), max_length=64, blank=True, default="", db_default="")
    at = models.DateTimeField(_("received"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("block received from a peer")
        verbose_name_plural = _("blocks received from peers")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["peer", "key"],
                name="received_block_once",
                violation_error_message=_("This block was taken already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.peer} {self.key}"


@guarded
class ReceivedRecord(models.Model):
    """Which record of ours a record of a peer became, and the newest change of it that was taken.

    `disputed` and `withheld` are the marks that the peer has set here: it takes back these alone. `statement` is what
    the person said there: words written here since are not replaced by it.
    """

    peer = models.ForeignKey(ExchangePeer, verbose_name=_("peer"), on_delete=models.PROTECT, related_name="received")
    token = models.CharField(_("number of the record there"), max_length=64)
    record = models.ForeignKey(CreditRecord, verbose_name=_("record"), null=True, on_delete=models.PROTECT)
    number = models.BigIntegerField(_("newest change taken"))
    disputed = models.BooleanField(_("marked as disputed by the peer"), default=False, db_default=False)
    withheld = models.BooleanField(_("withheld for the peer"), default=False, db_default=False)
    statement = SealedTextField(_("statement of the person, as taken"), null=True)

    class Meta:
        verbose_name = _("record received from a peer")
        verbose_name_plural = _("records received from peers")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["peer", "token"],
                name="received_record_once",
                violation_error_message=_("This record of the peer is known already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.peer} {self.token}"
