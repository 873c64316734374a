"""The credit record: what a unit decided about a subject."""

import datetime
from typing import Any, ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import audited
from creditplatform.core.models import Agency, Site
from creditplatform.core.sealed import SealedTextField
from creditplatform.core.vault import public_token
from records.enums import KeyField, Polarity, RecordState, SubjectKind, Tier
from records.models.catalogue import CatalogueEntry, EntryVersion
from records.models.feed import FeedBatch
from records.models.subject import Subject
from records.querysets import CreditRecordQuerySet

TOKEN_KIND = "credit-record"  # noqa: S105
UNCHECKED: dict[str, Any] = {"db_index": False, "db_constraint": False}

# One set-based check per statement in place of six row-level foreign keys: exists, and belongs together. An update
# is asked only about rows of which one of these columns changed, so that closing the books of a record never depends
# on what became of its unit. A subject on record is neither removed nor changed in kind, see `Subject`.
COHERENT = """
IF EXISTS (
    SELECT 1 FROM ({rows}) n
    LEFT JOIN records_entryversion v ON v.id = n.version_id AND v.entry_id = n.entry_id AND v.polarity = n.polarity
    LEFT JOIN core_agency a ON a.id = n.agency_id AND a.site_id = n.site_id
    WHERE v.id IS NULL OR a.id IS NULL
) THEN
    RAISE EXCEPTION 'entry, version, direction, unit and site of a record belong together' USING ERRCODE = 'CR006';
END IF;
IF EXISTS (
    SELECT 1 FROM ({batches}) n
    LEFT JOIN records_feedbatch b ON b.id = n.batch_id WHERE b.id IS NULL
) THEN
    RAISE EXCEPTION 'a record names a batch that exists' USING ERRCODE = 'CR006';
END IF;
IF EXISTS (
    SELECT 1 FROM ({subjects}) n
    LEFT JOIN records_subject s ON s.id = n.subject_id AND s.kind = n.subject_kind WHERE s.id IS NULL
) THEN
    RAISE EXCEPTION 'a record names a subject that exists, of the kind it has' USING ERRCODE = 'CR006';
END IF;
"""
INSERTED = COHERENT.format(
    rows="SELECT DISTINCT version_id, entry_id, agency_id, site_id, polarity FROM new_rows",
    batches="SELECT DISTINCT batch_id FROM new_rows WHERE batch_id IS NOT NULL",
    subjects="SELECT DISTINCT subject_id, subject_kind FROM new_rows",
)
UPDATED = COHERENT.format(
    rows="""
        SELECT DISTINCT r.version_id, r.entry_id, r.agency_id, r.site_id, r.polarity
        FROM new_rows r JOIN old_rows o ON o.id = r.id
        WHERE (r.version_id, r.entry_id, r.agency_id, r.site_id, r.polarity)
            IS DISTINCT FROM (o.version_id, o.entry_id, o.agency_id, o.site_id, o.polarity)
    """,
    batches="""
        SELECT DISTINCT r.batch_id FROM new_rows r JOIN old_rows o ON o.id = r.id
        WHERE r.batch_id IS NOT NULL AND r.batch_id IS DISTINCT FROM o.batch_id
    """,
    subjects="""
        SELECT DISTINCT r.subject_id, r.subject_kind FROM new_rows r JOIN old_rows o ON o.id = r.id
        WHERE (r.subject_id, r.subject_kind) IS DISTINCT FROM (o.subject_id, o.subject_kind)
    """,
)
# Collected means: under a version that holds on the day of receipt, told by the clock of the database. One look per
# version and statement, since the first and the last receipt of a statement say it for all its rows.
HOLDS = """
IF EXISTS (
    SELECT 1 FROM ({received}) n JOIN records_entryversion v ON v.id = n.version_id
    WHERE v.state <> 'in_force' OR (n.earliest AT TIME ZONE 'Asia/Shanghai')::date < v.valid_from
        OR v.valid_until <= (n.latest AT TIME ZONE 'Asia/Shanghai')::date
) THEN
    RAISE EXCEPTION 'nothing is collected without a catalogue entry in force on the day' USING ERRCODE = 'CR005';
END IF;
"""
RECEIVED = HOLDS.format(
    received="SELECT version_id, min(received_at) earliest, max(received_at) latest FROM new_rows GROUP BY version_id"
)
CHECKED_AGAIN = HOLDS.format(
    received="""
        SELECT DISTINCT r.version_id, now() earliest, now() latest FROM new_rows r JOIN old_rows o ON o.id = r.id
        WHERE r.version_id <> o.version_id
    """
)

