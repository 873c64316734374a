"""XLSX that is broken, protected or dangerous: a clear refusal, before it costs anything."""

import io
import random
import struct
import zipfile
from pathlib import Path

import pytest

from records.feeds.readers import FeedFileError, Limits
from tests.records.feed_files import MAIN, OFFICE, encrypted, opened, package, read_all, sheet_xml, xlsx

HEADER = '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1" t="inlineStr"><is><t>b</t></is></c></row>'


def refusal(folder: Path, content: bytes, **limits: int) -> FeedFileError:
    """The error which opening and reading the workbook raises."""
    with pytest.raises(FeedFileError) as caught:
        read_all(opened(folder, content, limits=Limits(**limits)))
    return caught.value


def test_no_worksheet(tmp_path: Path) -> None:
    assert refusal(tmp_path, package(sheet_xml(""))).code == "no_worksheet"


def test_password_protected(tmp_path: Path) -> None:
    assert refusal(tmp_path, encrypted(xlsx([["a"], ["1"]]))).code == "password_protected"


def test_zip_with_encrypted_entries(tmp_path: Path) -> None:
    content = bytearray(xlsx([["a"], ["1"]]))
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        content[at + 8] |= 1
        at = content.find(b"PK\x01\x02", at + 1)
    assert refusal(tmp_path, bytes(content)).code == "password_protected"


def test_zip_bomb_by_ratio_and_by_size(tmp_path: Path) -> None:
    bomb = package(sheet_xml(HEADER + " " * 80_000_000))
    assert len(bomb) < 200_000
    assert refusal(tmp_path, bomb).code == "zip_bomb"
    assert refusal(tmp_path, bomb, unpack_ratio=10_000, unpacked_bytes=1_000_000).code == "zip_bomb"


def test_bomb_in_a_small_part_and_in_the_strings(tmp_path: Path) -> None:
    sheet = sheet_xml(HEADER)
    assert refusal(tmp_path, package(sheet, styles=" " * 20_000_000)).code == "zip_bomb"
    strings = "<si><t>" + "x" * 200 + "</t></si>"
    assert refusal(tmp_path, package(sheet, strings=strings * 400_000)).code == "zip_bomb"


def test_headers_that_lie_about_the_size(tmp_path: Path) -> None:
    content = bytearray(package(sheet_xml(HEADER + " " * 80_000_000)))
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        struct.pack_into("<I", content, at + 24, 100)
        at = content.find(b"PK\x01\x02", at + 1)
    assert refusal(tmp_path, bytes(content)).code in ("zip_bomb", "corrupt_workbook")


def test_too_many_entries(tmp_path: Path) -> None:
    buffer = io.BytesIO(xlsx([["a"], ["1"]]))
    with zipfile.ZipFile(buffer, "a") as archive:
        for at in range(60):
            archive.writestr(f"x/{at}", b"")
    assert refusal(tmp_path, buffer.getvalue(), zip_entries=50).code == "zip_bomb"
    assert read_all(opened(tmp_path, buffer.getvalue())).received == 1


