"""Queries of staff about persons: one by one, many at once, and automatic answers that a person looks at again."""

import datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import audited, audited_without, guarded
from creditplatform.core.models import Agency, ApiClient, User
from creditplatform.core.sealed import BlindIndexField, SealedTextField
from creditplatform.core.vault import public_token
from records.enums import BatchCheckState, HumanReviewState, NotChecked, Outcome, QueryKind, QueryState
from records.models.authorisation import Authorisation
from records.models.purpose import Purpose
from records.models.subject import Subject
from records.querysets.queries import BatchCheckQuerySet, HumanReviewQuerySet, QueryQuerySet

QUERY_KIND = "query"
BATCH_KIND = "batch-check"
REVIEW_KIND = "human-review"


class Asked(models.Model):
    """What every query names: unit, who asks, purpose, case number."""

    agency = models.ForeignKey(Agency, verbose_name=_("unit"), on_delete=models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(
        User, verbose_name=_("asked by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    client = models.ForeignKey(
        ApiClient, verbose_name=_("machine client"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    purpose = models.ForeignKey(Purpose, verbose_name=_("purpose"), on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(_("what is asked"), max_length=12, choices=QueryKind)
    case_number = models.CharField(_("case number"), max_length=60)
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    approved_by = models.ForeignKey(
        User, verbose_name=_("approved by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    refusal = models.CharField(_("reason of the refusal"), max_length=300, blank=True)

    class Meta:
        abstract = True


@audited_without("number_sealed", "name_sealed")
class Query(Asked):
    """One query about one person, by a member of a unit; answered once, within the days its approval lasts.

    Name and number are kept sealed as they were asked, until `cleared_at` and in no history; the person is bound by the
    index of the number, and whether anybody is on file is not said before the query is answered.
    """

    number_index = BlindIndexField(_("index of the number"))
    name_index = BlindIndexField(_("index of the name"))
    number_sealed = SealedTextField(_("number"), null=True)
    name_sealed = SealedTextField(_("name"), null=True)
    cleared_at = models.DateTimeField(_("name and number removed"), null=True)
    authorisation = models.ForeignKey(
        Authorisation, verbose_name=_("authorisation"), null=True, blank=True, on_delete=models.PROTECT,
        related_name="queries",
    )  # fmt: skip
    state = models.CharField(_("state"), max_length=10, choices=QueryState, default=QueryState.SUBMITTED)
    answered_at = models.DateTimeField(_("answered"), null=True)
    outcome = models.CharField(_("answer"), max_length=10, choices=Outcome, blank=True)
    reasons = ArrayField(models.CharField(max_length=30), verbose_name=_("reasons"), default=list)
    records = ArrayField(models.BigIntegerField(), verbose_name=_("records it rests on"), default=list)

    objects = QueryQuerySet.as_manager()

    class Meta:
        verbose_name = _("query")
        verbose_name_plural = _("queries")
        ordering: ClassVar = ["-asked_at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["agency", "-asked_at"], name="query_of_unit"),
            models.Index(fields=["asked_at"], condition=Q(cleared_at=None), name="query_to_clear"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(case_number=""),
                name="query_has_case",
                violation_error_message=_("A query names its case."),
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | Q(asked_by=None) | ~Q(approved_by=F("asked_by")),
                name="query_two_people",
                violation_error_message=_("A query is approved by a second person."),
            ),
            models.CheckConstraint(
                condition=Q(state=QueryState.ANSWERED, answered_at__isnull=False)
                | (~Q(state=QueryState.ANSWERED) & (Q(answered_at=None) | Q(state=QueryState.CLOSED))),
                name="query_answered_is_dated",
                violation_error_message=_("A query that was answered bears the time."),
            ),
            models.CheckConstraint(
                condition=Q(cleared_at=None, number_sealed__isnull=False, name_sealed__isnull=False)
                | Q(cleared_at__isnull=False, number_sealed__isnull=True, name_sealed__isnull=True)
                & Q(state__in=[QueryState.REFUSED, QueryState.CLOSED]),
                name="query_cleared_when_closed",
                violation_error_message=_("Name and number are removed together, once the query is closed."),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} · {self.get_state_display()}"

    @property
    def token(self) -> str:
        """The number of the query: 128 bits, not to be guessed."""
        return public_token(QUERY_KIND, self.pk)


@audited
class BatchCheck(Asked):
    """A check of many persons by a workbook or over the interface (up to 100,000 rows).

    The rows as they were read lie sealed in the private store under `file`; results stand in rows without any value
    of a person and are removed with the file on `keep_until`; those up to the row `fetched_up_to` have been handed out.
    `key` is the Idempotency-Key of a machine client, under which the same list is taken in once; `list_index` a keyed
    digest of the rows of a file, by which the same list is known again.
    """

    state = models.CharField(_("state"), max_length=10, choices=BatchCheckState, default=BatchCheckState.SUBMITTED)
    file = models.CharField(max_length=200, blank=True, editable=False)
    file_name = models.CharField(_("name of the file"), max_length=200, blank=True)
    key = models.CharField(max_length=128, blank=True, editable=False)
    list_index = BlindIndexField(null=True)  # type: ignore[misc]  # None of what came as data, and of older ones
    rows = models.PositiveIntegerField(_("rows"), default=0)
    checked = models.PositiveIntegerField(_("checked"), default=0)
    done_at = models.DateTimeField(_("done"), null=True)
    keep_until = models.DateField(_("results kept until"), null=True)
    fetched_up_to = models.PositiveIntegerField(_("handed out up to row"), default=0)

    objects = BatchCheckQuerySet.as_manager()

    class Meta:
        verbose_name = _("check of many persons")
        verbose_name_plural = _("checks of many persons")
        ordering: ClassVar = ["-asked_at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["agency", "-asked_at"], name="batch_check_of_unit")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(case_number=""),
                name="batch_check_has_case",
                violation_error_message=_("A check of many persons names its case."),
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | Q(asked_by=None) | ~Q(approved_by=F("asked_by")),
                name="batch_check_two_people",
                violation_error_message=_("A check of many persons is approved by a second person."),
            ),
            models.UniqueConstraint(
                fields=["client", "key"],
                condition=~Q(key=""),
                name="batch_check_key_once",
                violation_error_message=_("A list was sent under this key already."),
            ),
            models.CheckConstraint(
                condition=Q(checked__lte=F("rows")),
                name="batch_check_counts",
                violation_error_message=_("No more rows are checked than there are."),
            ),
            models.CheckConstraint(
                condition=~Q(state=BatchCheckState.DONE) | Q(done_at__isnull=False, keep_until__isnull=False),
                name="batch_check_done_is_dated",
                violation_error_message=_("A finished check bears its time and the day its results are removed."),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} · {self.get_state_display()}"

    @property
    def token(self) -> str:
        """The number of the check: 128 bits, not to be guessed."""
        return public_token(BATCH_KIND, self.pk)

    @property
    def begun_at(self) -> datetime.datetime:
        """From when it could be worked off; a record that changes later is not what an answer was given on.

        Rows bear no time of their own, so a change while the list waits for its turn counts as a later one.
        """
        return self.decided_at or self.asked_at


@guarded
class BatchCheckRow(models.Model):
    """The answer to one row of a batch; holds no value of the person."""

    batch = models.ForeignKey(BatchCheck, on_delete=models.PROTECT, related_name="results", db_index=False)
    row_number = models.PositiveIntegerField(_("row"))
    outcome = models.CharField(_("answer"), max_length=10, choices=Outcome, blank=True)
    problem = models.CharField(_("not checked because"), max_length=20, choices=NotChecked, blank=True)
    reasons = ArrayField(models.CharField(max_length=30), verbose_name=_("reasons"), default=list)
    records = ArrayField(models.BigIntegerField(), verbose_name=_("records it rests on"), default=list)

    class Meta:
        verbose_name = _("row of a check")
        verbose_name_plural = _("rows of checks")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["batch", "row_number"],
                name="batch_check_row_once",
                violation_error_message=_("This row has its answer already."),
            ),
            models.CheckConstraint(
                condition=Q(outcome="") ^ Q(problem=""),
                name="batch_check_row_answered",
                violation_error_message=_("A row has an answer, or a reason why it has none."),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.batch_id} · {self.row_number}"


@audited
class HumanReview(models.Model):
    """An automatic answer that a person looks at again (PIPL, article 24): asked for by the unit or the person.

    `looked_by` is who asked for the automatic answer; neither that person nor who asked for the review decides.
    `number_index` is that of the number asked for, also where nobody is on file under it.
    `authorisation` is the consent it rests on, none under a statute; `told_at` is when the person got the notice of the
    end, which waits while the display of the look is deferred. `query`, or `batch` and `row_number`, say of which
    answer of the unit it is; neither where a system of the unit or the person asked.
    """

    subject = models.ForeignKey(
        Subject, verbose_name=_("person"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    number_index = BlindIndexField(_("index of the number"), null=True)  # type: ignore[misc]  # None of older ones
    agency = models.ForeignKey(Agency, verbose_name=_("unit that asked"), on_delete=models.PROTECT, related_name="+")
    purpose = models.ForeignKey(Purpose, verbose_name=_("purpose"), on_delete=models.PROTECT, related_name="+")
    case_number = models.CharField(_("case number"), max_length=60)
    outcome = models.CharField(_("automatic answer"), max_length=10, choices=Outcome)
    reasons = ArrayField(models.CharField(max_length=30), verbose_name=_("reasons"), default=list)
    records = ArrayField(models.BigIntegerField(), verbose_name=_("records it rests on"), default=list)
    state = models.CharField(_("state"), max_length=10, choices=HumanReviewState, default=HumanReviewState.REQUESTED)
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    asked_by = models.ForeignKey(
        User, verbose_name=_("asked by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    looked_by = models.ForeignKey(
        User, verbose_name=_("who had the automatic answer made"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    client = models.ForeignKey(
        ApiClient, verbose_name=_("machine client"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    authorisation = models.ForeignKey(
        Authorisation, verbose_name=_("authorisation"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    query = models.ForeignKey(
        Query, verbose_name=_("query"), null=True, on_delete=models.PROTECT, related_name="reviews"
    )
    batch = models.ForeignKey(
        BatchCheck, verbose_name=_("check of many persons"), null=True, on_delete=models.PROTECT, related_name="reviews"
    )
    row_number = models.PositiveIntegerField(_("row"), null=True)
    due_on = models.DateField(_("due"), null=True)
    words = SealedTextField(_("what should be considered"), null=True, blank=True)
    decision = models.CharField(_("decision"), max_length=10, choices=Outcome, blank=True)
    grounds = SealedTextField(_("grounds of the decision"), null=True, blank=True)
    decided_by = models.ForeignKey(
        User, verbose_name=_("decided by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    told_at = models.DateTimeField(_("person told"), null=True)

    objects = HumanReviewQuerySet.as_manager()

    class Meta:
        verbose_name = _("result before a person")
        verbose_name_plural = _("results before a person")
        ordering: ClassVar = ["-asked_at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["agency", "-asked_at"], name="human_review_of_unit"),
            models.Index(fields=["id"], condition=Q(told_at=None), name="human_review_to_tell"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    state=HumanReviewState.REQUESTED, decision="", decided_by=None, decided_at=None, ended_at=None
                )
                | Q(state=HumanReviewState.ENDED, decision="", decided_by=None, decided_at=None, ended_at__isnull=False)
                | (
                    Q(state=HumanReviewState.DECIDED, decision__in=[Outcome.YES, Outcome.NO], ended_at=None)
                    & Q(decided_by__isnull=False, decided_at__isnull=False, grounds__isnull=False)
                ),
                name="human_review_decided_by_somebody",
                violation_error_message=_("A person decides yes or no, with grounds; an open review has no decision."),
            ),
            models.CheckConstraint(
                condition=(Q(decided_by=None) | Q(asked_by=None) | ~Q(decided_by=F("asked_by")))
                & (Q(decided_by=None) | Q(looked_by=None) | ~Q(decided_by=F("looked_by"))),
                name="human_review_second_person",
                violation_error_message=_("Whoever asked does not decide."),
            ),
            models.CheckConstraint(
                condition=Q(batch=None, row_number=None) | Q(batch__isnull=False, row_number__isnull=False, query=None),
                name="human_review_of_one_answer",
                violation_error_message=_("A review is of one answer: that of a query, or of a row of a check."),
            ),
            models.UniqueConstraint(
                fields=["subject", "agency", "purpose", "case_number"],
                condition=Q(state=HumanReviewState.REQUESTED),
                name="human_review_one_open",
                violation_error_message=_("This result is before a person already."),
            ),
            models.UniqueConstraint(
                fields=["number_index", "agency", "purpose", "case_number"],
                condition=Q(state=HumanReviewState.REQUESTED),
                name="human_review_one_open_of_number",
                violation_error_message=_("This result is before a person already."),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} · {self.get_state_display()}"

    @property
    def overdue(self) -> bool:
        """Whether it waits although its day has passed."""
        waits = self.state == HumanReviewState.REQUESTED
        return waits and self.due_on is not None and self.due_on < timezone.localdate()

    @property
    def token(self) -> str:
        """The number of the review: 128 bits, not to be guessed."""
        return public_token(REVIEW_KIND, self.pk)
