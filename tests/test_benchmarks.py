"""The benchmarks answer in the form others build on; what is fast enough is judged by people and machines at rest."""

import datetime
import json
import os
import subprocess
import sys

import pytest
from django.conf import settings

from benchmarks.contract import Result
from benchmarks.data import HEADER, penalties
from creditplatform.core.identity import IdentifierKind, check
from records.enums import FieldRole
from records.models import EntryVersion
from tests.policy_kept import copied_database

KEYS = {"name", "unit", "ours", "baselines", "ratios", "aims", "peak_mb", "seconds"}
CONTENDERS = {"copy", "import_export_default", "import_export_bulk"}


def measured(name, rows):
    """A small run on a copy of the migrated database: what it answers."""
    words = [sys.executable, "-m", "benchmarks", name, "--rows", str(rows)]
    env = os.environ | {"CREDIT_BENCHMARK_TEMPLATE": copied_database()}
    run = subprocess.run(words, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def answer(django_db_setup):
    return measured("feed", 3000)


def test_last_line_is_the_contract(answer):
    assert set(answer) == KEYS
    assert (answer["name"], answer["unit"]) == ("feed", "rows/s")
    assert set(answer["baselines"]) == set(answer["ratios"]) == set(answer["aims"]) == CONTENDERS


def test_ratios_follow_from_the_figures(answer):
    for name, ratio in answer["ratios"].items():
        assert ratio == pytest.approx(answer["ours"] / answer["baselines"][name], abs=0.001)


def test_bulk_beats_default_and_copy_beats_both(answer):
    speeds = answer["baselines"]
    assert speeds["import_export_default"] < speeds["import_export_bulk"] < speeds["copy"]


def test_memory_and_time_are_measured(answer):
    assert 30 < answer["peak_mb"] < 400
    assert answer["seconds"] > 1


def test_missed_aims_are_named():
    result = Result("x", "rows/s", 10, {"copy": 40}, {"copy": 0.25}, {"copy": 0.5}, 1, 1)
    assert "missed" in result.table()
    assert "reached" not in result.table()


def rows_by_header(count, **options):
    rows = penalties(count, today=datetime.date(2026, 6, 1), **options)
    return [dict(zip(HEADER, row, strict=True)) for row in rows]


def test_data_are_the_same_every_time():
    assert rows_by_header(50) == rows_by_header(50)
    assert rows_by_header(50) != rows_by_header(50, seed=1)


@pytest.mark.django_db
def test_data_have_the_columns_of_the_entry():
    version = EntryVersion.objects.get(entry__code="administrative-penalty", state="in_force")
    fields = list(version.fields.order_by("position"))
    assert [field.code for field in fields if field.code in HEADER] == list(HEADER)
    assert all(field.required == "never" for field in fields if field.code not in HEADER)
    for row in rows_by_header(300):
        for field in (field for field in fields if field.code in HEADER):
            assert len(row[field.code]) <= (field.length or 5000), field.code
            assert row[field.code] or field.required != "always", field.code
    assert FieldRole.SUBJECT_NAME in {field.role for field in fields}


def test_numbers_are_valid_and_parties_come_back():
    rows = rows_by_header(3000)
    persons = [row for row in rows if row["CF_XDR_LB"] == "自然人"]
    others = [row for row in rows if row["CF_XDR_LB"] != "自然人"]
    assert not any(check(IdentifierKind.RESIDENT_ID, row["CF_XDR_ZJHM"]) for row in persons)
    assert not any(check(IdentifierKind.CREDIT_CODE, row["CF_XDR_SHXYM"]) for row in others)
    assert 0.12 < len(persons) / len(rows) < 0.28
    parties = {row["CF_XDR_SHXYM"] or row["CF_XDR_ZJHM"] for row in rows}
    assert 2.5 < len(rows) / len(parties) < 3.6


@pytest.fixture(scope="module")
def reports(django_db_setup):
    return measured("report", 8)


def test_reports_are_measured_by_latency_and_by_throughput(reports):
    assert set(reports) == KEYS
    assert (reports["name"], reports["unit"]) == ("report", "reports/s")
    assert set(reports["ratios"]) == set(reports["aims"]) == {"milliseconds", "per_second"}
    assert reports["ratios"]["milliseconds"] == pytest.approx(150 / reports["baselines"]["milliseconds"], abs=0.01)
    assert reports["ratios"]["per_second"] == pytest.approx(reports["ours"] / 8, abs=0.01)
    assert set(reports["aims"].values()) == {1.0}


@pytest.mark.parametrize(
    ("name", "beside"),
    [("eligibility", "bare_view"), ("eligibility_consent", "bare_view"), ("batch_check", "single_calls")],
)
def test_queries_are_measured_beside_the_plain_way(name, beside, django_db_setup):
    found = measured(name, 20)
    assert set(found) == KEYS
    assert found["ratios"][beside] == pytest.approx(found["ours"] / found["baselines"][beside], abs=0.01)


@pytest.mark.parametrize(
    ("name", "beside"),
    [("feed_xlsx", "calamine"), ("feed_unchanged", "first_load"), ("feed_parallel", "one_after_the_other")],
)
def test_further_feeds_are_measured_too(name, beside, django_db_setup):
    found = measured(name, 300)
    assert set(found) == KEYS and (found["name"], found["unit"]) == (name, "rows/s")
    assert found["ratios"][beside] == pytest.approx(found["ours"] / found["baselines"][beside], abs=0.01)
