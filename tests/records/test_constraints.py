"""Every named constraint and guard of the database is provoked through the database, past every form."""

import datetime
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest
from django.apps import apps
from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import DatabaseError, connection, models, transaction
from django.db.models import BaseConstraint, F
from django.utils import timezone, translation

from creditplatform.core.enums import AgencyKind, Authority, Door, Role
from creditplatform.core.models import (
    AccessLog,
    Agency,
    Membership,
    Notice,
    OutboxEvent,
    Receipt,
    Region,
    RuleValue,
    Site,
    User,
)
from creditplatform.core.vault import blind_index
from records.enums import AffiliationRole, FieldType, Required, Rhythm, VersionState
from records.models import (
    Affiliation,
    CatalogueEntry,
    CreditRecord,
    Entitlement,
    EntryField,
    EntryVersion,
    Feed,
    FeedBatch,
    KeyGroup,
    KeyGroupMembership,
    LegalBasis,
    QuarantinedRow,
    Subject,
)
from tests.cast import Cast
from tests.deliveries import one_record, quick_passwords  # noqa: F401

OURS = {"core", "records", "sanctions", "repair", "publicity"}
DAY = datetime.date(2026, 1, 1)
LATER = datetime.date(2026, 6, 1)
Provocation = Callable[["World"], object]
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


