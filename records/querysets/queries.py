"""Reading rules of purposes, authorisations, queries, reviews and representations."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import models
from django.db.models import Exists, ExpressionWrapper, F, OuterRef, Q
from django.db.models.functions import Left
from django.utils import timezone

from creditplatform.core.enums import Role
from creditplatform.core.models import AccessLog, Agency, Site, User
from creditplatform.core.vault import pk_of_token
from records.enums import (
    AuthorisationState,
    BatchCheckState,
    HumanReviewState,
    PurposeState,
    QueryState,
    RepresentationState,
    ReviewCause,
    ReviewState,
    WindowRequestState,
)
from records.querysets import DECIDING, SUPERVISING, centre_units, sites_led, units_of

if TYPE_CHECKING:
    from records.models import (  # noqa: F401
        AccessDeferral,
        AccessReview,
        Authorisation,
        BatchCheck,
        CreditReport,
        HumanReview,
        Purpose,
        PurposeUser,
        Query,
        Representation,
        Subject,
        WindowRequest,
    )

REPORT_KIND = "credit-report"
SURELY_KEPT = 50  # letters of a case number that stand before the row of a check of many persons


def deferred_case(subject: Subject, *, purpose: str = "purpose", on: datetime.date | None = None) -> Exists:
    """Whether a row is about a case in which the display of a unit's look at the person is deferred.

    For rows with `agency`, `case_number` and a purpose; a result of a check of many bears its row behind the case.
    """
    holding = apps.get_model("records", "AccessDeferral")._default_manager.holding(on=on).filter(subject=subject)
    looks = AccessLog.objects.filter(
        pk__in=holding.values("access_id"), agency=OuterRef("agency"), purpose=OuterRef(purpose)
    ).annotate(case=ExpressionWrapper(OuterRef("case_number"), output_field=models.CharField()))
    of_a_row = Q(case__contains=" #", case__startswith=Left(F("case_number"), SURELY_KEPT))
    return Exists(looks.filter(Q(case=F("case_number")) | of_a_row))


class PurposeQuerySet(models.QuerySet["Purpose"]):
    """Which purposes may be used."""

    def in_force(self, *, on: datetime.date | None = None) -> PurposeQuerySet:
        """Purposes in force whose legal basis is confirmed and itself in force on that day."""
        day = on or timezone.localdate()
        begun = Q(legal_basis__in_force_from=None) | Q(legal_basis__in_force_from__lte=day)
        lasts = Q(legal_basis__in_force_until=None) | Q(legal_basis__in_force_until__gt=day)
        return self.filter(begun, lasts, state=PurposeState.IN_FORCE, legal_basis__confirmed=True)

    def open_to(self, agency: Agency | int, *, on: datetime.date | None = None) -> PurposeQuerySet:
        """Purposes in force that a unit may ask for on that day."""
        day = on or timezone.localdate()
        key = agency.pk if isinstance(agency, Agency) else agency
        lasting = Q(users__valid_until=None) | Q(users__valid_until__gt=day)
        return self.in_force(on=day).filter(
            lasting, users__agency=key, users__agency__active=True, users__valid_from__lte=day
        )

    def at_site(self, site: Site) -> PurposeQuerySet:
        """Purposes of that site, and those of both."""
        return self.filter(Q(site=None) | Q(site=site))


class PurposeUserQuerySet(models.QuerySet["PurposeUser"]):
    """Which units may ask for a purpose."""

    def holding(self, *, on: datetime.date | None = None) -> PurposeUserQuerySet:
        """Those that hold on that day, of units that are active."""
        day = on or timezone.localdate()
        lasting = Q(valid_until=None) | Q(valid_until__gt=day)
        return self.filter(lasting, valid_from__lte=day, agency__active=True)


class AuthorisationQuerySet(models.QuerySet["Authorisation"]):
    """Which authorisations count."""

    def usable(self, *, at: datetime.datetime | None = None) -> AuthorisationQuerySet:
        """Granted, begun, not ended, not used up at that moment: asked of the bounds, never of a timer."""
        now = at or timezone.now()
        return self.filter(
            state=AuthorisationState.GRANTED, valid_from__lte=now, expires_at__gt=now, uses__lt=F("uses_allowed")
        )

    def waiting(self, *, at: datetime.datetime | None = None) -> AuthorisationQuerySet:
        """Requests that the person may still answer."""
        return self.filter(state=AuthorisationState.REQUESTED, answer_until__gt=at or timezone.now())

    def of_person(self, subject: Subject) -> AuthorisationQuerySet:
        """Requests to this very person, named rightly, and what the person answered, also under an earlier name."""
        meant = Q(number_index=bytes(subject.number_index), name_index=bytes(subject.name_index))
        return self.filter(meant | Q(subject=subject))

    def of_unit(self, user: User) -> AuthorisationQuerySet:
        """Those of the units in which a person works."""
        return self.filter(agency__in=units_of(user))


class QueryQuerySet(models.QuerySet["Query"]):
    """Who sees which queries."""

    def visible_to(self, user: User) -> QueryQuerySet:
        """Own ones; supervisors also those of their unit."""
        return self.filter(Q(asked_by=user) | Q(agency__in=units_of(user, SUPERVISING)))

    def to_approve(self, user: User) -> QueryQuerySet:
        """Those of the units this person supervises that somebody else asked and that wait for approval."""
        waiting = self.filter(state=QueryState.SUBMITTED, agency__in=units_of(user, SUPERVISING))
        return waiting.exclude(asked_by=user)


class BatchCheckQuerySet(models.QuerySet["BatchCheck"]):
    """Who sees which checks of many persons."""

    def visible_to(self, user: User) -> BatchCheckQuerySet:
        """Own ones; supervisors also those of their unit."""
        return self.filter(Q(asked_by=user) | Q(agency__in=units_of(user, SUPERVISING)))

    def to_approve(self, user: User) -> BatchCheckQuerySet:
        """Those of the units this person supervises that somebody else asked and that wait for approval."""
        waiting = self.filter(state=BatchCheckState.SUBMITTED, agency__in=units_of(user, SUPERVISING))
        return waiting.exclude(asked_by=user)


class HumanReviewQuerySet(models.QuerySet["HumanReview"]):
    """Who sees which results that were sent to a person."""

    def visible_to(self, user: User) -> HumanReviewQuerySet:
        """Those of the units in which a person decides."""
        return self.filter(agency__in=units_of(user, DECIDING))

    def to_decide(self, user: User) -> HumanReviewQuerySet:
        """Open ones of those units, without those that this person asked for or had the answer made of."""
        return self.visible_to(user).waiting().exclude(asked_by=user).exclude(looked_by=user)

    def waiting(self) -> HumanReviewQuerySet:
        """Not decided yet."""
        return self.filter(state=HumanReviewState.REQUESTED)

    def shown_to(self, subject: Subject, *, on: datetime.date | None = None) -> HumanReviewQuerySet:
        """Those about a person that may be shown to them: without a unit's own, while the look is deferred."""
        acts = Q(asked_by__real_name__subject__represents__person=subject)
        asked = self.model._default_manager.filter(Q(asked_by__real_name__subject=subject) | acts, subject=subject)
        deferred = deferred_case(subject, purpose="purpose_id", on=on)
        return self.filter(Q(pk__in=asked.values("pk")) | ~deferred, subject=subject)


