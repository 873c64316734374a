"""JSON deliveries: a stream of flat objects, every digit kept, what is no record told by its number."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from records.feeds.readers import FeedFileError, Limits, open_table
from records.feeds.readers.json_records import DEEPEST

LIMITS = Limits(chunk_chars=4000, cell_chars=1000)


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
    "no records": ("[]", "header_missing"),
    "nothing in it": ('{"rows": []}', "header_missing"),
    "another object": ('{"data": [{"a": "1"}]}', "json_no_records"),
    "more beside the rows": ('{"rows": [{"a": "1"}], "x": 1}', "json_no_records"),
    "a number for a record": ('[{"a": "1"}, 7]', "json_record"),
    "no end": ('[{"a": "1"}', "json_malformed"),
    "no end of a record": ('[{"a": "1"', "json_malformed"),
    "an open text": ('[{"a": "1', "json_malformed"),
    "a comma too many": ('[{"a": "1"},]', "json_record"),
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