# What others are told of: one note per statement and kind, numbered afterwards, see `records.exchange.numbering`.
NOTE_ADDED = """
INSERT INTO records_changenote (kind, cause, record_ids, at)
SELECT 'added', '', array_agg(id ORDER BY id), now() FROM new_rows HAVING count(*) > 0;
"""
NOTE_CHANGED = """
INSERT INTO records_changenote (kind, cause, record_ids, at)
SELECT c.kind, c.cause, array_agg(c.id ORDER BY c.id), now() FROM (
    SELECT n.id,
        CASE WHEN n.state <> o.state AND n.state <> 'in_force' OR n.withheld AND NOT o.withheld
            THEN 'withdrawn' ELSE 'corrected' END AS kind,
        CASE WHEN n.state <> o.state AND n.state <> 'in_force' THEN n.state
            WHEN n.withheld AND NOT o.withheld THEN 'withheld'
            WHEN n.disputed AND NOT o.disputed THEN 'disputed'
            WHEN o.disputed AND NOT n.disputed THEN 'undisputed' ELSE '' END AS cause
    FROM new_rows n JOIN old_rows o ON o.id = n.id
    WHERE (n.state, n.withheld, n.disputed, n.digest, n.version_id, n.decided_on, n.effects, n.tier, n.publish_until)
        IS DISTINCT FROM
        (o.state, o.withheld, o.disputed, o.digest, o.version_id, o.decided_on, o.effects, o.tier, o.publish_until)
) c GROUP BY c.kind, c.cause;
"""


def _set_based(name: str, operation: pgtrigger.Operation, checks: str, **tables: str) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(new="new_rows", **tables),  # type: ignore[no-untyped-call]
        func=f"{checks}RETURN NULL;",
    )


