"""Which tables of ours are tracked how, and rows in each of them to be changed by tests."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pgtrigger
import psycopg2
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from creditplatform.core.models import Agency, ApiClient
from records.enums import AffiliationRole, CrossCheckKind, CrossCheckState, VersionState
from records.models import (
    Affiliation,
    CreditRecord,
    CrossCheck,
    Entitlement,
    EntitlementGroupObjectPermission,
    EntitlementUserObjectPermission,
    EntryField,
    EntryVersion,
    ExchangePeer,
    FeedBatch,
    KeyGroup,
    KeyGroupMembership,
    MissingRecord,
    MonthlyReport,
    MonthlyReportLine,
    PeerEntry,
    QuarantinedRow,
    Representation,
    Subject,
)
from tests.cast import Cast
from tests.deliveries import ingest, penalty
from tests.records.query_rows import one_of_each

Model = type[models.Model]
OURS = {"core", "records", "sanctions", "repair", "publicity"}

# Tables of ours that need neither context nor history, each with the reason. A new model lands here only with one.
EXEMPT = {
    "core.OutboxEvent": "news between apps, written in the transaction of the change it reports; holds keys only",
    "core.Heartbeat": "signs of life of workers, overwritten every few seconds; about no person",
    "core.Notice": "the row is its own account: delivery, proof and reading are columns bound by constraints",
    "records.FeedMemory": "keyed digests made anew with every delivery and never the truth; about no person",
    "records.PeerState": "how far a peer of the exchange has got, made anew at every contact; about no person",
    "records.ChangeNote": "written by the trigger of an audited change, gone once it is numbered; holds keys only",
    "records.DemonstrationIdentity": "lines of a register of fictitious persons; a real installation has none",
}

# One harmless change per audited table: column and SQL expression. A new audited model needs a line here.
CHANGES = {
    "core.Region": ("name_en", "name_en || '!'"),
    "core.Site": ("sponsor_en", "sponsor_en || '!'"),
    "core.Agency": ("office_en", "office_en || '!'"),
    "core.User": ("display_name", "display_name || '!'"),
    "core.UserGroup": ("group_id", "(SELECT max(id) FROM auth_group)"),
    "core.UserPermission": ("permission_id", "(SELECT max(id) FROM auth_permission)"),
    "core.Membership": ("valid_until", "valid_from + 400"),
    "core.RuleValue": ("source", "source || '!'"),
    "core.CalendarDay": ("name", "name || '!'"),
    "core.ApiClient": ("name", "name || '!'"),
    "records.LegalBasis": ("title_en", "title_en || '!'"),
    "records.CatalogueEntry": ("name_en", "name_en || '!'"),
    "records.EntryVersion": ("meaning_en", "meaning_en || '!'"),
    "records.EntryField": ("name_en", "name_en || '!'"),
    "records.CrossCheck": ("due_on", "due_on + 1"),
    "records.MissingRecord": ("proposed_at", "proposed_at + interval '1 day'"),
    "records.Entitlement": ("entry_id", "(SELECT min(id) FROM records_catalogueentry)"),
    "records.EntitlementUserObjectPermission": ("permission_id", "(SELECT min(id) FROM auth_permission)"),
    "records.EntitlementGroupObjectPermission": ("permission_id", "(SELECT min(id) FROM auth_permission)"),
    "records.Feed": ("expected_max", "expected_max + 1"),
    "records.QuarantinedRow": ("line_number", "line_number + 1"),
    "records.Subject": ("created_at", "created_at - interval '1 day'"),
    "records.Affiliation": ("valid_until", "valid_from + 400"),
    "records.KeyGroup": ("name_en", "name_en || '!'"),
    "records.KeyGroupMembership": ("valid_until", "valid_from + 400"),
    "records.RealNameBinding": ("adapter", "adapter || '!'"),
    "records.Representation": ("valid_from", "valid_from - 1"),
    "records.CreditRecord": ("disputed", "NOT disputed"),
    "records.MonthlyReport": ("due_on", "due_on + 1"),
    "records.MonthlyReportLine": ("reason", "reason || '!'"),
    "records.ExchangePeer": ("paused", "NOT paused"),
    "records.PeerEntry": ("persons", "NOT persons"),
    "records.Purpose": ("name_en", "name_en || '!'"),
    "records.PurposeUser": ("valid_until", "valid_from + 400"),
    "records.Authorisation": ("case_number", "case_number || '!'"),
    "records.PriorNotice": ("case_number", "case_number || '!'"),
    "records.ShareLink": ("wrong_codes", "wrong_codes + 1"),
    "records.Query": ("case_number", "case_number || '!'"),
    "records.BatchCheck": ("case_number", "case_number || '!'"),
    "records.HumanReview": ("case_number", "case_number || '!'"),
    "records.AccessReview": ("due_on", "due_on + 1"),
    "records.AccessDeferral": ("until", "until + 1"),
    "records.PublicWords": ("asked_at", "asked_at - interval '1 hour'"),
    "records.WindowRequest": ("expires_at", "expires_at + interval '1 hour'"),
    "records.CreditReport": ("revocation", "revocation || '!'"),
}


def our_models() -> list[Model]:
    """Every table of ours, those that Django makes for many-to-many fields included."""
    found = apps.get_models(include_auto_created=True)
    return [model for model in found if model._meta.app_label in OURS]


def trigger_names(model: Model) -> set[str]:
    return {trigger.name for owner, trigger in pgtrigger.registered() if owner is model}


def is_history(model: Model) -> bool:
    return hasattr(model, "pgh_tracked_model")


def history_of(model: Model) -> Model | None:
    return next((m for m in our_models() if is_history(m) and m.pgh_tracked_model is model), None)  # type: ignore[attr-defined]


GUARDED = [m for m in our_models() if "needs_context" in trigger_names(m)]
AUDITED = [m for m in GUARDED if history_of(m)]
HISTORY = [m for m in our_models() if is_history(m)]
LEDGERS = [m for m in our_models() if "append_only" in trigger_names(m) and not is_history(m)]


def label(model: Model) -> str:
    return model._meta.label


def sql(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def refused(*codes: str) -> Iterator[None]:
    """The statement inside is refused by the database with one of these SQLSTATEs; the transaction goes on."""
    with pytest.raises((DatabaseError, psycopg2.Error)) as caught, transaction.atomic():
        yield
    found = getattr(caught.value.__cause__ or caught.value, "pgcode", None)  # COPY comes straight from the driver
    assert found in codes, caught.value


@contextmanager
def taken_back() -> Iterator[None]:
    """What happens inside is undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def make_rows(cast: Cast) -> None:
    """At least one row in every audited table, besides those of the policy and the cast."""
    ingest(penalty(1), penalty(2, CF_JDRQ="never"))
    person, company = cast.person.real_name.subject, CreditRecord.objects.get().subject
    day = CreditRecord.objects.get().decided_on
    Affiliation.objects.create(person=person, organisation=company, role=AffiliationRole.MEMBER, valid_from=day)
    KeyGroupMembership.objects.create(
        subject=person, group=KeyGroup.objects.all()[0], licence_number="1", valid_from=day
    )
    MissingRecord.objects.create(
        record=CreditRecord.objects.get(), feed=FeedBatch.objects.all()[0].feed, batch=FeedBatch.objects.all()[0]
    )
    one_cross_check(person)
    Representation.objects.create(
        person=person, representative=cast.stranger.real_name.subject, kind="heir", scope=["file"],
        papers_kind="kinship", requested_by=cast.stranger,
    )  # fmt: skip
    entitlement = Entitlement.objects.all()[0]
    group_model = apps.get_model("auth", "Group")
    permission = apps.get_model("auth", "Permission").objects.get(codename="enter_records")
    EntitlementUserObjectPermission.objects.create(user=cast.clerk, permission=permission, content_object=entitlement)
    EntitlementGroupObjectPermission.objects.create(
        group=group_model.objects.create(name="clerks"), permission=permission, content_object=entitlement
    )
    cast.clerk.user_permissions.add(permission)
    cast.clerk.groups.add(group_model.objects.create(name="first"))
    group_model.objects.create(name="second")
    ApiClient.objects.create(
        name="exchange machine", agency=entitlement.agency, client_type="confidential",
        authorization_grant_type="client-credentials",
    )  # fmt: skip
    report = MonthlyReport.objects.create(agency=entitlement.agency, month=day.replace(day=1), due_on=day)
    MonthlyReportLine.objects.create(report=report, act="penalty", produced=1)
    peer = ExchangePeer.objects.create(code="x", name="x", name_en="x", kind="city", agency=entitlement.agency)
    PeerEntry.objects.create(peer=peer, entry=entitlement.entry)
    one_of_each(SimpleNamespace(cast=cast, person=person, market=Agency.objects.get(code="hz-market")))
    a_draft()


