"""The delivered policy data of the core: regions, sites, units and dated rule values."""

import csv
import datetime
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from creditplatform.core.enums import AgencyKind, RegionLevel

CORE = Path(__file__).resolve().parents[2] / "creditplatform" / "core" / "policy"
OPEN_END = datetime.date(9999, 12, 31)


def toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file."""
    with path.open("rb") as handle:
        return tomllib.load(handle)


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file with a header."""
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def repeated(values: list[Any]) -> list[Any]:
    """Values that occur more than once."""
    return [value for value, count in Counter(values).items() if count > 1]


REGIONS = {row["code"]: row for row in rows(CORE / "regions.csv")}
SITES = {site["code"]: site for site in toml(CORE / "sites.toml")["site"]}
AGENCIES = {agency["code"]: agency for agency in toml(CORE / "agencies.toml")["agency"]}
RULES = toml(CORE / "rule_values.toml")["rule"]


def test_codes_are_given_once() -> None:
    assert repeated([row["code"] for row in rows(CORE / "regions.csv")]) == []
    for table, name in [("site", "sites.toml"), ("agency", "agencies.toml")]:
        assert repeated([item["code"] for item in toml(CORE / name)[table]]) == [], name


def test_regions_are_well_formed() -> None:
    for code, row in REGIONS.items():
        local = row["level"] == RegionLevel.LOCAL
        assert row["level"] in RegionLevel.values and row["status"] in ("active", "abolished"), code
        assert row["name"] and row["name_en"], code
        assert local == (re.fullmatch(r"[0-9]{6}", code) is None), code
        assert row["parent"] in REGIONS or (row["parent"] == "" and row["level"] == RegionLevel.PROVINCE), code
        assert (row["status"] == "abolished") == bool(row["valid_until"]) == bool(row["successor"]), code
        assert not row["valid_until"] or int(row["valid_from"]) < int(row["valid_until"]), code


def test_region_successors_inside_the_trees_exist() -> None:
    """Parts of the old Huiyang prefecture went to cities outside; everything else leads to a code we have."""
    named = {row["successor"] for row in REGIONS.values()} - {""}
    named |= {code for row in REGIONS.values() for code in row["further_successors"].split(";") if code}
    assert {code for code in named if code.startswith(("4413", "4425", "62"))} <= set(REGIONS)


@pytest.mark.parametrize(
    ("code", "name_en"),
    [
        ("441302", "Huicheng District"),
        ("441324", "Longmen County"),
        ("441300-DYW", "Daya Bay Economic and Technological Development Zone"),
        ("441300-ZK", "Zhongkai High-Tech Industrial Development Zone"),
        ("620100-LZXQ", "Lanzhou New Area"),
        ("620881", "Huating City"),
        ("622927", "Jishishan Bonan, Dongxiang and Salar Autonomous County"),
        ("623000", "Gannan Tibetan Autonomous Prefecture"),
    ],
)
def test_regions_of_both_trees(code: str, name_en: str) -> None:
    assert REGIONS[code]["status"] == "active"
    assert REGIONS[code]["name_en"] == name_en


def test_gansu_has_all_its_prefectures_and_counties() -> None:
    active = [row for code, row in REGIONS.items() if code.startswith("62") and row["status"] == "active"]
    levels = Counter(row["level"] for row in active)
    assert (levels["province"], levels["city"], levels["county"], levels["local"]) == (1, 14, 86, 1)


def test_abolished_codes_lead_to_today() -> None:
    for code, row in REGIONS.items():
        seen = {code}
        while row["status"] == "abolished" and row["successor"] in REGIONS:
            assert row["successor"] not in seen, f"{code} goes round in a circle"
            seen.add(row["successor"])
            row = REGIONS[row["successor"]]
    assert REGIONS["441381"]["successor"] == "441302"
    assert REGIONS["622100"]["successor"] == "620900"


def test_sites_stand_on_their_region() -> None:
    assert {code: site["root_region"] for code, site in SITES.items()} == {
        "huizhou": "441300",
        "gansu": "620000",
    }
    for site in SITES.values():
        assert all(site[key] for key in ("name", "name_en", "sponsor", "sponsor_en", "phone"))
        assert site["site_identifier"] == site["icp_number"] == site["police_number"] == ""


@pytest.mark.parametrize("agency", AGENCIES.values(), ids=AGENCIES.keys())
def test_agency_points_at_what_exists(agency: dict[str, Any]) -> None:
    assert agency["kind"] in AgencyKind.values
    assert agency["region"] in REGIONS and REGIONS[agency["region"]]["status"] == "active"
    assert agency["region"][:2] == SITES[agency["site"]]["root_region"][:2]
    if agency["parent"]:
        assert AGENCIES[agency["parent"]]["site"] == agency["site"]
    assert all(agency[key] for key in ("name", "name_en", "office", "office_en", "hours", "hours_en"))
    assert agency["phone"].endswith("（演示）")