@audited
class CreditRecord(models.Model):
    """One decision about one subject, kept with the catalogue version it was checked against.

    Dates: `repairable_from` is the end of the minimum and `publish_until` of the maximum
    publication period (first day no longer shown; empty means no end), both computed by
    `records.rules`. Whether a record is public is asked of `objects.publishable(on=...)`.
    `site`, `subject_kind` and `polarity` repeat what agency, subject and version say, so that
    registers are read from one index and constraints can hold; none of the three ever changes.
    """

    subject = models.ForeignKey(
        Subject, verbose_name=_("subject"), on_delete=models.PROTECT, related_name="records", **UNCHECKED
    )
    subject_kind = models.CharField(_("kind of subject"), max_length=20, choices=SubjectKind)
    entry = models.ForeignKey(CatalogueEntry, verbose_name=_("entry"), on_delete=models.PROTECT, **UNCHECKED)
    version = models.ForeignKey(EntryVersion, verbose_name=_("version"), on_delete=models.PROTECT, **UNCHECKED)
    agency = models.ForeignKey(Agency, verbose_name=_("source unit"), on_delete=models.PROTECT, **UNCHECKED)
    site = models.ForeignKey(Site, verbose_name=_("public site"), on_delete=models.PROTECT, **UNCHECKED)
    field = models.CharField(_("key field"), max_length=30, choices=KeyField, blank=True)
    polarity = models.CharField(_("direction"), max_length=10, choices=Polarity)
    document_number = models.CharField(_("document number"), max_length=128, blank=True)
    decided_on = models.DateField(_("decided on"))
    effects = ArrayField(models.CharField(max_length=40), verbose_name=_("effects"), default=list, blank=True)
    tier = models.CharField(_("tier"), max_length=10, choices=Tier)
    repairable_from = models.DateField(_("minimum publication ends"), null=True, blank=True)
    publish_until = models.DateField(_("publication ends"), null=True, blank=True)
    retain_until = models.DateField(_("kept until"), null=True, blank=True)
    minor_at_decision = models.BooleanField(_("subject was a minor"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=RecordState, default=RecordState.IN_FORCE)
    disputed = models.BooleanField(_("disputed"), default=False)
    withheld = models.BooleanField(_("withheld until the source answers"), default=False)
    statement = SealedTextField(_("statement of the person"), null=True, blank=True)
    payload = models.JSONField(_("content"), default=dict)
    sealed_payload = SealedTextField(_("personal content"), null=True)
    digest = models.BinaryField(_("digest of the content"), max_length=16)
    batch = models.ForeignKey(FeedBatch, verbose_name=_("batch"), null=True, on_delete=models.PROTECT, **UNCHECKED)
    row_number = models.PositiveIntegerField(_("row in the batch"), null=True)
    received_at = models.DateTimeField(_("received"), db_default=Now(), editable=False)
    changed_at = models.DateTimeField(_("last changed"), db_default=Now(), editable=False)

    objects = CreditRecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("credit record")
        verbose_name_plural = _("credit records")
        triggers: ClassVar = [
            _set_based("coherent_insert", pgtrigger.Insert, RECEIVED + INSERTED),
            _set_based("coherent_update", pgtrigger.Update, UPDATED + CHECKED_AGAIN, old="old_rows"),
            _set_based("note_added", pgtrigger.Insert, NOTE_ADDED),
            _set_based("note_changed", pgtrigger.Update, NOTE_CHANGED, old="old_rows"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subject", "entry", "agency", "document_number"],
                name="record_once",
                violation_error_message=_("This unit has already recorded this decision about this subject."),
            ),
            models.CheckConstraint(
                condition=~Q(polarity=Polarity.NEGATIVE)
                | (
                    Q(publish_until__isnull=False, repairable_from__isnull=False, retain_until__isnull=False)
                    & ~Q(tier=Tier.NONE)
                ),
                name="record_negative_has_periods",
                violation_error_message=_("An unfavourable record has a tier, periods and a retention."),
            ),
            models.CheckConstraint(
                condition=Q(repairable_from=None)
                | (Q(repairable_from__gte=F("decided_on")) & Q(publish_until__gte=F("repairable_from"))),
                name="record_periods_in_order",
                violation_error_message=_("Decision, minimum and maximum publication end follow each other."),
            ),
            models.CheckConstraint(
                condition=~Q(polarity=Polarity.NEGATIVE, minor_at_decision=True),
                name="record_no_negative_of_minors",
                violation_error_message=_("No unfavourable record of a minor is kept."),
            ),
            models.CheckConstraint(
                condition=Q(subject_kind=SubjectKind.PERSON) | Q(minor_at_decision=False),
                name="record_minor_is_person",
                violation_error_message=_("Only a natural person can be a minor."),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["site", "entry", "-decided_on", "-id"], name="record_register"),
            models.Index(fields=["publish_until"], name="record_expiry", condition=Q(state=RecordState.IN_FORCE)),
            models.Index(
                fields=["retain_until"],
                name="record_retention",
                condition=Q(retain_until__isnull=False) & ~Q(state=RecordState.ARCHIVED),
            ),
            # Pattern operators: a document number is also searched by its beginning, whatever the collation.
            models.Index(fields=["document_number"], name="record_document", opclasses=["varchar_pattern_ops"]),
            # Rows come in the order of their receipt: a month is found by a few kilobytes that cost an insert nothing.
            BrinIndex(fields=["received_at"], name="record_received", pages_per_range=32, autosummarize=True),
        ]

    def __str__(self) -> str:
        return f"{self.entry} {self.document_number}".strip()

    @property
    def last_day_shown(self) -> datetime.date | None:
        """The last day of publication; `publish_until` is the first day after it."""
        return self.publish_until and self.publish_until - datetime.timedelta(days=1)

    @property
    def token(self) -> str:
        """The public number of the record: 128 bits, not to be guessed, made from the key without a column."""
        return public_token(TOKEN_KIND, self.pk)
