"""What holds for every table in every format: exact round trips, stable numbering, resuming, bounded memory."""

import csv
import io
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from records.feeds.readers import FeedFileError, looks_like_formula, open_table
from records.feeds.readers.table import Chunk, rechunk, shape_rows
from tests.records.feed_files import package, read_all, rows_of, sheet_xml, xls, xlsx, xml

ROOT = Path(__file__).resolve().parents[2]
# Carriage returns and control characters do not survive XML itself, so they are tried in CSV and XLSX only.
LETTERS = st.sampled_from("aZ0 ,;|\t\"'=<>&]%_x甲乙〔〕１𬭚䶮㛃𠅤鿍é\n\u2028\u0085\u3000-.")
CELL = st.one_of(
    st.text(LETTERS, max_size=12),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), max_size=8),
)
QUICK = settings(max_examples=60, deadline=None)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """A header and rows of which none is empty."""
    width = draw(st.integers(1, 5))
    rows = draw(st.lists(st.lists(CELL, min_size=width, max_size=width), max_size=8))
    header = [f"列{at}" for at in range(width)]
    return header, [row for row in rows if "".join(row).strip()]


def round_trip(content: bytes) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a file, read in small chunks."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        with open_table(path) as table:
            chunk = read_all(table, size=3)
            assert chunk.bad == []
            return table.header, rows_of(chunk)