@pytest.mark.parametrize("part", ["sheet", "strings", "styles", "workbook"])
def test_document_types_are_refused(tmp_path: Path, part: str) -> None:
    declared = '<!DOCTYPE x [<!ENTITY e "1">]>'
    sheet = sheet_xml(f'{HEADER}<row r="2"><c r="A2" t="s"><v>0</v></c></row>')
    parts = {
        "xl/worksheets/sheet1.xml": sheet,
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}"><si><t>1</t></si></sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"/>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
        '<sheet name="S" sheetId="1" r:id="s1"/></sheets></workbook>',
    }
    assert read_all(opened(tmp_path, package(sheet, **parts))).received == 1
    name = next(name for name in parts if part.lower() in name.lower())
    parts[name] = declared + parts[name].removeprefix('<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n')
    assert refusal(tmp_path, package(sheet, **parts)).code == "xml_doctype"


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="2"><c r="A2"><v>1</c></row>',
        '<row r="2"><c r="A2"><v>1</v></c>',
        '<row r="2"><c r="A2"><v>1</v></c><v></row>',
        '<row r="2"><c r="A2"><v>1</v></c></c><c r="B2"></row>',
        '<row r="2"><c r="A2"><v>&foo;</v></c></row>',
        '<row r="2"><c r="A2" t="str"><v>a & b</v></c></row>',
        '<row r="2"><c r="A2" t="str"><v>\x01</v></c></row>',
        '<row r="2"><c r="A2" t="str"><v>&#0;</v></c></row>',
        '<row r="2"><c r="A2" t="s"><v>5</v></c></row>',
        '<row r="2"><c r="A2" t="s"><v>-1</v></c></row>',
        '<row r="2"><c r="A2" t="s"><v>x</v></c></row>',
        '<row r="2"><c r="A2" t="odd"><v>1</v></c></row>',
        '<row r="2"><c r="ZZZ2"><v>1</v></c></row>',
    ],
)
def test_broken_sheets(tmp_path: Path, rows: str) -> None:
    content = package(sheet_xml(HEADER + rows), strings="<si><t>0</t></si>")
    assert refusal(tmp_path, content).code == "corrupt_workbook"


@pytest.mark.parametrize("encoding", ["utf-9", "koi9", "gb18030"])
def test_sheets_in_an_encoding_that_the_parser_does_not_know(tmp_path: Path, encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding}"?>'
    sheet = declared + sheet_xml("<row><c><v>1</v></c></row>").partition("?>")[2]
    assert refusal(tmp_path, package(sheet)).code == "corrupt_workbook"


def test_damaged_and_cut_files(tmp_path: Path) -> None:
    good = xlsx([["a", "b"]] + [[str(at), str(at * 7919)] for at in range(5000)])
    for cut in (10, 100, len(good) // 2, len(good) - 10):
        assert refusal(tmp_path, good[:cut]).code == "corrupt_workbook"
    flipped = bytearray(good)
    at = good.find(b"xl/worksheets/sheet1.xml") + 2000
    flipped[at] ^= 0x55
    assert refusal(tmp_path, bytes(flipped)).code == "corrupt_workbook"


def test_missing_parts(tmp_path: Path) -> None:
    rows = f'{HEADER}<row r="2"><c r="A2" t="s"><v>0</v></c></row>'
    assert refusal(tmp_path, package(sheet_xml(rows))).code == "corrupt_workbook"


@pytest.mark.parametrize("cell", ['<c r="B2" t="str"><v>{0}</v></c>', '<c r="B2" t="s"><v>0</v></c>'])
def test_cell_too_long(tmp_path: Path, cell: str) -> None:
    rows = f'{HEADER}<row r="2"><c r="A2"><v>1</v></c>{cell.format("x" * 101)}</row>'
    content = package(sheet_xml(rows), strings=f"<si><t>{'y' * 101}</t></si>")
    assert refusal(tmp_path, content, cell_chars=100).code == "cell_too_long"
    assert read_all(opened(tmp_path, content, limits=Limits(cell_chars=101))).received == 1


def test_endless_tokens_are_refused(tmp_path: Path) -> None:
    noise = "".join(random.Random(1).choices("abcdefghijklmnop> ", k=1_000_000))
    for rows in (f"<!-- {noise * 12} -->", f'<row r="2" x="{noise.replace(">", "") * 12}"/>'):
        content = package(sheet_xml(HEADER + rows))
        assert refusal(tmp_path, content, unpack_ratio=10_000).code == "corrupt_workbook"


@pytest.mark.parametrize("name", ["word/document.xml", "content.xml", "data.csv", "xl/workbook.bin"])
def test_zips_that_are_no_workbook(tmp_path: Path, name: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, b"x")
        archive.writestr("mimetype" if name == "content.xml" else "_rels/.rels" if "/" in name else "x", b"x")
    assert refusal(tmp_path, buffer.getvalue()).code == "not_a_table"
