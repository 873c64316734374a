"""XML feeds: records to rows in every declared encoding, with declarations and bombs refused."""

from pathlib import Path

import pytest

from records.feeds.readers import BadRow, FeedFileError, Limits
from tests.records.feed_files import opened, read_all, rows_of, xml

ROWS = [["甲不上一", "a & <b>"], ["上海", "2"]]


def refusal(folder: Path, content: bytes | str, **limits: int) -> FeedFileError:
    """The error which opening and reading the file raises."""
    data = content if isinstance(content, bytes) else content.encode()
    with pytest.raises(FeedFileError) as caught:
        read_all(opened(folder, data, limits=Limits(**limits)))
    return caught.value


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK", "gb2312", "GB18030", "UTF-16"])
def test_declared_encodings(tmp_path: Path, encoding: str) -> None:
    table = opened(tmp_path, xml(["名称", "代码"], ROWS, encoding))
    assert (table.format, table.header) == ("xml", ["名称", "代码"])
    assert rows_of(read_all(table)) == ROWS


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf16_without_mark(tmp_path: Path, codec: str) -> None:
    text = '<?xml version="1.0" encoding="UTF-16"?><l><r><a>甲</a></r></l>'
    assert rows_of(read_all(opened(tmp_path, text.encode(codec)))) == [["甲"]]


def test_gb2312_with_characters_of_gb18030(tmp_path: Path) -> None:
    text = '<?xml version="1.0" encoding="GB2312"?>\n<l><r><a>朱镕基𬭚</a></r></l>'
    assert rows_of(read_all(opened(tmp_path, text.encode("gb18030")))) == [["朱镕基𬭚"]]


def test_header_is_the_union_of_the_first_records_and_attributes_count(tmp_path: Path) -> None:
    text = '<l><r id="1"><b>2</b></r><r><c>3</c><b/></r><r/><x:r xmlns:x="u" id="4"/>\n<r id="5"><c> </c></r></l>'
    table = opened(tmp_path, text.encode())
    assert table.header == ["id", "b", "c"]
    chunk = read_all(table)
    assert rows_of(chunk) == [["1", "2", ""], ["", "", "3"], ["5", "", " "]]
    assert chunk.bad == [BadRow(3, 1, "unknown_record", ["4"], ("r",))]
    assert list(chunk.line_numbers) == [1, 1, 2]


def test_records_of_text_only_are_one_column(tmp_path: Path) -> None:
    table = opened(tmp_path, b"<codes><code>1</code><code/><code>2</code></codes>")
    assert (table.header, rows_of(read_all(table))) == (["code"], [["1"], ["2"]])


@pytest.mark.parametrize(
    ("record", "bad"),
    [
        ("<r><a>1</a><a>2</a></r>", BadRow(201, 202, "repeated_column", ["1", "2"], ("a",))),
        ('<r a="1"><a>2</a></r>', BadRow(201, 202, "repeated_column", ["1", "2"], ("a",))),
        ("<r><a>1<i>2</i></a></r>", BadRow(201, 202, "nested_element", ["12"], ("a",))),
        ("<r>x<a>1</a></r>", BadRow(201, 202, "stray_text", ["1"])),
        ("<r><a>1</a>x</r>", BadRow(201, 202, "stray_text", ["1"])),
        ("<r><a>1</a><new>2</new></r>", BadRow(201, 202, "unknown_column", ["1", "2"], ("new",))),
        ("<q><a>1</a></q>", BadRow(201, 202, "unknown_record", ["1"], ("q",))),
    ],
)
def test_records_which_do_not_fit_are_kept_aside(tmp_path: Path, record: str, bad: BadRow) -> None:
    before = "".join(f"<r><a>{at}</a></r>\n" for at in range(200))
    text = f"<l>\n{before}{record}\n<r><a>end</a></r></l>"
    chunk = read_all(opened(tmp_path, text.encode()))
    assert chunk.bad == [bad]
    assert rows_of(chunk)[-1] == ["end"]
    assert chunk.row_numbers[-1] == 202