class AccessReviewQuerySet(models.QuerySet["AccessReview"]):
    """Who sees which reviews of accesses."""

    def visible_to(self, user: User) -> AccessReviewQuerySet:
        """Supervisors those of their unit, the centre those of its place, auditors all; nobody those of the own looks,
        of looks at themselves, and the own complaints.

        Complaints about a credit centre also whoever judges them: the one of the other place, and the superior unit.
        """
        others = self.exclude(actor=user).exclude(complainant=user).exclude(subject__binding__user=user)
        led = sites_led(user)
        if Role.AUDITOR in user.roles:
            return others
        supervised = units_of(user, SUPERVISING)
        elsewhere = ~Q(agency__site__in=led) if led else Q(pk__in=[])
        of_centres = Q(cause=ReviewCause.COMPLAINT, agency__in=centre_units())
        return others.filter(
            Q(agency__in=supervised)
            | Q(agency__site__in=led)
            | (of_centres & (elsewhere | Q(agency__parent__in=supervised)))
        )

    def asked_of(self, user: User) -> AccessReviewQuerySet:
        """Accesses that wait for this person's explanation: own ones, and those of machines of the own unit."""
        machines = Q(actor=None, agency__in=units_of(user, DECIDING))
        return self.filter(Q(actor=user) | machines, state=ReviewState.ASKED).exclude(complainant=user)

    def open(self) -> AccessReviewQuerySet:
        """Not ended yet."""
        return self.exclude(state__in=[ReviewState.RIGHT, ReviewState.WRONG])