def one_cross_check(person: Subject) -> CrossCheck:
    """Two units that differ about a person, both asked already."""
    record, row = CreditRecord.objects.all()[0], QuarantinedRow.objects.all()[0]
    return CrossCheck.objects.create(
        subject=person, kind=CrossCheckKind.NAME, holder=Agency.objects.get(code="gs-market"), sender=record.agency,
        feed=row.feed, record=record, row=row, state=CrossCheckState.ASKED, due_on=datetime.date(2026, 4, 1),
    )  # fmt: skip


def a_draft() -> EntryVersion:
    """A version that may still be edited, with one field."""
    like = EntryVersion.objects.filter(state=VersionState.IN_FORCE)[0]
    draft = EntryVersion.objects.get(pk=like.pk)
    draft.pk, draft.number, draft.state = None, 99, VersionState.DRAFT
    draft.save()
    EntryField.objects.create(version=draft, position=1, code="A", name="甲", name_en="A", type="text")
    return draft


def key_of_a_row(model: Model) -> Any:
    """Any row that may be changed at all: fields and versions only of drafts."""
    found = model._base_manager.order_by("pk")
    if model is EntryVersion:
        found = found.filter(number=99)
    if model is EntryField:
        found = found.filter(version__number=99)
    if model is Entitlement:
        found = found.order_by("-entry_id", "pk")
    row = found.values_list("pk", flat=True).first()
    assert row is not None, f"no row of {model._meta.label} to change; make one in `make_rows`"
    return row


def events_of(model: Model, key: Any) -> list[dict[str, Any]]:
    history = history_of(model)
    assert history
    column = model._meta.pk.attname  # type: ignore[union-attr]
    return list(history._base_manager.filter(**{column: key}).order_by("pgh_id").values())
