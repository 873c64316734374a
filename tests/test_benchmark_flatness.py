"""A load into a full table is measured beside one into an empty table, small, on a copy of the migrated database."""

import pytest

from benchmarks.contest import expect
from tests.test_benchmarks import KEYS, measured


def test_a_load_is_measured_on_an_empty_and_on_a_full_table(django_db_setup):
    found = measured("feed_flatness", 800)
    assert set(found) == KEYS and (found["name"], found["unit"]) == ("feed_flatness", "rows/s")
    assert set(found["baselines"]) == set(found["ratios"]) == set(found["aims"]) == {"empty_table"}
    assert found["ratios"]["empty_table"] == pytest.approx(found["ours"] / found["baselines"]["empty_table"], rel=0.05)


@pytest.mark.django_db
def test_a_benchmark_fails_where_the_table_holds_other_rows_than_it_loaded():
    expect(0)
    with pytest.raises(RuntimeError, match="0 rows instead of 1"):
        expect(1)
