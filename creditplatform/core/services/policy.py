"""Load the delivered content of the core: regions, sites, units, rule values, calendar."""

import csv
import datetime
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.db import models

from creditplatform.core.deadlines import YearNotAnnounced, days_from_library
from creditplatform.core.models import Agency, CalendarDay, Region, RuleValue, Site

FOLDER = Path(__file__).resolve().parent.parent / "policy"
FIRST_YEAR = 2018
CONTENT = "name name_en"


def read_toml(path: Path, table: str) -> list[dict[str, Any]]:
    """The rows of one table of a policy file; an empty date becomes None."""
    with path.open("rb") as file:
        rows: list[dict[str, Any]] = tomllib.load(file)[table]
    return rows


def optional(value: Any) -> Any:
    """An empty text in a policy file stands for nothing."""
    return None if value == "" else value


def upsert(model: type[models.Model], key: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Create the row, or change it only where it differs; says whether anything was written."""
    manager = model._default_manager
    found = manager.filter(**key).first()
    if found is None:
        manager.create(**key, **values)
        return True
    changed = {name: value for name, value in values.items() if getattr(found, name) != value}
    if changed:
        manager.filter(pk=found.pk).update(**changed)
    return bool(changed)


def load_core_policy() -> dict[str, int]:
    """Load everything; returns how many rows were written per kind. Runs again without effect."""
    return {
        "regions": _load_regions(),
        "sites": _load_sites(),
        "agencies": _load_agencies(),
        "rule_values": _load_rule_values(),
        "calendar_days": _load_calendar(),
    }


def _load_regions() -> int:
    with (FOLDER / "regions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return sum(
        upsert(
            Region,
            {"code": row["code"]},
            {
                "name": row["name"],
                "name_en": row["name_en"],
                "parent_id": row["parent"] or None,
                "level": row["level"],
                "valid_from": int(row["valid_from"]) if row["valid_from"] else None,
                "valid_until": int(row["valid_until"]) if row["valid_until"] else None,
                "successor": row["successor"],
            },
        )
        for row in rows
    )


def _load_sites() -> int:
    names = ("name", "name_en", "sponsor", "sponsor_en", "phone", "address", "address_en")
    return sum(
        upsert(
            Site,
            {"code": row["code"]},
            {
                "root_region_id": row["root_region"],
                **{name: row.get(name, "") for name in names},
            },
        )
        for row in read_toml(FOLDER / "sites.toml", "site")
    )


def _load_agencies() -> int:
    rows = read_toml(FOLDER / "agencies.toml", "agency")
    sites = dict(Site.objects.values_list("code", "pk"))
    names = ("name", "name_en", "kind", "office", "office_en", "phone", "hours", "hours_en")
    written = sum(
        upsert(
            Agency,
            {"code": row["code"]},
            {
                "region_id": row["region"],
                "site_id": sites[row["site"]],
                **{name: row.get(name, "") for name in names},
            },
        )
        for row in rows
    )
    ids = dict(Agency.objects.values_list("code", "pk"))
    with_parent = [row for row in rows if row["parent"]]
    return written + sum(
        upsert(Agency, {"code": row["code"]}, {"parent_id": ids[row["parent"]]}) for row in with_parent
    )


def _load_rule_values() -> int:
    sites = dict(Site.objects.values_list("code", "pk"))
    written = 0
    for row in read_toml(FOLDER / "rule_values.toml", "rule"):
        key = {"key": row["key"], "site_id": sites.get(row["site"]), "valid_from": row["valid_from"]}
        values = {
            "value": row["value"],
            "unit": row["unit"],
            "valid_until": optional(row["valid_until"]),
            "legal_basis": row["legal_basis"],
            "legal_basis_en": row.get("legal_basis_en", ""),
            "source": row["source"],
            "confirmed": row["confirmed"],
        }
        # A value that staff have since replaced or ended is theirs; a release never takes it back.
        if RuleValue.objects.filter(**key, delivered=False).exists():
            continue
        written += upsert(RuleValue, {**key, "delivered": True}, {**values, "in_force": row["confirmed"]})
    return written


def _load_calendar() -> int:
    """Announced years that are not there yet; days that staff amended stay as they are."""
    known = set(CalendarDay.objects.dates("day", "year"))
    missing = [year for year in _years() if datetime.date(year, 1, 1) not in known]
    days = [CalendarDay(day=day, working=working, name=name) for year in missing for day, working, name in _days(year)]
    return len(CalendarDay.objects.bulk_create(days))


def _years() -> Iterable[int]:
    return range(FIRST_YEAR, datetime.date.today().year + 2)


def _days(year: int) -> list[tuple[datetime.date, bool, str]]:
    """The days of an announced year; none for a year the State Council has not announced yet."""
    try:
        return list(days_from_library(year))
    except YearNotAnnounced:
        return []
