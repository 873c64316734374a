"""JSON deliveries: a stream of flat objects, every digit kept, what is no record told by its number."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from records.feeds.readers import FeedFileError, Limits, open_table
from records.feeds.readers.json_records import DEEPEST

LIMITS = Limits(chunk_chars=4000, cell_chars=1000)


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Refusals are compared by their English words."""
    with translation.override("en"):
        yield


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "delivery"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def rows_of(path: Path, limits: Limits = LIMITS) -> tuple[list[str], list[list[str]], list[tuple[int, str]]]:
    with open_table(path, limits=limits) as table:
        rows: list[list[str]] = []
        bad = []
        for chunk in table.chunks(3):
            rows += map(list, zip(*chunk.columns, strict=True))
            bad += [(row.line_number, row.code) for row in chunk.bad]
        return table.header, rows, bad


@pytest.mark.parametrize("wrap", ["%s", '{"rows": %s}', '\ufeff  {\n "rows"\t:\n%s}\n '])
def test_an_array_bare_or_under_rows_is_a_table(tmp_path: Path, wrap: str) -> None:
    records = [{"a": "1", "b": "二"}, {"b": None, "a": "x"}, {}, {"a": '𠮷"\\}]{['}]
    header, rows, bad = rows_of(written(tmp_path, wrap % json.dumps(records, ensure_ascii=False)))
    assert (header, bad) == (["a", "b"], [])
    assert rows == [["1", "二"], ["x", ""], ['𠮷"\\}]{[', ""]]


def test_numbers_keep_every_digit_they_were_written_with(tmp_path: Path) -> None:
    text = '[{"a": 441300199001011239, "b": 0.10, "c": 1e400, "d": %s}]' % ("9" * 900)
    assert rows_of(written(tmp_path, text))[1] == [["441300199001011239", "0.10", "1e400", "9" * 900]]


@pytest.mark.parametrize("size", [1, 2, 7, 64, 1000])
def test_wherever_a_block_ends_the_records_are_the_same(tmp_path: Path, size: int, monkeypatch: Any) -> None:
    monkeypatch.setattr("records.feeds.readers.encoding.BLOCK", size)
    random.seed(size)
    records = [{"a": random.choice(['"', "\\", "{", "}", "]", "，", "x" * 50]) * 3, "b": str(n)} for n in range(40)]
    text = json.dumps(records, ensure_ascii=bool(size % 2), indent=random.choice([None, 1]))
    assert rows_of(written(tmp_path, text))[1] == [[r["a"], r["b"]] for r in records]


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ('{"a": "1", "a": "2"}', "repeated_column"), ('{"a": {"b": {"c": []}}}', "nested_value"),
        ('{"a": [1, 2]}', "nested_value"), ('{"a": true}', "wrong_type"), ('{"a": "1", "z": "2"}', "unknown_column"),
    ],
)  # fmt: skip
def test_a_record_of_another_shape_is_set_aside_and_the_others_go_in(tmp_path: Path, record: str, code: str) -> None:
    good = ", ".join(['{"a": "1"}'] * 200)
    _header, rows, bad = rows_of(written(tmp_path, f'[{good}, {record}, {{"a": "9"}}]'))
    assert bad == [(201, code)]
    assert (len(rows), rows[-1]) == (201, ["9"])


