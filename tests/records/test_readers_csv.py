"""Delimited text: every encoding and shape departments send, and a clear refusal of what is broken."""

from pathlib import Path

import pytest
from django.utils import translation

from records.feeds.readers import BadRow, FeedFileError, Limits, open_table
from tests.records.feed_files import opened, read_all, rows_of

TABLE = "名称,代码\n甲不上一,1\n上海𬭚,2\n"
ROWS = [["甲不上一", "1"], ["上海𬭚", "2"]]


def refusal(folder: Path, content: bytes, **limits: int) -> FeedFileError:
    """The error which opening and reading the file raises."""
    with pytest.raises(FeedFileError) as caught:
        read_all(opened(folder, content, limits=Limits(**limits)))
    return caught.value


@pytest.mark.parametrize(
    ("codec", "mark", "name"),
    [
        ("utf-8", b"", "UTF-8"),
        ("utf-8", b"\xef\xbb\xbf", "UTF-8"),
        ("gb18030", b"", "GB18030"),
        ("utf-16-le", b"", "UTF-16 LE"),
        ("utf-16-be", b"", "UTF-16 BE"),
        ("utf-16-le", b"\xff\xfe", "UTF-16 LE"),
        ("utf-16-be", b"\xfe\xff", "UTF-16 BE"),
    ],
)
def test_encodings(tmp_path: Path, codec: str, mark: bytes, name: str) -> None:
    table = opened(tmp_path, mark + TABLE.encode(codec))
    assert (table.format, table.encoding, table.header) == ("csv", name, ["名称", "代码"])
    assert rows_of(read_all(table)) == ROWS


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_unmarked_utf16_of_plain_ascii(tmp_path: Path, codec: str) -> None:
    table = opened(tmp_path, "name,code\r\nabc,1\r\n".encode(codec))
    assert rows_of(read_all(table)) == [["abc", "1"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(tmp_path: Path, delimiter: str, newline: str) -> None:
    lines = [f"a{delimiter}b", f"1{delimiter}2", "", f"3{delimiter}4"]
    chunk = read_all(opened(tmp_path, newline.join(lines).encode()))
    assert rows_of(chunk) == [["1", "2"], ["3", "4"]]
    assert list(chunk.line_numbers) == [2, 4]


def test_delimiter_inside_quotes_does_not_count(tmp_path: Path) -> None:
    table = opened(tmp_path, b'"a,b,c,d";e\n1;2\n')
    assert table.header == ["a,b,c,d", "e"]


def test_sep_line_of_excel(tmp_path: Path) -> None:
    table = opened(tmp_path, b"sep=;\r\na,x;b\r\n1;2\r\n")
    assert table.header == ["a,x", "b"]
    assert list(read_all(table).line_numbers) == [3]


def test_quotes_and_line_breaks_inside_cells(tmp_path: Path) -> None:
    chunk = read_all(opened(tmp_path, b'a,b\n"x\ny","say ""hi"""\r\n\r\n5,"\r\n"\n6,7'))
    assert rows_of(chunk) == [["x\ny", 'say "hi"'], ["5", "\r\n"], ["6", "7"]]
    assert list(chunk.line_numbers) == [2, 5, 7]
    assert list(chunk.row_numbers) == [1, 2, 3]


def test_values_are_kept_as_they_are(tmp_path: Path) -> None:
    cells = ["=1+1", "+86 138", "-5", "@x", " 007 ", "１２", "1E5"]
    text = ",".join("abcdefg") + "\n" + ",".join(cells) + "\n"
    assert rows_of(read_all(opened(tmp_path, text.encode()))) == [cells]


def test_ragged_rows_are_kept_aside(tmp_path: Path) -> None:
    chunk = read_all(opened(tmp_path, b"a,b\n1,2\n3\n4,5,6\n7,8,,\n\n,\n9,0\n"))
    assert rows_of(chunk) == [["1", "2"], ["7", "8"], ["9", "0"]]
    assert chunk.bad == [
        BadRow(2, 3, "too_few_cells", ["3"]),
        BadRow(3, 4, "too_many_cells", ["4", "5", "6"]),
    ]
    assert (list(chunk.row_numbers), list(chunk.line_numbers)) == ([1, 4, 5], [2, 5, 8])
    assert chunk.received == 5


def test_trailing_unnamed_columns_are_dropped_and_inner_ones_kept(tmp_path: Path) -> None:
    table = opened(tmp_path, b"a,,b,,\n1,2,3,,\n4,5,6\n")
    assert table.header == ["a", "", "b"]
    assert rows_of(read_all(table)) == [["1", "2", "3"], ["4", "5", "6"]]


def test_header_only_is_a_table_without_rows(tmp_path: Path) -> None:
    table = opened(tmp_path, "名称,代码".encode())
    assert table.header == ["名称", "代码"]
    assert list(table.chunks(10)) == []


def test_table_longer_than_a_block(tmp_path: Path) -> None:
    rows = [[str(at), "某某有限责任公司\n" * (at % 3)] for at in range(60_000)]
    text = "a,b\n" + "".join(f'{first},"{second}"\n' for first, second in rows)
    chunk = read_all(opened(tmp_path, text.encode("gb18030")), size=7_000)
    assert rows_of(chunk) == rows
    line, lines = 2, []
    for _first, second in rows:
        lines.append(line)
        line += 1 + second.count("\n")
    assert list(chunk.line_numbers) == lines


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n \t\r\n", "\ufeff\n".encode("utf-16-le")])
def test_empty_file(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path, content).code == "empty_file"


def test_header_missing(tmp_path: Path) -> None:
    assert refusal(tmp_path, b",,,\n , ,\n").code == "header_missing"


def test_duplicate_header(tmp_path: Path) -> None:
    error = refusal(tmp_path, b"a,b, a\n1,2,3\n")
    assert (error.code, error.params) == ("duplicate_header", {"first": 1, "second": 3})


def test_too_many_columns(tmp_path: Path) -> None:
    assert refusal(tmp_path, b"a,b,c\n", columns=2).code == "too_many_columns"


@pytest.mark.parametrize("before", [b"", b"\n" * 2_000_000])
def test_nul_byte_is_named_by_line(tmp_path: Path, before: bytes) -> None:
    content = b"a,b\n" + before + b"1,2\r\n3,\x004\n"
    error = refusal(tmp_path, content)
    assert (error.code, error.params["line"]) == ("nul_byte", 3 + len(before))


def test_nul_character_in_utf16(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a,b\na\u0100,\0\n".encode("utf-16"))
    assert (error.code, error.params["line"]) == ("nul_byte", 2)


@pytest.mark.parametrize("rows", [1, 30_000])
def test_broken_utf8_is_not_taken_for_gb18030(tmp_path: Path, rows: int) -> None:
    good = "名称,代码\n" + "某某有限责任公司,1\n" * rows
    content = good.encode() + b"\xc4\xe3,2\n" + "某某有限责任公司,1\n".encode()
    error = refusal(tmp_path, content)
    assert error.code == "invalid_encoding"
    assert error.params == {"encoding": "UTF-8", "offset": len(good.encode()), "line": rows + 2}


@pytest.mark.parametrize("codec", ["utf-8", "gb18030", "utf-16"])
def test_file_cut_inside_a_character(tmp_path: Path, codec: str) -> None:
    content = (TABLE * 5 + "甲").encode(codec)[:-1]
    error = refusal(tmp_path, content)
    assert error.code == "invalid_encoding"
    assert error.params["line"] == 16
    assert error.params["offset"] == len((TABLE * 5).encode(codec))


def test_broken_gb18030_names_the_byte(tmp_path: Path) -> None:
    good = ("名称,代码\n" + "某某有限责任公司,1\n" * 100_000).encode("gb18030")
    error = refusal(tmp_path, good + b"\xff,2\n")
    assert error.params == {"encoding": "GB18030", "offset": len(good), "line": 100_002}


@pytest.mark.parametrize("tail", [b"", b"\n", b"\r\n5,6\n" * 3, b"\n5,6\n" * 400_000])
def test_unterminated_quote_names_the_line_it_opened_in(tmp_path: Path, tail: bytes) -> None:
    content = b'a,b\n1,"x\ny"\n"p\nq","3' + tail
    error = refusal(tmp_path, content)
    assert (error.code, error.params["line"]) == ("unterminated_quote", 5)


def test_lone_quote_at_the_end(tmp_path: Path) -> None:
    assert refusal(tmp_path, b'a,b\n1,2\n"').params == {"line": 3}


def test_stray_quote_closed_far_below(tmp_path: Path) -> None:
    error = refusal(tmp_path, b'a,b\n1,"2\n' + b"3,4\n" * 50_000 + b'5,"6"\n')
    assert (error.code, error.params["line"]) == ("unterminated_quote", 2)


@pytest.mark.parametrize("quote", [b"", b'"'])
def test_cell_too_long(tmp_path: Path, quote: bytes) -> None:
    error = refusal(tmp_path, b"a,b\n1,2\n3," + quote + b"x" * 131_073 + quote + b"\n")
    assert (error.code, error.params["line"]) == ("cell_too_long", 3)


def test_smaller_limit_of_a_cell(tmp_path: Path) -> None:
    assert rows_of(read_all(opened(tmp_path, b"a\n12345\n", limits=Limits(cell_chars=5)))) == [["12345"]]
    error = refusal(tmp_path, b"a\n1\n123456\n", cell_chars=5)
    assert (error.code, error.params["line"]) == ("cell_too_long", 3)


def test_endless_line(tmp_path: Path) -> None:
    error = refusal(tmp_path, b"a,b\n1,2\n" + b"x," * 3_000_000, chunk_chars=1_000_000)
    assert (error.code, error.params["line"]) == ("row_too_long", 3)


def test_line_without_end_is_not_read_whole(tmp_path: Path) -> None:
    error = refusal(tmp_path, b"x," * 3_000_000, chunk_chars=1_000_000)
    assert (error.code, error.params["line"]) == ("row_too_long", 1)


def test_messages_name_no_values(tmp_path: Path) -> None:
    error = refusal(tmp_path, b'name\n"441302199001011234\n')
    with translation.override("en"):
        assert "44130" not in str(error)
        assert "line 2" in str(error)


def test_kind_is_held_against_the_content(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    path.write_bytes(TABLE.encode())
    assert open_table(path, kind="csv").header == ["名称", "代码"]
    with pytest.raises(FeedFileError) as caught:
        open_table(path, kind="xlsx")
    assert caught.value.code == "wrong_format"


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7\n",
        b"\x89PNG\r\n\x1a\n\x00\x00",
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        b"Rar!\x1a\x07\x00",
        b"\x1f\x8b\x08\x00",
        b"{\\rtf1}",
        b"<!DOCTYPE html><html></html>",
        b"<table><tr><td>1</td></tr></table>",
        b"\x7fELF\x02\x01\x01\x00" + bytes(range(1, 256)) * 20,
    ],
)
def test_what_is_no_table(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path, content).code == "not_a_table"