def csv_text(table: tuple[list[str], list[list[str]]], newline: str, quoting: int) -> str:
    """The table as the csv module writes it."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=newline, quoting=quoting).writerows([table[0], *table[1]])
    return buffer.getvalue()


@QUICK
@given(tables(), st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]), st.sampled_from(["\n", "\r\n"]))
def test_csv_round_trip(table: tuple[list[str], list[list[str]]], codec: str, newline: str) -> None:
    assert round_trip(csv_text(table, newline, csv.QUOTE_ALL).encode(codec)) == table
    header, rows = table
    # A single column whose texts hold delimiters reads like a title above a table of several.
    assume(len(header) > 1 or not any(mark in text for (text,) in rows for mark in ";|\t"))
    assert round_trip(csv_text(table, newline, csv.QUOTE_MINIMAL).encode(codec)) == table


@QUICK
@given(tables(), st.booleans())
def test_xlsx_round_trip(table: tuple[list[str], list[list[str]]], strings: bool) -> None:
    assert round_trip(xlsx([table[0], *table[1]], strings=strings)) == table


@settings(max_examples=8, deadline=None)
@given(tables())
def test_xls_round_trip(table: tuple[list[str], list[list[str]]]) -> None:
    assert round_trip(xls([table[0], *table[1]])) == table


@QUICK
@given(tables(), st.sampled_from(["UTF-8", "GB18030", "UTF-16"]))
def test_xml_round_trip(table: tuple[list[str], list[list[str]]], encoding: str) -> None:
    if table[1]:
        assert round_trip(xml(*table, encoding)) == table


RAGGED = st.lists(st.lists(st.sampled_from(["", "1", "22", " "]), max_size=4), max_size=60)


@QUICK
@given(RAGGED, st.integers(0, 70), st.integers(1, 30))
def test_resuming_gives_the_same_rows(rows: list[list[str]], skip: int, size: int) -> None:
    text = "a,b\n" + "".join(",".join(row) + "\n" for row in rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_text(text)
        table = open_table(path)
        whole, rest = read_all(table), read_all(table, size, skip)
    kept = [at for at, number in enumerate(whole.row_numbers) if number > skip]
    assert rows_of(rest) == [rows_of(whole)[at] for at in kept]
    assert list(rest.row_numbers) == [whole.row_numbers[at] for at in kept]
    assert list(rest.line_numbers) == [whole.line_numbers[at] for at in kept]
    assert rest.bad == [row for row in whole.bad if row.row_number > skip]
    assert whole.received == len(whole.row_numbers) + len(whole.bad)


@pytest.mark.parametrize("write", [xlsx, xls])
def test_resuming_a_workbook(tmp_path: Path, write: object) -> None:
    rows = [["a", "b"]] + [[str(at), "x" if at % 3 else ""] + ["extra"] * (at % 50 == 7) for at in range(5000)]
    path = tmp_path / "file"
    path.write_bytes(write(rows))  # type: ignore[operator]
    table = open_table(path)
    whole = read_all(table)
    for skip in (1, 2499, 4999, 5000, 6000):
        rest = read_all(table, 700, skip)
        assert list(rest.row_numbers) == [number for number in whole.row_numbers if number > skip]
        assert [row.row_number for row in rest.bad] == [at + 1 for at in range(7, 5000, 50) if at + 1 > skip]
        assert rows_of(rest) == rows_of(whole)[len(whole) - len(rest) :]


def test_chunks_have_the_size_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("a,b\n" + "1,2\n,\n3\n" * 500)
    chunks = list(open_table(path).chunks(7, skip=3))
    assert [chunk.received for chunk in chunks[:-1]] == [7] * (len(chunks) - 1)
    assert [chunk.first_row for chunk in chunks] == list(range(4, 1001, 7))
    assert all(len(chunk) + len(chunk.bad) == chunk.received for chunk in chunks)


@given(st.lists(st.integers(1, 9), max_size=12), st.integers(1, 10), st.integers(0, 40))
def test_rechunking_loses_nothing(sizes: list[int], size: int, skip: int) -> None:
    blocks, number = [], 1
    for count in sizes:
        rows = [[str(at), "x"] for at in range(number, number + count)]
        blocks.append(shape_rows(rows, range(number + 1, number + count + 1), 2, number))
        number += count
    chunks = list(rechunk(iter(blocks), size, skip, 1000))
    assert [cell for chunk in chunks for cell in chunk.columns[0]] == [str(at) for at in range(skip + 1, number)]
    assert [line for chunk in chunks for line in chunk.line_numbers] == list(range(skip + 2, number + 1))
    assert all(chunk.received == size for chunk in chunks[:-1])


def test_a_chunk_covers_its_rows() -> None:
    chunk = Chunk(5, 3, [["a", "b", "c"]], [5, 6, 7], [9, 10, 11])
    assert (chunk.last_row, len(chunk), chunk.part(6, 7).columns) == (7, 3, [["b", "c"]])


@pytest.mark.parametrize("size", [0, -1])
def test_nonsense_sizes(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_text("a\n1\n")
    with pytest.raises(ValueError, match="positive"):
        next(open_table(path).chunks(size))


@pytest.mark.parametrize(
    "text", ["=1+1", "=HYPERLINK(A1)", "@SUM(1)", "+cmd|' /C calc'!A0", "-2+3+cmd|x", " =x", "＝A1"]
)
def test_formulas_are_recognised(text: str) -> None:
    assert looks_like_formula(text)


@pytest.mark.parametrize(
    "text", ["", "-", "--", "-5", "-12.50", "+86 138-0000-0000", "+86 (0)755", "- 无", "=", "甲=乙", "1-2", "-12%"]
)
def test_numbers_and_dashes_are_no_formulas(text: str) -> None:
    assert not looks_like_formula(text)


def test_errors_survive_pickling() -> None:
    error = pickle.loads(pickle.dumps(FeedFileError("nul_byte", line=7)))  # noqa: S301
    assert (error.code, error.params, "7" in str(error)) == ("nul_byte", {"line": 7}, True)


MEASURE = """
import sys
from pathlib import Path
from django.conf import settings
settings.configure(USE_I18N=False)
from records.feeds.readers import open_table
rows = 0
for chunk in open_table(Path(sys.argv[1])).chunks(5000):
    rows += chunk.received
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(rows, int(peak.split()[1]) // 1024)
"""


def measured(path: Path) -> tuple[int, int]:
    """Rows read and peak memory in mebibytes of a process that reads the file."""
    command = [sys.executable, "-c", MEASURE, str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    rows, peak = answer.stdout.split()
    return int(rows), int(peak)


def test_memory_stays_bounded_for_a_large_workbook(tmp_path: Path) -> None:
    path = tmp_path / "large.xlsx"
    path.write_bytes(large_workbook(300_000))
    rows, peak = measured(path)
    assert rows == 300_000
    assert peak < 300


def large_workbook(rows: int) -> bytes:
    """A workbook of six columns in which two hold a different string in every row."""
    names = "ABCDEF"
    header = "".join(f'<c r="{name}1" t="inlineStr"><is><t>{name}</t></is></c>' for name in names)
    lines = [f'<row r="1">{header}</row>']
    for at in range(rows):
        line = at + 2
        lines.append(
            f'<row r="{line}"><c r="A{line}" t="s"><v>{2 * at}</v></c><c r="B{line}" t="s"><v>{2 * at + 1}</v></c>'
            f'<c r="C{line}"><v>{at}.25</v></c><c r="D{line}" s="1"><v>{40000 + at % 999}</v></c>'
            f'<c r="E{line}" t="inlineStr"><is><t>惠州市某某有限责任公司{at}</t></is></c></row>'
        )
    strings = "".join(f"<si><t>91620100MA{at:08d}</t></si><si><t>甘肃省某某{at}</t></si>" for at in range(rows))
    styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
    return package(sheet_xml("".join(lines)), strings=strings, styles=styles)
