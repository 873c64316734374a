"""For every named constraint one act that offends it, past every form."""

import datetime
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import DatabaseError, connection, models, transaction
from django.db.models import BaseConstraint, F
from django.utils import timezone

from creditplatform.core.enums import Authority, Role, Scope
from creditplatform.core.models import (
    Agency,
    ApiClient,
    Membership,
    OutboxEvent,
    Receipt,
    User,
    UserGroup,
    UserPermission,
)
from records.enums import Required, VersionState
from records.models import (
    CatalogueEntry,
    CreditRecord,
    DeliveryKey,
    Entitlement,
    Feed,
    LegalBasis,
    Subject,
)
from tests.machines import machine
from tests.records.world import DAY, World

OURS = {"core", "records", "sanctions", "repair", "publicity"}
LATER = datetime.date(2026, 6, 1)
Provocation = Callable[[World], object]
PROVOCATIONS: dict[str, Provocation] = {}


def provokes(name: str) -> Callable[[Provocation], Provocation]:
    """Marks the function that breaks this constraint, and only this one."""

    def note(function: Provocation) -> Provocation:
        assert name not in PROVOCATIONS, name
        PROVOCATIONS[name] = function
        return function

    return note


def our_constraints() -> dict[str, tuple[type[models.Model], BaseConstraint]]:
    ours = [m for m in apps.get_models() if m._meta.app_label in OURS and not hasattr(m, "pgh_tracked_model")]
    return {c.name: (model, c) for model in ours for c in model._meta.constraints}


# --- core ----------------------------------------------------------------------------------------


@provokes("agency_credit_code_once")
def _(w: World) -> None:
    one, two = Agency.objects.order_by("pk")[:2]
    Agency.objects.filter(pk__in=[one.pk, two.pk]).update(credit_code="91441300MA0000001X")


@provokes("agency_credit_code_form")
def _(w: World) -> None:
    Agency.objects.filter(pk=w.market.pk).update(credit_code="91441300MA000001")


@provokes("user_name_once")
def _(w: World) -> None:
    User.objects.bulk_create([User(username="CLERK")])


@provokes("membership_ends_after_start")
def _(w: World) -> None:
    Membership.objects.filter(user=w.cast.clerk).update(valid_until=F("valid_from"))


@provokes("membership_once_at_a_time")
def _(w: World) -> None:
    Membership.objects.create(user=w.cast.clerk, agency=w.market, role=Role.CLERK, valid_from=LATER)


@provokes("rule_value_ends_after_start")
def _(w: World) -> None:
    w.rule(valid_until=DAY)


@provokes("rule_value_two_people")
def _(w: World) -> None:
    w.rule(delivered=False, entered_by=w.cast.centre, approved_by=w.cast.centre)


@provokes("rule_value_basis_confirmed")
def _(w: World) -> None:
    w.rule(confirmed=False)


@provokes("rule_value_one_at_a_time")
def _(w: World) -> None:
    w.rule()
    w.rule(valid_from=LATER)


@provokes("accesslog_purpose")
def _(w: World) -> None:
    w.look(purpose="")


@provokes("accesslog_reference")
def _(w: World) -> None:
    w.look(authority=Authority.CONSENT)


@provokes("receipt_once")
def _(w: World) -> None:
    event = OutboxEvent.objects.create(topic="t")
    Receipt.objects.bulk_create([Receipt(event=event, consumer="c"), Receipt(event=event, consumer="c")])


@provokes("user_group_once")
def _(w: World) -> None:
    user, group = User.objects.all()[0], Group.objects.create(name="g")
    UserGroup.objects.bulk_create([UserGroup(user=user, group=group), UserGroup(user=user, group=group)])


@provokes("user_permission_once")
def _(w: World) -> None:
    user, held = User.objects.all()[0], Permission.objects.all()[0]
    UserPermission.objects.bulk_create([UserPermission(user=user, permission=held)] * 2)


@provokes("notice_once")
def _(w: World) -> None:
    w.notice()
    w.notice()


@provokes("notice_read_after_delivery")
def _(w: World) -> None:
    w.notice(read_at=timezone.now())


@provokes("notice_delivery_proven")
def _(w: World) -> None:
    w.notice(delivered_at=timezone.now())


# --- catalogue -------------------------------------------------------------------------------------


@provokes("legal_basis_two_people")
def _(w: World) -> None:
    LegalBasis.objects.filter(confirmed=False).update(entered_by=w.cast.centre, confirmed_by=w.cast.centre)


@provokes("catalogue_entry_never_collected")
def _(w: World) -> None:
    CatalogueEntry.objects.create(code="x", name="血型登记", name_en="x")


@provokes("entry_version_once")
def _(w: World) -> None:
    w.draft()
    w.draft()


@provokes("entry_version_has_basis")
def _(w: World) -> None:
    w.draft(state=VersionState.RETIRED, legal_basis=None)


@provokes("entry_version_persons_by_law")
def _(w: World) -> None:
    w.draft(person_openness="public", person_publication_basis=None)


@provokes("entry_version_public_by_law")
def _(w: World) -> None:
    w.draft(openness="public", publication_basis=None)


@provokes("entry_version_one_direction")
def _(w: World) -> None:
    w.draft(polarity="neutral")


@provokes("entry_version_ends_after_start")
def _(w: World) -> None:
    w.draft(valid_until=w.version.valid_from)


