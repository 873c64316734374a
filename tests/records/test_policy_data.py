"""The delivered policy data: complete, consistent, and pointing only at what exists."""

import datetime
import re
import tomllib
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from records.enums import (
    BasisLevel,
    Edition,
    FeedFormat,
    FieldRole,
    FieldType,
    InformationClass,
    KeyField,
    Openness,
    Polarity,
    Required,
    Rhythm,
    SubjectKind,
    Tier,
)

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "creditplatform" / "core" / "policy"
RECORDS = ROOT / "records" / "policy"
ACTS = [
    "",
    "licence",
    "penalty",
    "coercion",
    "confirmation",
    "levy",
    "payment",
    "ruling",
    "compensation",
    "reward",
]
ACTS += ["inspection"]
LAWS = ("legal_basis", "publication_basis", "person_publication_basis")
MASKS = ["none", "name", "id_number", "phone", "address", "hidden"]
CHOSEN = [FieldType.CHOICE, FieldType.EFFECTS, FieldType.IDENTIFIER_KIND]
KIND_TEXTS = {
    SubjectKind.ORGANISATION: "法人及非法人组织",
    SubjectKind.BUSINESS: "个体工商户",
    SubjectKind.PERSON: "自然人",
}
OPEN_END = datetime.date(9999, 12, 31)
ORDER_58, ORDER_36 = datetime.date(2026, 3, 31), datetime.date(2026, 4, 1)


def toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file."""
    with path.open("rb") as handle:
        return tomllib.load(handle)


def repeated(values: list[Any]) -> list[Any]:
    """Values that occur more than once."""
    return [value for value, count in Counter(values).items() if count > 1]


def folded(header: str) -> str:
    """A header as a feed reader compares it: full-width forms, brackets and spaces folded."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", header)).lower()


AGENCIES = {agency["code"]: agency for agency in toml(CORE / "agencies.toml")["agency"]}
RULES = toml(CORE / "rule_values.toml")["rule"]
BASES = {basis["code"]: basis for basis in toml(RECORDS / "legal_bases.toml")["basis"]}
EFFECTS = {effect["code"]: effect for effect in toml(RECORDS / "effects.toml")["effect"]}
GROUPS = {group["code"]: group for group in toml(RECORDS / "fields.toml")["group"]}
FEEDS = {feed["code"]: feed for feed in toml(RECORDS / "feeds.toml")["feed"]}
ENTRIES = {path.stem: toml(path) for path in sorted((RECORDS / "entries").glob("*.toml"))}
FIELDS = [(code, field) for code, entry in ENTRIES.items() for field in entry["fields"]]

every_entry = pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES.keys())