class World:
    """What the provocations need: a record, a person, a draft version, each made once per test."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.record = one_record(1)
        self.person: Subject = cast.person.real_name.subject
        self.company = self.record.subject
        self.market = Agency.objects.get(code="hz-market")
        self.version = self.record.version

    @property
    def negative(self) -> models.QuerySet[CreditRecord]:
        return CreditRecord.objects.filter(pk=self.record.pk)

    @property
    def neutral(self) -> models.QuerySet[CreditRecord]:
        """A record of a company that speaks neither for nor against it."""
        entitlement = Entitlement.objects.filter(
            entry__versions__polarity="positive", entry__versions__state="in_force"
        ).select_related("agency")[0]
        version = entitlement.entry.versions.get(state="in_force")
        copy = CreditRecord.objects.get(pk=self.record.pk)
        copy.pk, copy.entry_id, copy.version, copy.polarity = None, entitlement.entry_id, version, version.polarity
        copy.agency, copy.site_id = entitlement.agency, entitlement.agency.site_id
        copy.save(force_insert=True)
        return CreditRecord.objects.filter(pk=copy.pk)

    def draft(self, **changes: Any) -> EntryVersion:
        """A copy of a version as a draft."""
        copy = EntryVersion.objects.get(pk=self.version.pk)
        values = {"pk": None, "number": 90, "state": VersionState.DRAFT, **changes}
        for name, value in values.items():
            setattr(copy, name, value)
        copy.save()
        return copy

    def field(self, **values: Any) -> EntryField:
        words = {"position": 1, "code": "A", "name": "甲", "name_en": "A", "type": FieldType.TEXT, **values}
        words.setdefault("version", None)
        words["version"] = words["version"] or self.draft()
        return EntryField.objects.create(**words)

    def rule(self, **values: Any) -> RuleValue:
        words = {
            "key": "test.rule", "value": 1, "valid_from": DAY, "legal_basis": "law", "confirmed": True,
            "delivered": True, "in_force": True, **values,
        }  # fmt: skip
        return RuleValue.objects.create(**words)

    def batch(self, **values: Any) -> FeedBatch:
        feed = Feed.objects.get(code="hz-market-penalty")
        words = {"feed": feed, "file_name": "f", "file_digest": "0" * 64, "size": 1, "door": Door.COMMAND, **values}
        return FeedBatch.objects.create(**words)

    def row(self, **values: Any) -> QuarantinedRow:
        batch = FeedBatch.objects.all()[0]
        words = {
            "batch": batch, "feed": batch.feed, "row_number": 1, "line_number": 2, "cells": "{}", "state": "open",
            "row_digest": b"0" * 16, "problems": [{"field": "", "code": "x"}], **values,
        }  # fmt: skip
        return QuarantinedRow.objects.create(**words)

    def affiliation(self, **values: Any) -> Affiliation:
        words = {
            "person": self.person, "organisation": self.company, "role": AffiliationRole.MEMBER, "valid_from": DAY,
            **values,
        }  # fmt: skip
        return Affiliation.objects.create(**words)

    def key_group(self, **values: Any) -> KeyGroupMembership:
        words = {
            "subject": self.person, "group": KeyGroup.objects.all()[0], "licence_number": "1", "valid_from": DAY, **values,
        }  # fmt: skip
        return KeyGroupMembership.objects.create(**words)

    def organisation(self, **values: Any) -> Subject:
        words = {
            "kind": "organisation", "identifier_kind": "credit_code", "number_index": blind_index("x", "t"),
            "name_index": blind_index("y", "t"), "code": "C1", "name": "N1", **values,
        }  # fmt: skip
        return Subject.objects.create(**words)

    def notice(self, **values: Any) -> Notice:
        words = {
            "addressee": blind_index("x", "t"), "code": "c", "subject_key": "s", "text": "t", "text_en": "t", **values,
        }  # fmt: skip
        return Notice.objects.create(**words)

    def look(self, **values: Any) -> AccessLog:
        words = {
            "door": Door.WEB, "purpose": "p", "authority": Authority.SELF, "subject_ref": 1, "result": "shown", **values,
        }  # fmt: skip
        return AccessLog.objects.create(**words)


@pytest.fixture
def world(cast: Cast) -> World:
    return World(cast)


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


@provokes("entry_version_once")
def _(w: World) -> None:
    w.draft()
    w.draft()


@provokes("entry_version_has_basis")
def _(w: World) -> None:
    w.draft(state=VersionState.RETIRED, legal_basis=None)


@provokes("entry_version_persons_by_law")
def _(w: World) -> None:
    w.draft(person_openness="public", person_publication_basis="")


@provokes("entry_version_ends_after_start")
def _(w: World) -> None:
    w.draft(valid_until=w.version.valid_from)


@provokes("entry_version_two_people")
def _(w: World) -> None:
    w.draft(
        state=VersionState.RETIRED, delivered=False, entered_by=w.cast.centre, approved_by=w.cast.centre
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


# --- the tests ---------------------------------------------------------------------------------------


def broken(act: Callable[[], object]) -> tuple[str, str]:
    """SQLSTATE and name of the constraint that the database names."""
    with pytest.raises((DatabaseError, psycopg2.Error)) as caught, transaction.atomic():
        act()
        connection.check_constraints()
    cause: Any = caught.value.__cause__ or caught.value
    return cause.pgcode, cause.diag.constraint_name or ""


def test_every_constraint_is_provoked() -> None:
    missing = sorted(set(our_constraints()) - set(PROVOCATIONS))
    assert not missing, f"write a function marked @provokes for: {', '.join(missing)}"
    assert set(PROVOCATIONS) <= set(our_constraints()), "a provocation of a constraint that is gone"


def test_the_database_refuses_every_provocation(world: World, subtests: pytest.Subtests) -> None:
    for name, act in PROVOCATIONS.items():
        with subtests.test(name=name):
            assert broken(lambda act=act: act(world))[1] == name  # type: ignore[misc]


def test_every_constraint_speaks_to_people(subtests: pytest.Subtests) -> None:
    for name, (_model, constraint) in our_constraints().items():
        with subtests.test(name=name), translation.override("en"):
            said = str(constraint.violation_error_message)
            assert said != str(BaseConstraint.default_violation_error_message), "the stock sentence says nothing"
            assert said.endswith(".")


def test_a_provocation_leaves_the_world_as_it_was(world: World) -> None:
    """Each provocation is refused for its own sake: without the offence the same row is accepted."""
    with transaction.atomic():
        w = world
        w.rule()
        w.batch()
        w.row(state="rejected", cells=None)
        w.affiliation()
        w.key_group()
        w.organisation()
        w.notice(delivered_at=timezone.now(), delivery_proof="p", read_at=timezone.now())
        w.look()
        w.field(role="subject_name", name="名称")


# --- the boundaries of constraints ---------------------------------------------------------------------


def test_periods_may_follow_each_other_without_a_gap(world: World) -> None:
    world.affiliation(valid_until=LATER)
    world.affiliation(valid_from=LATER)
    world.key_group(valid_until=LATER)
    world.key_group(valid_from=LATER)
    world.rule(valid_until=LATER)
    world.rule(valid_from=LATER)
    Membership.objects.create(user=world.cast.clerk, agency=world.market, role=Role.OFFICER)


def test_a_value_of_one_site_stands_beside_the_common_one(world: World) -> None:
    world.rule()
    world.rule(site=Site.objects.all()[0])


@pytest.mark.parametrize(
    "words",
    [
        {"name": "指纹"}, {"name": "血型"}, {"name": "既往病史"}, {"name": "基因信息"}, {"name": "人脸特征"},
        {"name_en": "Religion"}, {"name_en": "religious belief"}, {"name_en": "Blood Type"}, {"name_en": "FINGERPRINT"},
        {"name_en": "genetic data"}, {"name_en": "Medical history"}, {"name_en": "biometric data"},
    ],
)  # fmt: skip
def test_what_is_never_collected_is_refused_in_both_languages(world: World, words: dict[str, str]) -> None:
    assert broken(lambda: world.field(**words))[1] == "entry_field_never_collected"


@pytest.mark.parametrize("code", ["0", "000", "00000000000000000X", "0000000X", "000000000000000000"])
def test_no_placeholder_is_a_code(world: World, code: str) -> None:
    assert broken(lambda: world.organisation(code=code))[1] == "subject_code_no_placeholder"


@pytest.mark.parametrize("column", ["code", "name", "codes", "grams"])
def test_nothing_of_a_person_stands_in_clear(world: World, column: str) -> None:
    value: Any = ["x"] if column in ("codes", "grams") else "x"
    act = lambda: Subject.objects.filter(pk=world.person.pk).update(**{column: value})  # noqa: E731
    assert broken(act)[1] == "subject_person_sealed"


def test_a_blind_index_has_sixteen_bytes_by_whatever_road(world: World) -> None:
    with connection.cursor() as cursor:
        code, _name = broken(lambda: cursor.execute("UPDATE records_subject SET number_index = '\\x00'::bytea"))
    assert code == "23514"


# --- guards ------------------------------------------------------------------------------------------


@pytest.fixture
def draft(world: World) -> EntryVersion:
    return world.draft(valid_from=datetime.date(2090, 1, 1))


def changed(version: EntryVersion, **values: Any) -> Callable[[], object]:
    return lambda: EntryVersion.objects.filter(pk=version.pk).update(**values)


CONTENT = [
    {"meaning": "x"}, {"openness": "shared"}, {"polarity": "neutral"}, {"tier_rule": {}}, {"number": 77},
    {"retention_years": 1}, {"valid_from": DAY}, {"subject_kinds": ["person"]}, {"person_openness": "shared"},
    {"content_digest": "x"}, {"delivered": False}, {"key_group": "x"},
]  # fmt: skip


@pytest.mark.parametrize("values", CONTENT, ids=lambda values: next(iter(values)))
def test_a_version_in_force_is_immutable(world: World, values: dict[str, Any]) -> None:
    assert broken(changed(world.version, **values))[0] == "CR003"


def test_a_version_in_force_may_only_be_retired(world: World) -> None:
    assert broken(changed(world.version, state=VersionState.DRAFT))[0] == "CR003"
    assert changed(world.version, state=VersionState.RETIRED, valid_until=LATER)() == 1
    assert broken(changed(world.version, state=VersionState.IN_FORCE))[0] == "CR003"
    assert broken(changed(world.version, state=VersionState.DRAFT))[0] == "CR003"
    assert broken(changed(world.version, meaning="x"))[0] == "CR003"


def test_fields_of_a_version_in_force_are_immutable(world: World) -> None:
    fields = EntryField.objects.filter(version=world.version)
    assert broken(lambda: fields.update(length=1))[0] == "CR003"
    assert broken(lambda: fields.all().delete())[0] == "CR003"
    assert broken(lambda: world.field(version=world.version))[0] == "CR003"


def test_a_field_cannot_be_moved_out_of_a_version_in_force(world: World, draft: EntryVersion) -> None:
    fields = EntryField.objects.filter(version=world.version)[:1].values("pk")
    act = lambda: EntryField.objects.filter(pk__in=fields).update(version=draft, code="moved", role="")  # noqa: E731
    assert broken(act)[0] == "CR003"


def test_a_draft_and_its_fields_may_be_edited(world: World, draft: EntryVersion) -> None:
    field = world.field(version=draft)
    assert EntryField.objects.filter(pk=field.pk).update(length=7) == 1
    assert changed(draft, meaning="x")() == 1
    field.delete()


def test_a_version_comes_into_force_only_with_a_confirmed_basis(world: World, draft: EntryVersion) -> None:
    changed(world.version, valid_until=datetime.date(2090, 1, 1))()
    basis = LegalBasis.objects.create(code="x", title="x", title_en="x", level="law", confirmed=False)
    changed(draft, legal_basis=basis)()
    assert broken(changed(draft, state=VersionState.IN_FORCE))[0] == "CR004"
    LegalBasis.objects.filter(pk="x").update(confirmed=True)
    assert changed(draft, state=VersionState.IN_FORCE)() == 1


def test_a_basis_under_a_version_in_force_is_not_unconfirmed(world: World) -> None:
    """Else an entry would go on collecting on a basis that nobody stands by any more."""
    act = lambda: LegalBasis.objects.filter(pk=world.version.legal_basis_id).update(confirmed=False)  # noqa: E731
    assert broken(act)[0] == "CR004"


def another(world: World, **values: Any) -> Callable[[], object]:
    """Insert the record again under another number, with these changes."""

    def act() -> None:
        copy = CreditRecord.objects.get(pk=world.record.pk)
        for name, value in {"pk": None, "document_number": "another", **values}.items():
            setattr(copy, name, value)
        copy.save(force_insert=True)

    return act


def test_the_same_record_under_another_number_is_accepted(world: World) -> None:
    another(world)()
    assert CreditRecord.objects.count() == 2


@pytest.mark.parametrize("state", [VersionState.DRAFT, VersionState.RETIRED])
def test_nothing_is_collected_without_an_entry_in_force(world: World, state: VersionState) -> None:
    other = world.draft(state=state)
    assert broken(another(world, version_id=other.pk))[0] == "CR005"


def foreign(world: World) -> list[dict[str, Any]]:
    entry = CatalogueEntry.objects.exclude(pk=world.record.entry_id)[0]
    site = Site.objects.exclude(pk=world.record.site_id)[0]
    agency = Agency.objects.exclude(site_id=world.record.site_id)[0]
    return [
        {"entry_id": entry.pk}, {"entry_id": 0}, {"site_id": site.pk}, {"site_id": 0}, {"agency_id": agency.pk},
        {"agency_id": 0}, {"version_id": 0}, {"polarity": "neutral"}, {"batch_id": 0},
    ]  # fmt: skip


def test_entry_version_unit_and_site_of_a_record_belong_together(world: World, subtests: pytest.Subtests) -> None:
    for values in foreign(world):
        with subtests.test(**values):
            assert broken(another(world, **values))[0] in ("CR006", "CR005")
            assert broken(lambda values=values: world.negative.update(**values))[0] == "CR006"  # type: ignore[misc]


def test_the_kind_of_subject_of_a_record_is_that_of_its_subject(world: World) -> None:
    """It repeats what the subject says, so that constraints hold; it must not say something else."""
    assert broken(lambda: world.negative.update(subject_kind="person"))[0].startswith(("CR", "23"))


def test_the_batch_that_brought_a_record_cannot_be_deleted(world: World) -> None:
    """Who brought a row in stands in its batch alone, and the column bears no foreign key."""
    code, _name = broken(lambda: FeedBatch.objects.filter(pk=world.record.batch_id)._raw_delete(connection.alias))
    assert code


def test_exclusions_are_known_by_their_sqlstate(world: World) -> None:
    overlapping = [name for name, (_m, c) in our_constraints().items() if isinstance(c, ExclusionConstraint)]
    assert len(overlapping) == 5
    for name in overlapping:
        assert broken(lambda name=name: PROVOCATIONS[name](world))[0] == "23P01"  # type: ignore[misc]


def test_unique_names_of_things_are_kept_by_the_database(world: World) -> None:
    for model in (Site, Agency, Feed, CatalogueEntry):
        one, two = model._base_manager.order_by("pk")[:2]
        act = lambda model=model, one=one, two=two: model._base_manager.filter(pk=one.pk).update(code=two.code)  # noqa: E731
        assert broken(act)[0] == "23505", model
    region = Region.objects.all()[0]
    assert broken(lambda: Region.objects.bulk_create([Region(code=region.pk, name="x", name_en="x")]))[0] == "23505"
    assert Rhythm.DAILY in Rhythm and AgencyKind.COURT in AgencyKind
