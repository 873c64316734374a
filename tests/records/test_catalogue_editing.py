"""Editing a version of the catalogue: seen before overwritten, every mistake beside its input."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest

from creditplatform.core.errors import Conflict, CreditError, Invalid
from records.catalogue.words import mark_of
from records.enums import VersionState
from records.models import EntryField
from records.services import catalogue
from tests.cast import Cast
from tests.deliveries import one_record, quick_passwords  # noqa: F401
from tests.records.versions import Centre, today

S = VersionState


@pytest.fixture
def centre(cast: Cast) -> Centre:
    return Centre.assemble(cast)


def refused(act: Callable[[], object], kind: type[CreditError]) -> Any:
    with pytest.raises(kind) as caught:
        act()
    return caught.value


# --- editing -----------------------------------------------------------------------------------------


def test_what_somebody_has_not_seen_is_not_overwritten(centre: Centre) -> None:
    draft = centre.draft()
    seen = mark_of(draft)
    centre.change(draft, centre.two, meaning="第二人的说法。")
    stale = lambda: catalogue.save_version(user=centre.one, version=draft, values={"meaning": "x"}, seen=seen)  # noqa: E731
    assert refused(stale, Conflict).code == "changed_meanwhile"
    draft.refresh_from_db()
    assert draft.meaning == "第二人的说法。"


def test_fields_are_added_changed_moved_and_removed_in_a_draft_alone(centre: Centre) -> None:
    draft = centre.draft()
    before = list(draft.fields.values_list("code", flat=True))
    item = centre.field(draft, aliases=["新列"])
    centre.field(draft, item, length=7)
    catalogue.move_field(user=centre.one, field=item, up=True)
    assert list(draft.fields.values_list("code", flat=True)) == [*before[:-1], "NEW", before[-1]]
    first = draft.fields.order_by("position")[0]
    catalogue.move_field(user=centre.one, field=first, up=True)
    assert draft.fields.order_by("position")[0] == first
    catalogue.remove_field(user=centre.one, field=item)
    assert list(draft.fields.values_list("code", flat=True)) == before
    centre.step(draft, "submit")
    for act in (
        lambda: catalogue.remove_field(user=centre.one, field=first),
        lambda: catalogue.move_field(user=centre.one, field=first, up=False),
        lambda: centre.field(draft),
        lambda: centre.change(draft, meaning="x"),
    ):
        refused(act, Conflict)


WRONG_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"code": "1x"}, "code"), ({"code": "act-seen"}, "code"), ({"code": "CF_WSH"}, "code"),
    ({"pattern": "["}, "pattern"), ({"pattern": "(a+)+"}, "pattern"), ({"type": "choice"}, "choices"),
    ({"type": "effects", "choices": ["flogging"]}, "choices"), ({"required": "when"}, "when_field"),
    ({"required": "when", "when_field": "NOT_THERE"}, "when_field"),
    ({"required": "when", "when_field": "NEW"}, "when_field"),
    ({"required": "when", "when_field": "CF_CFLB", "when_any": ["flogging"]}, "when_any"),
    ({"when_field": "CF_CFLB"}, "required"), ({"personal": True, "published": True}, "published"),
    ({"name": "血型"}, "name"), ({"aliases": ["宗教信仰"]}, "name"), ({"role": "document_number"}, "role"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "beside"), WRONG_FIELDS, ids=lambda v: str(v)[:40])
def test_a_field_that_does_not_fit_is_refused_beside_its_input(
    centre: Centre, values: dict[str, Any], beside: str
) -> None:
    draft = centre.draft()
    error = refused(lambda: centre.field(draft, **values), Invalid)
    assert beside in {p.field for p in error.problems}
    assert not draft.fields.filter(code="NEW").exists()


def test_a_condition_that_fits_is_accepted(centre: Centre) -> None:
    draft = centre.draft()
    item = centre.field(draft, required="when", when_field="CF_CFLB", when_any=["fine"], pattern=r"\d{1,3}(\.\d+)?")
    assert item.pk


def test_everything_that_is_missing_is_told_at_once(centre: Centre) -> None:
    draft = centre.draft(meaning="", remedy_en="")
    EntryField.objects.filter(version=draft, role__in=["subject_name", "effects"]).delete()
    error = refused(lambda: centre.step(draft, "submit"), Invalid)
    assert {p.field for p in error.problems} >= {"meaning", "remedy_en", "fields"}
    assert {p.code for p in error.problems} >= {"no_name", "no_effects", "words"}


@pytest.mark.parametrize(
    ("values", "beside"),
    [
        ({"legal_basis": None, "publication_basis": None}, "publication_basis"),
        ({"retention_years": None}, "retention_years"),
        ({"tier_rule": {"rule": "none"}}, "rule"), ({"tier_rule": {"rule": "fixed"}}, "tier"),
        ({"tier_rule": {"rule": "effects", "min_months": 9, "max_months": 3}}, "max_months"),
        ({"polarity": "positive"}, "polarity"), ({"valid_until": datetime.date(2000, 1, 1)}, "valid_until"),
        ({"min_age": 18}, "subject_kinds"),
        ({"person_openness": "public", "person_publication_basis": None}, "person_publication_basis"),
    ],
)  # fmt: skip
def test_attributes_that_do_not_fit_are_refused_beside_their_input(
    centre: Centre, values: dict[str, Any], beside: str
) -> None:
    draft = centre.draft()
    error = refused(lambda: centre.change(draft, **values), Invalid)
    assert beside in {p.field for p in error.problems}


def test_a_new_entry_is_a_draft_and_never_about_what_is_never_collected(centre: Centre) -> None:
    values = {
        "valid_from": today(), "information_class": "honour", "polarity": "positive", "edition": "local",
        "openness": "authorised", "subject_kinds": ["person"], "tier_rule": {"rule": "none"},
    }  # fmt: skip
    make = lambda **words: catalogue.create_entry(user=centre.one, version=values, **words)  # noqa: E731
    error = refused(lambda: make(code="x", name="疾病史", name_en="x"), Invalid)
    assert [p.code for p in error.problems] == ["catalogue_entry_never_collected"]
    entry, draft = make(code="blood-donor", name="无偿献血荣誉", name_en="Honour for giving blood")
    assert (entry.versions.get(), draft.state, draft.number) == (draft, S.DRAFT, 1)
    refused(lambda: centre.step(draft, "submit"), Invalid)