def roles(entry: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The fields of an entry that have a role, by role."""
    return {field["role"]: field for field in entry["fields"] if field.get("role")}


def test_codes_are_given_once() -> None:
    for table, name in [
        ("basis", "legal_bases"),
        ("effect", "effects"),
        ("group", "fields"),
        ("feed", "feeds"),
    ]:
        assert repeated([item["code"] for item in toml(RECORDS / f"{name}.toml")[table]]) == [], name


def test_a_code_with_a_meaning_stands_in_a_delivered_field_and_means_one_thing() -> None:
    rows = toml(RECORDS / "codes.toml")["code"]
    assert repeated([(row["field"], row["code"]) for row in rows]) == []
    assert {row["field"] for row in rows} <= {field["code"] for _entry, field in FIELDS}
    assert all(row["name"] and row["name_en"] for row in rows)
    known = {(row["field"], row["code"]) for row in rows}
    valid = next(field for field in ENTRIES["administrative-licence"]["fields"] if field["code"] == "XK_ZT")
    assert {("XK_ZT", code) for code in valid["choices"]} <= known


def tiers(day: datetime.date) -> dict[str, str]:
    """The delivered tier of every effect on a day."""
    found: list[dict[str, str]] = [
        item["value"]
        for item in RULES
        if item["key"] == "tier.effects" and item["valid_from"] <= day < (item["valid_until"] or OPEN_END)
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("day", [ORDER_58, ORDER_36])
def test_every_negative_effect_has_a_tier(day: datetime.date) -> None:
    table = tiers(day)
    assert set(table) == {code for code, effect in EFFECTS.items() if effect["kind"] in ("penalty", "list")}
    assert set(table.values()) <= {Tier.MINOR, Tier.GENERAL, Tier.SERIOUS}
    assert (table["warning"], table["criticism"], table["fine"]) == ("minor", "minor", "general")


def test_grave_effects_became_serious_with_order_36() -> None:
    grave = [
        "revoke_licence",
        "downgrade",
        "restrict_operations",
        "stop_production",
        "close",
        "restrict_occupation",
    ]
    assert {tiers(ORDER_58)[code] for code in grave} == {"general"}
    assert {tiers(ORDER_36)[code] for code in grave} == {"serious"}


@pytest.mark.parametrize("basis", BASES.values(), ids=BASES.keys())
def test_legal_basis_is_well_formed(basis: dict[str, Any]) -> None:
    assert basis["level"] in BasisLevel.values
    assert basis["title"] and basis["title_en"] and basis["issuer"]
    assert re.fullmatch(r"(第[一二三四五六七八九十百零]+条)?", basis["article"])
    if basis["confirmed"]:
        assert isinstance(basis["in_force_from"], datetime.date)
        assert basis["in_force_from"] < (basis["in_force_until"] or OPEN_END)


def test_key_fields_and_groups_are_those_of_the_plans() -> None:
    fields = toml(RECORDS / "fields.toml")["field"]
    assert [field["code"] for field in fields] == KeyField.values
    assert len(fields) == 16 and len(GROUPS) == 14
    assert all(item["name"] and item["name_en"] for item in [*fields, *GROUPS.values()])


def test_every_key_field_has_an_entry_in_force() -> None:
    in_force = {entry["field"] for entry in ENTRIES.values() if entry["state"] == "in_force"}
    assert in_force - {""} == set(KeyField.values)


def test_effect_texts_are_unambiguous_within_their_kind() -> None:
    for kind in ("penalty", "licence", "list"):
        texts = [folded(text) for effect in EFFECTS.values() if effect["kind"] == kind for text in effect["variants"]]
        assert texts and repeated(texts) == [], kind


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("警告", "warning"),
        ("没收违法所得、没收非法财物", "confiscation"),
        ("暂扣或者吊销许可证、暂扣或者吊销执照", "suspend_or_revoke_licence"),
        ("责令停产停业", "stop_production"),
        ("失信被执行人名单", "judgment_defaulter"),
        ("工商吊销企业名单", "licence_revoked_list"),
    ],
)
def test_text_of_the_column_standard_is_known(text: str, code: str) -> None:
    assert [effect["code"] for effect in EFFECTS.values() if text in effect["variants"]] == [code]


@every_entry
def test_entry_is_well_formed(entry: dict[str, Any]) -> None:
    assert ENTRIES[entry["code"]] is entry, "the file bears the code of its entry"
    assert entry["information_class"] in InformationClass.values
    assert entry["act"] in ACTS and entry["field"] in ["", *KeyField.values]
    assert entry["polarity"] in Polarity.values and entry["edition"] in Edition.values
    assert entry["openness"] in Openness.values and entry["person_openness"] in Openness.values
    assert entry["subject_kinds"] and set(entry["subject_kinds"]) <= set(SubjectKind.values)
    assert entry["key_group"] in ["", *GROUPS]
    assert isinstance(entry["valid_from"], datetime.date)
    texts = ("name", "name_en", "meaning", "meaning_en", "remedy", "remedy_en")
    assert all(entry[key] for key in texts)


@every_entry
def test_entry_in_force_rests_on_a_confirmed_basis(entry: dict[str, Any]) -> None:
    basis = BASES[entry["legal_basis"]]
    assert entry["state"] == ("in_force" if basis["confirmed"] else "draft")
    if entry["state"] == "in_force":
        for key in ("publication_basis", "person_publication_basis"):
            assert not entry.get(key) or BASES[entry[key]]["confirmed"], key
        assert basis["in_force_from"] <= entry["valid_from"] < (basis["in_force_until"] or OPEN_END)


@every_entry
def test_negative_entry_has_tier_and_retention(entry: dict[str, Any]) -> None:
    tier = entry["tier_rule"]
    assert tier["rule"] in ("effects", "fixed", "none")
    assert (tier["rule"] == "fixed") == (tier.get("tier") in Tier.values)
    if entry["polarity"] == Polarity.NEGATIVE:
        assert tier["rule"] != "none" and entry["retention_years"] == 5
    else:
        assert tier == {"rule": "none"} and "retention_years" not in entry
    assert tier["rule"] != "effects" or roles(entry)["effects"]["required"] == "always"


def test_persons_are_published_only_where_a_law_says_so() -> None:
    public = {code for code, entry in ENTRIES.items() if entry["person_openness"] != Openness.AUTHORISED}
    assert public == {"judgment-defaulter"}
    law = BASES[ENTRIES["judgment-defaulter"]["person_publication_basis"]]
    assert (law["code"], law["article"], law["confirmed"]) == ("spc-defaulters-7", "第七条", True)


QUALIFYING = ["fire-law-15", "road-traffic-law-91", "construction-law-13", "physicians-law-13", "lawyers-law-6"]
QUALIFYING += ["teachers-law-10", "tourism-law-37", "volunteer-regulation-19"]


@pytest.mark.parametrize("code", QUALIFYING)
def test_a_law_that_orders_neither_collection_nor_publication_carries_no_entry(code: str) -> None:
    assert not BASES[code]["confirmed"]
    carried = {entry.get(key) for entry in ENTRIES.values() for key in LAWS}
    assert code not in carried


def test_penalties_are_published_by_the_policy_that_publishes_all_of_them() -> None:
    penalty = ENTRIES["administrative-penalty"]
    assert (penalty["legal_basis"], penalty["publication_basis"]) == ("penalty-law-48", "guofa-2016-33")


def test_the_ecommerce_list_rests_on_what_was_in_force_when_it_was_made() -> None:
    basis = BASES[ENTRIES["ecommerce-dishonesty"]["legal_basis"]]
    assert basis["confirmed"] and basis["in_force_from"] < datetime.date(2017, 1, 1)


def test_lists_have_the_periods_of_their_own_rules() -> None:
    """Defaulters two years (SPC provisions, article 2); registers and lists end when their cause ends."""
    rules = {code: entry["tier_rule"] for code, entry in ENTRIES.items()}
    assert (rules["judgment-defaulter"]["min_months"], rules["judgment-defaulter"]["max_months"]) == (0, 24)
    assert (rules["abnormal-operations"]["min_months"], rules["abnormal-operations"]["max_months"]) == (0, 12)
    assert roles(ENTRIES["abnormal-operations"])["ended_on"]["code"] == "removed_on"
    assert "valid_until" in roles(ENTRIES["judgment-defaulter"])


def test_how_long_a_penalty_holds_is_not_how_long_it_is_shown() -> None:
    assert "valid_until" not in roles(ENTRIES["administrative-penalty"])


@every_entry
def test_entry_can_identify_every_kind_of_subject(entry: dict[str, Any]) -> None:
    by_role, kinds = roles(entry), entry["subject_kinds"]
    assert by_role["subject_name"]["required"] == "always"
    if SubjectKind.PERSON in kinds:
        needed = "always" if kinds == [SubjectKind.PERSON] else "persons"
        assert by_role["identity_number"]["required"] == by_role["identity_kind"]["required"] == needed
    if {SubjectKind.ORGANISATION, SubjectKind.BUSINESS} & set(kinds):
        assert len([field for field in entry["fields"] if field.get("one_of") == "code"]) >= 2
    if SubjectKind.PERSON in kinds and len(kinds) > 1:
        assert by_role["subject_kind"]["choices"] == [KIND_TEXTS[SubjectKind(kind)] for kind in kinds]


@every_entry
def test_headers_lead_to_one_field(entry: dict[str, Any]) -> None:
    headers = []
    for field in entry["fields"]:
        headers += sorted({folded(text) for text in (field["code"], field["name"], *field.get("aliases", []))})
    assert repeated(headers) == []
    assert repeated([field["role"] for field in entry["fields"] if field.get("role")]) == []


@every_entry
def test_fields_are_well_formed(entry: dict[str, Any]) -> None:
    for field in entry["fields"]:
        code = field["code"]
        assert field["name"] and field["name_en"], code
        assert field["type"] in FieldType.values and field["required"] in Required.values, code
        assert field.get("role", "") in FieldRole.values and field["mask"] in MASKS, code
        assert not (field["personal"] and field["published"]), code
        assert ("when" in field) == (field["required"] == Required.WHEN), code
        assert bool(field.get("choices")) == (field["type"] in CHOSEN), code
        re.compile(field.get("pattern", ""))
        if field["type"] == FieldType.EFFECTS:
            assert len({EFFECTS[choice]["kind"] for choice in field["choices"]}) == 1, code


@every_entry
def test_condition_of_a_field_points_at_another(entry: dict[str, Any]) -> None:
    others = {field["code"]: field for field in entry["fields"]}
    for field in entry["fields"]:
        condition = field.get("when")
        if condition is not None:
            assert condition["field"] in others and condition["field"] != field["code"]
            assert set(condition["includes"]) <= set(others[condition["field"]].get("choices", []))


def test_numbers_of_documents_stay_closed() -> None:
    for code, field in FIELDS:
        if field.get("role") in ("identity_number", "legal_representative_number"):
            assert field["personal"] and not field["published"] and field["mask"] == "id_number", code


@pytest.mark.parametrize(
    ("code", "columns", "first", "last"),
    [
        ("administrative-penalty", 30 + 1, "CF_XDR_MC", "BZ"),
        ("administrative-licence", 28 + 1, "XK_XDR_MC", "BZ"),
        ("ecommerce-dishonesty", 5, "name", "effects"),
    ],
)
def test_columns_of_a_wide_entry(code: str, columns: int, first: str, last: str) -> None:
    codes = [field["code"] for field in ENTRIES[code]["fields"]]
    assert (len(codes), codes[0], codes[-1]) == (columns, first, last)


def test_ecommerce_entry_bears_the_headers_of_the_published_list() -> None:
    names = [field["name"] for field in ENTRIES["ecommerce-dishonesty"]["fields"]]
    assert names == ["企业名称", "工商注册号", "组织机构代码", "统一信用代码", "失信领域"]


@pytest.mark.parametrize("feed", FEEDS.values(), ids=FEEDS.keys())
def test_feed_points_at_what_exists(feed: dict[str, Any]) -> None:
    entry = ENTRIES[feed["entry"]]
    assert feed["agency"] in AGENCIES and entry["state"] == "in_force"
    assert feed["format"] in FeedFormat.values and feed["rhythm"] in Rhythm.values
    assert feed["field"] in ["", *KeyField.values] and entry["field"] in ("", feed["field"])
    assert 0 <= feed["expected_min"] < feed["expected_max"]
    assert set(feed["constants"]) <= set(FieldRole.values)
    assert not set(feed["constants"]) & set(roles(entry)), "a constant stands in for a column, never beside it"


@pytest.mark.parametrize("feed", FEEDS.values(), ids=FEEDS.keys())
def test_feed_knows_the_date_of_every_decision_and_invents_no_number(feed: dict[str, Any]) -> None:
    known = set(roles(ENTRIES[feed["entry"]])) | set(feed["constants"])
    assert "document_number" not in feed["constants"], "a number that the source does not state is not made up"
    assert (feed["date_when_absent"] == "received") == ("decided_on" not in known)
