"""What triggers refuse: changes of published versions, records without a basis or of parts that do not fit."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from creditplatform.core.models import (
    Agency,
    Site,
)
from records.enums import VersionState
from records.models import (
    CatalogueEntry,
    CreditRecord,
    EntryField,
    EntryVersion,
    FeedBatch,
    LegalBasis,
    Subject,
)
from tests.cast import Cast
from tests.deliveries import (
    quick_passwords,  # noqa: F401
)
from tests.records.provocations import LATER, broken
from tests.records.world import DAY, World


@pytest.fixture
def world(cast: Cast) -> World:
    return World(cast)


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


# --- a version on its way ----------------------------------------------------------------------------


def in_review(world: World, draft: EntryVersion, *editors: int) -> EntryVersion:
    """The draft as it stands before a second person."""
    world.field(version=draft)
    changed(draft, state=VersionState.IN_REVIEW, delivered=False, editors=list(editors), entered_by=editors[0])()
    return draft


@pytest.mark.parametrize("values", [{**v, "delivered": True} if "delivered" in v else v for v in CONTENT], ids=str)
def test_a_version_in_review_stands_still(world: World, draft: EntryVersion, values: dict[str, Any]) -> None:
    in_review(world, draft, world.cast.centre.pk)
    assert broken(changed(draft, **values))[0] == "CR003"
    assert broken(lambda: draft.fields.update(length=1))[0] == "CR003"


def test_what_is_published_is_what_was_reviewed(world: World, draft: EntryVersion) -> None:
    """Only the first day may move to the day of publication, and the signature is added."""
    changed(world.version, valid_until=datetime.date(2089, 1, 1))()
    in_review(world, draft, world.cast.centre.pk)
    signed = {"state": VersionState.IN_FORCE, "approved_by": world.cast.operator}
    assert broken(changed(draft, meaning="x", **signed))[0] == "CR003"
    assert changed(draft, valid_from=datetime.date(2089, 1, 1), **signed)() == 1
    assert broken(changed(draft, approved_by=world.cast.auditor))[0] == "CR003"


def test_nobody_who_edited_it_publishes_it_by_whatever_road(world: World, draft: EntryVersion) -> None:
    changed(world.version, valid_until=datetime.date(2089, 1, 1))()
    first, other = world.cast.centre, world.cast.operator
    in_review(world, draft, first.pk, other.pk)
    for editor in (first, other):
        assert broken(changed(draft, state=VersionState.IN_FORCE, approved_by=editor))[0] == "CR008"
    assert broken(changed(draft, state=VersionState.IN_FORCE))[1] == "entry_version_two_people"


BACKWARDS = [
    ("in_review", "withdrawn"), ("in_review", "retired"), ("withdrawn", "draft"), ("withdrawn", "in_force"),
    ("retired", "withdrawn"),
]  # fmt: skip


@pytest.mark.parametrize(("state", "target"), BACKWARDS)
def test_a_version_takes_no_step_the_procedure_does_not_have(world: World, state: str, target: str) -> None:
    version = world.draft(state=state, valid_from=datetime.date(2090, 1, 1))
    assert broken(changed(version, state=target))[0] == "CR003"


def test_what_has_begun_is_not_called_off_and_an_end_that_has_come_stays(world: World) -> None:
    assert broken(changed(world.version, state=VersionState.WITHDRAWN))[0] == "CR003"
    assert changed(world.version, valid_until=day(-1))() == 1
    assert broken(changed(world.version, valid_until=LATER.replace(year=2090)))[0] == "CR003"


def test_two_versions_never_hold_at_once_by_raw_sql(world: World, draft: EntryVersion) -> None:
    with connection.cursor() as cursor:
        act = lambda: cursor.execute("UPDATE records_entryversion SET state = 'in_force' WHERE id = %s", [draft.pk])  # noqa: E731
        assert broken(act) == ("23P01", "entry_version_one_at_a_time")


# --- records and the days of their version ----------------------------------------------------------


def day(number: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=number)


@pytest.mark.parametrize(
    ("values", "collected"),
    [
        ({"valid_from": 1}, False), ({"valid_from": 0}, True), ({"valid_from": -9, "valid_until": 0}, False),
        ({"valid_from": -9, "valid_until": 1}, True),
    ],
)  # fmt: skip
def test_nothing_is_collected_outside_the_days_of_the_version(
    world: World, values: dict[str, int], collected: bool
) -> None:
    """The day is that of the platform, told by the clock of the database."""
    changed(world.version, valid_until=day(-30))()
    days = {"valid_until": None, **{name: day(number) for name, number in values.items()}}
    version = world.draft(state=VersionState.IN_FORCE, **days)
    insert, change = another(world, version_id=version.pk), lambda: world.negative.update(version=version)
    if collected:
        insert()
        assert change() == 1
        return
    assert broken(insert)[0] == "CR005"
    assert broken(change)[0] == "CR005"


@pytest.mark.parametrize(("hours", "collected"), [(-1, False), (1, True)])
def test_the_day_of_receipt_begins_at_midnight_of_the_platform(world: World, hours: int, collected: bool) -> None:
    changed(world.version, valid_until=day(-30))()
    version = world.draft(state=VersionState.IN_FORCE, valid_from=day(-2), valid_until=None)
    midnight = datetime.datetime.combine(day(-2), datetime.time(), timezone.get_default_timezone())
    insert = another(world, version_id=version.pk, received_at=midnight + datetime.timedelta(hours=hours))
    if collected:
        insert()
    else:
        assert broken(insert)[0] == "CR005"


def test_a_record_changes_on_while_its_version_has_ended(world: World) -> None:
    """To close or repair it asks nothing of the catalogue; only another version has to hold."""
    changed(world.version, valid_until=day(-1))()
    assert world.negative.update(disputed=True) == 1


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


def test_a_subject_on_record_is_neither_removed_nor_changed_in_kind(world: World) -> None:
    """Records bear no row-level foreign key to it; a subject without records may go."""
    about = Subject.objects.filter(pk__in=world.negative.values("subject_id"))
    assert broken(lambda: about._raw_delete(connection.alias))[0] == "CR006"
    assert broken(lambda: about.update(kind="individual_business"))[0] == "CR006"
    assert broken(lambda: world.negative.update(subject_id=0))[0] == "CR006"
    assert broken(another(world, subject_id=0))[0] == "CR006"
    unknown = world.organisation()
    Subject.objects.filter(pk=unknown.pk)._raw_delete(connection.alias)
    assert not Subject.objects.filter(pk=unknown.pk).exists()


def test_the_batch_that_brought_a_record_cannot_be_deleted(world: World) -> None:
    """Who brought a row in stands in its batch alone, and the column bears no foreign key."""
    code, _name = broken(lambda: FeedBatch.objects.filter(pk=world.record.batch_id)._raw_delete(connection.alias))
    assert code