class DeferralQuerySet(models.QuerySet["AccessDeferral"]):
    """Which deferrals hold."""

    def holding(self, *, on: datetime.date | None = None) -> DeferralQuerySet:
        """Approved ones whose end has not come: asked of the date, never of a timer."""
        return self.filter(until__gt=on or timezone.localdate(), approved_by__isnull=False)


class RepresentationQuerySet(models.QuerySet["Representation"]):
    """Which representations hold, and which wait for an official."""

    def waiting(self) -> RepresentationQuerySet:
        """Asked for, checked by one official, or contested."""
        states = (RepresentationState.REQUESTED, RepresentationState.CHECKED, RepresentationState.CONTESTED)
        return self.filter(state__in=states)

    def holding(self, *, on: datetime.date | None = None) -> RepresentationQuerySet:
        """Confirmed ones within their period: asked of their dates."""
        day = on or timezone.localdate()
        return self.filter(
            Q(valid_until=None) | Q(valid_until__gt=day), state=RepresentationState.CONFIRMED, valid_from__lte=day
        )


class WindowRequestQuerySet(models.QuerySet["WindowRequest"]):
    """Which acts at the window wait for a second official."""

    def waiting(self, *, at: datetime.datetime | None = None) -> WindowRequestQuerySet:
        """Those that may still be decided at that moment: asked of their end, never of a timer."""
        return self.filter(state=WindowRequestState.REQUESTED, expires_at__gt=at or timezone.now())

    def at_window(self, agency: Agency | None) -> WindowRequestQuerySet:
        """Those of the window of that credit centre, none where there is none."""
        return self.filter(agency=agency)


class CreditReportQuerySet(models.QuerySet["CreditReport"]):
    """Which reports."""

    def with_code(self, code: str) -> CreditReport | None:
        """The report of that number, or nothing; one query whatever was given, so that none is quicker refused."""
        pk = pk_of_token(REPORT_KIND, code)
        rows = self.select_related("subject", "site", "agency", "authorisation")
        return rows.filter(pk=-1 if pk is None else pk).first()

    def with_file(self, digest: str) -> CreditReport | None:
        """The report whose PDF or signed JSON has this SHA-256, or nothing."""
        rows = self.select_related("subject", "site", "agency", "authorisation")
        return rows.filter(Q(pdf_digest=digest) | Q(signed_digest=digest)).first()

    def of_person(self, subject_id: int) -> CreditReportQuerySet:
        """Reports the person or a representative got, newest first; those given to units stand in the access log."""
        return self.filter(subject=subject_id, agency=None).order_by("-issued_at", "-pk")

    def of_units(self, subject_id: int) -> CreditReportQuerySet:
        """Reports about a person that units got, newest first."""
        return self.filter(subject=subject_id, agency__isnull=False).order_by("-issued_at", "-pk")