NESTED = "[" * (DEEPEST + 5) + "]" * (DEEPEST + 5)
REFUSED = {
    "no records": ("[]", "no_rows"),
    "nothing in it": ('{"rows": []}', "no_rows"),
    "another object": ('{"data": [{"a": "1"}]}', "json_no_records"),
    "more beside the rows": ('{"rows": [{"a": "1"}], "x": 1}', "json_no_records"),
    "a number for a record": ('[{"a": "1"}, 7]', "json_record"),
    "no end": ('[{"a": "1"}', "json_cut_off"),
    "no end after a comma": ('[{"a": "1"},', "json_cut_off"),
    "no end of a record": ('[{"a": "1"', "json_cut_off"),
    "no end of the object around": ('{"rows": [{"a": "1"}]', "json_cut_off"),
    "an open text": ('[{"a": "1', "json_cut_off"),
    "no end of something nested": ('[{"a": [1, ', "json_cut_off"),
    "a comma too many": ('[{"a": "1"},]', "json_malformed"),
    "no comma": ('[{"a": "1"} {"a": "2"}]', "json_malformed"),
    "more after the end": ('[{"a": "1"}] x', "json_malformed"),
    "not a number": ('[{"a": NaN}]', "json_malformed"),
    "infinity": ('[{"a": -Infinity}]', "json_malformed"),
    "half a character": ('[{"a": "\\ud800"}]', "json_malformed"),
    "half a character in a name": ('[{"\\ud800": "1"}]', "json_malformed"),
    "a NUL": ('[{"a": "\\u0000"}]', "nul_byte"),
    "too deep": (f'[{{"a": {NESTED}}}]', "json_too_deep"),
    "far too deep": ('[{"a": %s' % ("[" * 100_000), "json_too_deep"),
    "a long cell": ('[{"a": "%s"}]' % ("x" * 1001), "cell_too_long"),
    "a long record": (json.dumps([{f"k{n}": "x" * 900 for n in range(5)}]), "row_too_long"),
    "a record without end": ('[{"a": "%s' % ("x" * 20_000), "row_too_long"),
    "another encoding": ('[{"a": "惠州"}]'.encode("gb18030"), "invalid_encoding"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_list_of_records_is_refused_with_its_place(tmp_path: Path, case: str) -> None:
    content, code = REFUSED[case]
    with pytest.raises(FeedFileError) as refused:
        rows_of(written(tmp_path, content))
    assert refused.value.code == code
    assert "xxx" not in str(refused.value)


def test_going_on_in_the_middle_gives_the_rest(tmp_path: Path) -> None:
    path = written(tmp_path, json.dumps([{"a": str(n)} for n in range(50)]))
    with open_table(path) as table:
        assert [cell for chunk in table.chunks(10, skip=23) for cell in chunk.columns[0]] == [
            str(n) for n in range(23, 50)
        ]


@pytest.mark.parametrize("size", [1, 3, 1 << 20])
def test_json_that_ends_too_early_is_told_so_with_line_and_column(tmp_path: Path, size: int, monkeypatch: Any) -> None:
    monkeypatch.setattr("records.feeds.readers.encoding.BLOCK", size)
    records = [{"a": "甲", "b": [1, {"c": "2"}]}, {"a": "2", "b": "x"}]
    whole = json.dumps({"rows": records}, ensure_ascii=False, indent=1)
    for end in range(12, len(whole)):  # from the first quotation mark of a record on
        with pytest.raises(FeedFileError) as refused:
            rows_of(written(tmp_path, whole[:end]))
        lines = whole[:end].split("\n")
        place = {"line": len(lines), "column": len(lines[-1]) + 1}
        assert refused.value.code == "json_cut_off", whole[:end]
        assert {name: refused.value.params[name] for name in place} == place
        assert f"line {place['line']}, column {place['column']}" in str(refused.value)


def test_a_mistake_in_the_middle_is_told_with_its_line_and_column(tmp_path: Path) -> None:
    for text, line, column in (
        ('[{"a": "1"},\n {"a": 01}]', 2, 9), ('[{"a": "1"},\n\n  ]', 3, 3), ('[{"a": "1"}\n {"a": "2"}]', 2, 2),
        ('[\n{"a" "1"}]', 2, 6),
    ):  # fmt: skip
        with pytest.raises(FeedFileError) as refused:
            rows_of(written(tmp_path, text))
        found = refused.value
        assert (found.code, found.params["line"], found.params["column"]) == ("json_malformed", line, column), text


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ('"x"', "json_value", "a text"), ("17", "json_value", "a number"), ("-1.5", "json_value", "a number"),
        ("true", "json_value", "true or false"), ("null", "json_value", "null"),
        ('["x", "y"]', "json_record", "a text"), ("[1, 2]", "json_record", "a number"),
        ("[false]", "json_record", "true or false"), ("[null]", "json_record", "null"),
        ("[[1]]", "json_record", "a list"), ('[{"a": "1"}, "x"]', "json_record", "Record 2 of the JSON is a text"),
        ("CF_WSH,CF_JDRQ", "json_malformed", "line 1, column 1"), ("[", "json_cut_off", "line 1, column 2"),
        ("{", "json_cut_off", "line 1, column 2"), ('{"ro', "json_cut_off", "line 1, column 5"),
        ("[nul", "json_malformed", "line 1, column 2"),
    ],
)  # fmt: skip
def test_what_was_sent_as_json_and_is_no_list_of_objects_is_called_by_its_name(
    tmp_path: Path, text: str, code: str, words: str
) -> None:
    with pytest.raises(FeedFileError) as refused, open_table(written(tmp_path, text), name="delivery.json"):
        pass
    assert refused.value.code == code and words in str(refused.value)
