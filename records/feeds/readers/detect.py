"""Which format a file is in, by its content."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path, PurePath

from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import Text

from .csv_text import CsvTable
from .encoding import byte_blocks, unmarked_utf16, with_bom
from .errors import FeedFileError
from .json_records import JsonTable
from .table import Limits, Table
from .xls import XlsTable
from .xlsx import XlsxTable
from .xlsx_package import check_directory
from .xml_records import XmlTable

HEAD = 4096
ZIP, OLE2 = (b"PK\x03\x04", b"PK\x05\x06"), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OLE2_ENTRIES = ("EncryptedPackage", "Workbook", "Book", "WordDocument")
OTHER_KINDS: tuple[tuple[bytes, Text], ...] = (
    (b"%PDF", _("a PDF document")),
    (b"\x89PNG", _("a picture")),
    (b"\xff\xd8\xff", _("a picture")),
    (b"GIF8", _("a picture")),
    (b"Rar!", _("a compressed archive")),
    (b"7z\xbc\xaf\x27\x1c", _("a compressed archive")),
    (b"\x1f\x8b", _("a compressed archive")),
    (b"BZh", _("a compressed archive")),
    (b"{\\rtf", _("a text document")),
    (b"SQLite format 3", _("a database")),
)
WEB_PAGE = re.compile(r"\s*(?:<!doctype\s+html|<html|<head|<table|<meta)", re.IGNORECASE)
JSON = re.compile(r'\s*(?:\{\s*["}]|\[\s*(?:[\[{]\s*["}\[{]|\]\s*$))')
WORKBOOK_ENDINGS = frozenset({".xlsx", ".xlsm", ".xls"})
CONTROL = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f]")
DEFAULT_LIMITS = Limits()
SYNTAX = frozenset({"json", "xml"})
TABLES: dict[str, type[CsvTable] | type[XlsxTable] | type[XlsTable] | type[XmlTable] | type[JsonTable]] = {
    "csv": CsvTable,
    "xlsx": XlsxTable,
    "xls": XlsTable,
    "xml": XmlTable,
    "json": JsonTable,
}


def open_table(path: Path, *, kind: str | None = None, limits: Limits = DEFAULT_LIMITS, name: str = "") -> Table:
    """Open a delivered file as a table; a `kind` (csv, xlsx, xls, xml, json) refuses the others.

    What the file is, its content says; its `name` only says what plain text was meant to be. Raises FeedFileError
    when the file is empty, not a table, not what it is named, damaged, protected or dangerous.
    """
    found = _as_named(detect_format(path, limits), name)
    if kind is not None and kind != found:
        raise FeedFileError("wrong_format", expected=kind.upper(), found=found.upper())
    return TABLES[found](path, limits)


def check_syntax(path: Path, name: str) -> None:
    """Read a small JSON or XML file to its end, a block at a time. Raises FeedFileError where it is broken or empty.

    What is no JSON or XML, by its content and its `name`, is left to the reading of the delivery.
    """
    if _as_named(detect_format(path), name) in SYNTAX:
        with open_table(path, name=name) as table:
            for _chunk in table.blocks():
                pass


def _as_named(found: str, name: str) -> str:
    """Plain text named as a workbook is none; named as JSON it is JSON, well-formed or not."""
    ending = PurePath(name).suffix.lower()
    if found == "csv" and ending in WORKBOOK_ENDINGS:
        raise FeedFileError("no_workbook", ending=ending)
    return "json" if found == "csv" and ending == ".json" else found


def detect_format(path: Path, limits: Limits = DEFAULT_LIMITS) -> str:
    """csv, xlsx, xls, xml or json; raises empty_file, not_a_table, password_protected or corrupt_workbook."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        raise FeedFileError("empty_file")
    if head.startswith(ZIP):
        return _in_zip(path, limits)
    if head.startswith(OLE2):
        return _in_ole2(path)
    for magic, name in OTHER_KINDS:
        if head.startswith(magic):
            raise FeedFileError("not_a_table", found=name)
    return _in_text(_rough_text(path, head))


def _in_zip(path: Path, limits: Limits) -> str:
    """A zip is a workbook when it holds one, else it is named for what it holds."""
    check_directory(path, limits)
    try:
        with zipfile.ZipFile(path) as package:
            names = [name.lower().lstrip("/") for name in package.namelist()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise FeedFileError("corrupt_workbook", part="zip") from None
    if "_rels/.rels" in names and not any(name.endswith("workbook.bin") for name in names):
        if not any(name.startswith(("word/", "ppt/")) for name in names):
            return "xlsx"
        raise FeedFileError("not_a_table", found=_("a text document or presentation"))
    if any(name.endswith("workbook.bin") for name in names):
        raise FeedFileError("not_a_table", found=_("a binary workbook (.xlsb)"))
    if "content.xml" in names and "mimetype" in names:
        raise FeedFileError("not_a_table", found=_("an OpenDocument file"))
    raise FeedFileError("not_a_table", found=_("a compressed archive"))


def _in_ole2(path: Path) -> str:
    """A compound file is told by the names in its directory."""
    found = {name for name in OLE2_ENTRIES if _has_entry(path, name)}
    if "EncryptedPackage" in found:
        raise FeedFileError("password_protected")
    if {"Workbook", "Book"} & found:
        return "xls"
    if "WordDocument" in found:
        raise FeedFileError("not_a_table", found=_("a text document"))
    raise FeedFileError("corrupt_workbook", part="xls")


def _has_entry(path: Path, name: str) -> bool:
    """Whether a directory entry of this name stands in the compound file, at a multiple of 128 bytes."""
    wanted = name.encode("utf-16-le").ljust(64, b"\0") + (len(name) * 2 + 2).to_bytes(2, "little")
    for block in byte_blocks(path):
        place = block.find(wanted)
        while place >= 0:
            if place % 128 == 0:
                return True
            place = block.find(wanted, place + 1)
    return False


def _rough_text(path: Path, head: bytes) -> str:
    """The beginning of the file as text, good enough to recognise markup and bytes that are no text."""
    encoding = with_bom(head) or (unmarked_utf16(path, head) if b"\0" in head else None)
    if encoding:
        return head[encoding.bom :].decode(encoding.codec, "replace")
    if head.startswith((b"<\0", b"\0<")):
        return "<"
    return head.decode("latin-1")


def _in_text(text: str) -> str:
    if WEB_PAGE.match(text):
        raise FeedFileError("not_a_table", found=_("a web page (save it as .xlsx in a spreadsheet program)"))
    if JSON.match(text):
        return "json"
    if text.lstrip().startswith("<"):
        return "xml"
    if len(CONTROL.findall(text)) * 100 > len(text):
        raise FeedFileError("not_a_table", found=_("a binary file"))
    return "csv"