def test_text_between_records_is_kept_aside(tmp_path: Path) -> None:
    chunk = read_all(opened(tmp_path, b"<l><r><a>1</a></r>stray<r><a>2</a></r></l>"))
    assert chunk.bad == [BadRow(2, 1, "stray_text", ["stray"])]
    assert list(chunk.row_numbers) == [1, 3]


def test_lines_beyond_65535(tmp_path: Path) -> None:
    text = "<l>\n" + "<r><a>1</a></r>\n" * 70_000 + "</l>"
    chunk = read_all(opened(tmp_path, text.encode()), size=10_000)
    assert list(chunk.line_numbers) == list(range(2, 70_002))


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE l [<!ENTITY a "1"><!ENTITY b "&a;&a;">]><l><r><a>&b;</a></r></l>',
        '<?xml version="1.0"?><!-- x -->\n<!DOCTYPE l SYSTEM "file:///etc/passwd"><l><r><a>1</a></r></l>',
        '<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]><l><r><a>&x;</a></r></l>',
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_document_types_are_refused(tmp_path: Path, text: str, codec: str) -> None:
    assert refusal(tmp_path, text.encode(codec)).code == "xml_doctype"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("<l>\n<r><a>1</a></r>\n<r><a>2</r></l>", 3),
        ("<l>\n<r><a>&foo;</a></r></l>", 2),
        ("<l><r><a>1</a></r>", 1),
        ("<l><r><a>1</a></r></l>\n<l/>", 2),
        ("<l", 1),
        ("<l><r><a>\x01</a></r></l>", 1),
    ],
)
def test_malformed(tmp_path: Path, text: str, line: int) -> None:
    error = refusal(tmp_path, text)
    assert (error.code, error.params["line"]) == ("xml_malformed", line)


def test_rows_before_the_damage_are_read_first(tmp_path: Path) -> None:
    text = "<l>" + "<r><a>1</a></r>" * 100_000 + "<r><b></l>"
    received = 0
    with pytest.raises(FeedFileError):
        for chunk in opened(tmp_path, text.encode()).chunks(1000):
            received += chunk.received
    assert 80_000 < received <= 100_000


@pytest.mark.parametrize(
    ("text", "code"), [("<l/>", "no_rows"), ("<l></l>", "no_rows"), ("<l><r/><r> </r></l>", "header_missing")]
)
def test_header_missing(tmp_path: Path, text: str, code: str) -> None:
    assert refusal(tmp_path, text).code == code


def test_encodings_that_are_not_what_they_say(tmp_path: Path) -> None:
    gbk = '<?xml version="1.0" encoding="GBK"?><l><r><a>甲乙公司</a></r></l>'
    assert refusal(tmp_path, gbk).code == "encoding_mismatch"
    utf8 = gbk.replace("GBK", "UTF-8").encode("gb18030")
    error = refusal(tmp_path, utf8)
    assert (error.code, error.params["offset"]) == ("invalid_encoding", utf8.find("甲".encode("gb18030")))
    assert refusal(tmp_path, gbk.replace("GBK", "utf-16")).code == "encoding_mismatch"
    assert refusal(tmp_path, gbk.replace("GBK", "Big5")).code == "encoding_unsupported"


def test_nul_byte(tmp_path: Path) -> None:
    error = refusal(tmp_path, b"<l>\n<r><a>1\x00</a></r></l>")
    assert (error.code, error.params["line"]) == ("nul_byte", 2)


def test_oversized_cells_and_records(tmp_path: Path) -> None:
    assert refusal(tmp_path, f"<l><r><a>{'x' * 101}</a></r></l>", cell_chars=100).code == "cell_too_long"
    endless = "<l><r>" + "<a>1</a>" * 500_000 + "</r></l>"
    assert refusal(tmp_path, endless, xml_record_bytes=1_000_000).code == "row_too_long"


def test_spreadsheet_xml_of_2003_is_named(tmp_path: Path) -> None:
    text = '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet/></Workbook>'
    assert refusal(tmp_path, text).code == "not_a_table"


@pytest.mark.parametrize("name", ["re\x01cords", "re\x7fcords", "re\ufffecords", "a:b:c"])
def test_a_root_whose_name_is_none(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path, f"<{name}><record><a>1</a></record></{name}>").code == "xml_malformed"
