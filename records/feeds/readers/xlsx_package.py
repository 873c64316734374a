"""The zip package of an XLSX workbook, read with its limits checked while unpacking."""

from __future__ import annotations

import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from .errors import FeedFileError
from .table import Limits

MEBIBYTE = 1 << 20
END_RECORD, ZIP64_LOCATOR = b"PK\x05\x06", b"PK\x06\x07"
ENCRYPTED = 0x1
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


class Sheet(NamedTuple):
    """A worksheet as the workbook lists it."""

    name: str
    part: str
    visible: bool


class Package:
    """Parts of a workbook by name; raises corrupt_workbook, zip_bomb or password_protected."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path, self._limits = path, limits
        self._size = path.stat().st_size
        check_directory(path, limits)
        try:
            self._zip = zipfile.ZipFile(path)
        except DAMAGE:
            raise FeedFileError("corrupt_workbook", part="zip") from None
        self._names = {name.lower().lstrip("/"): name for name in self._zip.namelist()}

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def __contains__(self, part: str) -> bool:
        return part.lower() in self._names

    def stream(self, part: str, block: int = MEBIBYTE) -> Iterator[bytes]:
        """The unpacked part in blocks; counts what really comes out, whatever the headers say."""
        info = self._info(part)
        unpacked = 0
        try:
            with self._zip.open(info) as stream:
                while data := stream.read(block):
                    unpacked += len(data)
                    self._check_growth(unpacked)
                    yield data
        except DAMAGE:
            raise FeedFileError("corrupt_workbook", part=_shown(part)) from None

    def small(self, part: str) -> etree._Element:
        """The root element of a small part (workbook, styles, relationships)."""
        content = bytearray()
        for data in self.stream(part):
            content += data
            if len(content) > self._limits.small_part_bytes:
                raise FeedFileError("zip_bomb", limit=_mebibytes(self._limits.small_part_bytes))
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        try:
            root = etree.fromstring(bytes(content), parser)
        except etree.XMLSyntaxError:
            raise FeedFileError("corrupt_workbook", part=_shown(part)) from None
        if root.getroottree().docinfo.doctype:
            raise FeedFileError("xml_doctype")
        return root

    def _info(self, part: str) -> zipfile.ZipInfo:
        name = self._names.get(part.lower())
        if name is None:
            raise FeedFileError("corrupt_workbook", part=_shown(part))
        info = self._zip.getinfo(name)
        if info.flag_bits & ENCRYPTED:
            raise FeedFileError("password_protected")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise FeedFileError("corrupt_workbook", part=_shown(part))
        return info

    def _check_growth(self, unpacked: int) -> None:
        limits = self._limits
        if unpacked > limits.unpacked_bytes:
            raise FeedFileError("zip_bomb", limit=_mebibytes(limits.unpacked_bytes))
        if unpacked > max(limits.unpack_free_bytes, limits.unpack_ratio * self._size):
            raise FeedFileError("zip_bomb", limit=f"1 : {limits.unpack_ratio}")

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Relationship id → (last word of its type, target part) of `part`; external targets are left out."""
        folder, name = posixpath.split(part)
        source = posixpath.join(folder, "_rels", name + ".rels")
        if source not in self:
            return {}
        found = {}
        for node in self.small(source):
            if not isinstance(node.tag, str) or node.get("TargetMode") == "External":
                continue
            kind = (node.get("Type") or "").rpartition("/")[2]
            target = posixpath.normpath(posixpath.join("/" + folder, node.get("Target") or ""))
            found[node.get("Id") or ""] = (kind, target.lstrip("/"))
        return found


class Workbook:
    """What the workbook part says: its worksheets in order, its date system and its common parts."""

    def __init__(self, package: Package) -> None:
        main = [part for kind, part in package.relations("").values() if kind == "officeDocument"]
        if not main:
            raise FeedFileError("corrupt_workbook", part="_rels/.rels")
        root = package.small(main[0])
        relations = package.relations(main[0])
        parts = {kind: part for kind, part in relations.values()}
        self.strings: str | None = parts.get("sharedStrings")
        self.styles: str | None = parts.get("styles")
        self.date1904 = any(node.get("date1904") in ("1", "true") for node in root.iterchildren("{*}workbookPr"))
        self.sheets = [sheet for sheet in _sheets(root, relations) if sheet.part in package]


def _sheets(root: etree._Element, relations: dict[str, tuple[str, str]]) -> Iterator[Sheet]:
    for node in root.iterfind("{*}sheets/{*}sheet"):
        link = next((value for key, value in node.items() if key.endswith("}id")), "")
        kind, part = relations.get(link, ("", ""))
        if kind == "worksheet":
            yield Sheet(node.get("name") or "", part, node.get("state", "visible") == "visible")


def check_directory(path: Path, limits: Limits) -> None:
    """Refuse a zip with too many entries before its directory is loaded."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 66_000))
        tail = file.read()
    end = tail.rfind(END_RECORD)
    if end < 0 or len(tail) < end + 22:
        raise FeedFileError("corrupt_workbook", part="zip")
    entries, length = struct.unpack_from("<HI", tail, end + 10)
    if end >= 76 and tail[end - 20 : end - 16] == ZIP64_LOCATOR:
        entries, length = struct.unpack_from("<QQ", tail, end - 76 + 32)
    if entries > limits.zip_entries or length > limits.zip_entries * 1024:
        raise FeedFileError("zip_bomb", limit=limits.zip_entries)


def _shown(part: str) -> str:
    """A part's name fit for a message: only its last piece, and only plain characters."""
    name = posixpath.basename(part)
    return re.sub(r"[^A-Za-z0-9._-]", "", name)[:60]


def _mebibytes(size: int) -> str:
    return f"{size // MEBIBYTE} MiB"