def test_agencies_are_many_and_of_every_kind() -> None:
    assert Counter(agency["site"] for agency in AGENCIES.values()).keys() == SITES.keys()
    assert len(AGENCIES) >= 46
    assert {agency["kind"] for agency in AGENCIES.values()} == set(AgencyKind.values)
    assert repeated([agency["name"] for agency in AGENCIES.values()]) == []
    assert repeated([agency["phone"] for agency in AGENCIES.values()]) == []
    local = {"441300-DYW", "441300-ZK", "620100-LZXQ"}
    assert local <= {agency["region"] for agency in AGENCIES.values()}


@pytest.mark.parametrize("kind", [AgencyKind.SCHOOL, AgencyKind.BANK, AgencyKind.CREDIT_AGENCY, AgencyKind.ENTERPRISE])
def test_private_bodies_are_invented_and_say_so(kind: AgencyKind) -> None:
    for agency in AGENCIES.values():
        if agency["kind"] == kind:
            assert agency["name"].endswith("（虚构）") and agency["name_en"].endswith("(fictitious)")


def rule(key: str, day: datetime.date) -> Any:
    """The delivered value of a rule for both sites on a day."""
    found = [
        item["value"]
        for item in RULES
        if item["key"] == key and item["site"] == "" and item["valid_from"] <= day < (item["valid_until"] or OPEN_END)
    ]
    assert len(found) == 1, f"{key} on {day}: {found}"
    return found[0]


ORDER_58, ORDER_36 = datetime.date(2026, 3, 31), datetime.date(2026, 4, 1)


@pytest.mark.parametrize(
    ("key", "day", "value"),
    [
        ("publication.minor.published", ORDER_36, False),
        ("publication.minor.min_months", ORDER_36, 0),
        ("publication.minor.max_months", ORDER_36, 3),
        ("publication.general.min_months", ORDER_36, 3),
        ("publication.general.max_months", ORDER_36, 12),
        ("publication.serious.min_months", ORDER_36, 12),
        ("publication.serious.max_months", ORDER_36, 36),
        ("publication.minor.published", ORDER_58, False),
        ("publication.general.min_months", ORDER_58, 3),
        ("publication.general.max_months", ORDER_58, 36),
        ("publication.special.min_months", ORDER_58, 12),
        ("publication.special.max_months", ORDER_58, 36),
        ("publication.special_fields", ORDER_58, ["food_drugs", "work_safety", "fire"]),
        ("publication.persons.default", ORDER_36, "authorised"),
        ("retention.negative.years", ORDER_36, 5),
        ("retention.access_log.years", ORDER_36, 10),
        ("age.negative_records", ORDER_36, 18),
        ("age.student_archive", ORDER_36, 18),
        ("age.guardian", ORDER_36, 14),
        ("clock.publish.working_days", ORDER_36, 7),
        ("clock.withdraw_revoked.working_days", ORDER_36, 3),
        ("clock.objection.source.working_days", ORDER_36, 3),
        ("clock.repair.decide.working_days", ORDER_36, 3),
        ("clock.repair.total.working_days", ORDER_36, 10),
        ("reports.free_per_year", ORDER_36, "unlimited"),
        ("reports.free_per_year.minimum", ORDER_36, 2),
    ],
)
def test_rule_value_of_the_law(key: str, day: datetime.date, value: Any) -> None:
    assert rule(key, day) == value


def test_rule_values_name_basis_and_never_overlap() -> None:
    spans: dict[tuple[str, str], list[tuple[datetime.date, datetime.date]]] = {}
    for item in RULES:
        assert item["legal_basis"] and item["legal_basis_en"] and item["source"], item["key"]
        assert item["site"] in ("", *SITES), item["key"]
        start, end = item["valid_from"], item["valid_until"] or OPEN_END
        assert start < end, item["key"]
        for other_start, other_end in spans.setdefault((item["key"], item["site"]), []):
            assert end <= other_start or other_end <= start, item["key"]
        spans[item["key"], item["site"]].append((start, end))


def test_uncertain_rule_values_are_drafts() -> None:
    rates = ("timeliness", "compliance", "completeness")
    drafts = {"report.valid_days", "report.monthly.day", "deferral.longest_days"}
    drafts |= {f"retention.{kept}.years" for kept in ("query_numbers", "representation_papers", "prior_notice_words")}
    drafts |= {f"figures.{kind}.{rate}" for kind in ("threshold", "weight") for rate in rates}
    assert {item["key"] for item in RULES if not item["confirmed"]} == drafts


def test_facilitation_after_three_clean_years_on_both_sites() -> None:
    clean = {item["site"]: item["value"] for item in RULES if item["key"] == "incentive.clean_years"}
    assert clean == {"huizhou": 3, "gansu": 3}