@provokes("entry_version_two_people")
def _(w: World) -> None:
    w.draft(state=VersionState.RETIRED, delivered=False, entered_by=w.cast.centre, approved_by=w.cast.centre)


@provokes("entry_version_ties_persons")
def _(w: World) -> None:
    w.draft(subject_kinds=["organisation"], min_age=18)


@provokes("api_client_credentials_only")
def _(w: World) -> None:
    ApiClient.objects.create(
        name="m", agency=Agency.objects.all()[0], client_type="public", authorization_grant_type="client-credentials"
    )


@provokes("entry_version_retention")
def _(w: World) -> None:
    w.draft(retention_years=None)


@provokes("entry_version_one_at_a_time")
def _(w: World) -> None:
    w.draft(state=VersionState.IN_FORCE)


@provokes("entry_field_once")
def _(w: World) -> None:
    w.field(version=w.field().version)


@provokes("entry_field_role_once")
def _(w: World) -> None:
    version = w.field(role="subject_name").version
    w.field(version=version, code="B", role="subject_name")


@provokes("entry_field_personal_not_published")
def _(w: World) -> None:
    w.field(personal=True, published=True)


@provokes("entry_field_never_collected")
def _(w: World) -> None:
    w.field(name="宗教信仰")


@provokes("entry_field_condition_complete")
def _(w: World) -> None:
    w.field(required=Required.WHEN)


@provokes("entitlement_once")
def _(w: World) -> None:
    known = Entitlement.objects.all()[0]
    Entitlement.objects.create(agency=known.agency, entry=known.entry)


# --- feeds -----------------------------------------------------------------------------------------


@provokes("feed_range_in_order")
def _(w: World) -> None:
    Feed.objects.filter(code="hz-market-penalty").update(expected_min=5, expected_max=4)


@provokes("batch_counts_add_up")
def _(w: World) -> None:
    w.batch(received=2, accepted=1)


@provokes("batch_finished_is_dated")
def _(w: World) -> None:
    w.batch(finished_at=timezone.now())


@provokes("batch_refusal_has_reason")
def _(w: World) -> None:
    w.batch(state="refused", finished_at=timezone.now())


@provokes("batch_one_open_per_file")
def _(w: World) -> None:
    w.batch()
    w.batch(state="checking")


@provokes("delivery_key_once")
def _(w: World) -> None:
    client, batch = machine(Scope.FEEDS_WRITE), w.batch()
    for _time in range(2):
        DeliveryKey.objects.create(client=client, key="k", batch=batch)


@provokes("quarantined_row_once")
def _(w: World) -> None:
    w.row()
    w.row(state="rejected", cells=None)


@provokes("rejected_row_not_kept")
def _(w: World) -> None:
    w.row(state="rejected")


@provokes("quarantined_row_has_reason")
def _(w: World) -> None:
    w.row(problems=[])


# --- subjects and records --------------------------------------------------------------------------


@provokes("subject_number_once")
def _(w: World) -> None:
    w.organisation(number_index=w.company.number_index)


@provokes("subject_person_sealed")
def _(w: World) -> None:
    Subject.objects.filter(pk=w.person.pk).update(name="林示例")


@provokes("subject_organisation_named")
def _(w: World) -> None:
    w.organisation(name="")


@provokes("subject_code_no_placeholder")
def _(w: World) -> None:
    w.organisation(code="00000000000000000X")


@provokes("subject_kind_of_document")
def _(w: World) -> None:
    w.organisation(identifier_kind="resident_id")


@provokes("affiliation_two_subjects")
def _(w: World) -> None:
    w.affiliation(organisation=w.person)


@provokes("affiliation_ends_after_start")
def _(w: World) -> None:
    w.affiliation(valid_until=DAY)


@provokes("affiliation_once_at_a_time")
def _(w: World) -> None:
    w.affiliation(valid_until=datetime.date(2027, 1, 1))
    w.affiliation(valid_from=LATER)


@provokes("key_group_ends_after_start")
def _(w: World) -> None:
    w.key_group(valid_until=DAY)


@provokes("key_group_once_at_a_time")
def _(w: World) -> None:
    w.key_group()
    w.key_group(valid_from=LATER)


@provokes("record_once")
def _(w: World) -> None:
    copy = CreditRecord.objects.get(pk=w.record.pk)
    copy.pk = None
    copy.save(force_insert=True)


@provokes("record_negative_has_periods")
def _(w: World) -> None:
    w.negative.update(publish_until=None, repairable_from=None)


@provokes("record_periods_in_order")
def _(w: World) -> None:
    w.negative.update(repairable_from=F("publish_until") + datetime.timedelta(days=1))


@provokes("record_no_negative_of_minors")
def _(w: World) -> None:
    w.negative.update(minor_at_decision=True, subject_kind="person")


@provokes("record_minor_is_person")
def _(w: World) -> None:
    # Stands behind another constraint for unfavourable records, so a neutral one is needed.
    w.neutral.update(minor_at_decision=True)


def broken(act: Callable[[], object]) -> tuple[str, str]:
    """SQLSTATE and name of the constraint that the database names."""
    with pytest.raises((DatabaseError, psycopg2.Error)) as caught, transaction.atomic():
        act()
        connection.check_constraints()
    cause: Any = caught.value.__cause__ or caught.value
    return cause.pgcode, cause.diag.constraint_name or ""
