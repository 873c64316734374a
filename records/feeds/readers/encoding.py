"""Which encoding a text file is in, decided over the whole file before its first row is believed."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .errors import FeedFileError

BLOCK = 1 << 20
SAMPLE = 1 << 17
BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
NAMES = {"utf-8": "UTF-8", "gb18030": "GB18030", "utf-16-le": "UTF-16 LE", "utf-16-be": "UTF-16 BE"}


class Encoding(NamedTuple):
    """A Python codec and the length in bytes of the byte order mark to pass over."""

    codec: str
    bom: int = 0

    @property
    def name(self) -> str:
        """The encoding as people write it."""
        return NAMES[self.codec]


def byte_blocks(path: Path, start: int = 0) -> Iterator[bytes]:
    """The file from byte `start` on, in blocks of one mebibyte."""
    with path.open("rb") as file:
        file.seek(start)
        while block := file.read(BLOCK):
            yield block


def text_blocks(path: Path, encoding: Encoding) -> Iterator[str]:
    """The decoded file in blocks; raises invalid_encoding with the offset of the broken byte."""
    decoder = codecs.getincrementaldecoder(encoding.codec)("strict")
    offset = encoding.bom
    for block in byte_blocks(path, encoding.bom):
        try:
            yield decoder.decode(block)
        except UnicodeDecodeError:
            raise _invalid(path, encoding) from None
        offset += len(block)
    try:
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise _invalid(path, encoding) from None


def first_error(path: Path, encoding: Encoding) -> int | None:
    """Offset of the first byte that is not valid in `encoding`; None when the whole file is."""
    decoder = codecs.getincrementaldecoder(encoding.codec)("strict")
    offset = encoding.bom
    for block in byte_blocks(path, encoding.bom):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(block)
        except UnicodeDecodeError as error:
            return offset - pending + error.start
        offset += len(block)
    pending = len(decoder.getstate()[0])
    return offset - pending if pending else None


def line_of(path: Path, offset: int, width: int = 1) -> int:
    """Number of the line that holds byte `offset`; `width` is the size of a code unit."""
    unit = "utf-16-le" if width == 2 else "latin-1"
    line, after_return = 1, False
    seen = 0
    for block in byte_blocks(path):
        block = block[: offset - seen]
        seen += len(block)
        text = block.decode(unit, "replace").replace("\u0a00", "\n").replace("\u0d00", "\r")
        line += text.count("\n") + text.count("\r") - text.count("\r\n")
        line -= after_return and text.startswith("\n")
        after_return = text.endswith("\r")
        if seen >= offset:
            break
    return line


def _invalid(path: Path, encoding: Encoding) -> FeedFileError:
    offset = first_error(path, encoding) or 0
    width = 2 if encoding.codec.startswith("utf-16") else 1
    return FeedFileError("invalid_encoding", encoding=encoding.name, offset=offset, line=line_of(path, offset, width))


def with_bom(head: bytes) -> Encoding | None:
    """The encoding a byte order mark announces."""
    for mark, codec in BOMS:
        if head.startswith(mark):
            return Encoding(codec, len(mark))
    return None


def detect_encoding(path: Path) -> Encoding:
    """The encoding of a text file; raises invalid_encoding or nul_byte.

    A byte order mark is believed; else UTF-8, then GB18030, then UTF-16 without a mark. A file that is
    mostly valid UTF-8 is damaged UTF-8, even where GB18030 could make something of its bytes.
    """
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    marked = with_bom(head)
    if marked:
        check_text(path, marked)
        return marked
    wide = unmarked_utf16(path, head)
    if wide:
        _refuse_nul(path, wide)
        return wide
    narrow = _narrow(path)
    _refuse_nul(path, narrow)
    return narrow


def _narrow(path: Path) -> Encoding:
    utf8, gb18030 = Encoding("utf-8"), Encoding("gb18030")
    broken_at = first_error(path, utf8)
    if broken_at is None:
        return utf8
    if _mostly_utf8(path, broken_at):
        raise _invalid(path, utf8)
    if first_error(path, gb18030) is not None:
        raise _invalid(path, gb18030)
    return gb18030


def _mostly_utf8(path: Path, broken_at: int) -> bool:
    """Whether the text around the first broken byte has more whole UTF-8 characters than broken ones.

    Chinese characters take three bytes in UTF-8, and bytes of GB18030 text form such triples by rare chance
    only (about one in seventy), so four whole ones to every broken one leave no doubt.
    """
    with path.open("rb") as file:
        file.seek(max(0, broken_at - SAMPLE))
        window = file.read(2 * SAMPLE)
    text = window.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    whole = sum(1 for character in text if character > "\u07ff" and character != "\ufffd")
    return whole * 4 > broken


def is_really_utf8(path: Path) -> bool:
    """Whether the whole file is valid UTF-8 and holds characters, such as Chinese ones, that prove it."""
    utf8 = Encoding("utf-8")
    if first_error(path, utf8) is not None:
        return False
    return any(max(text) > "\u07ff" for text in text_blocks(path, utf8) if text)


def unmarked_utf16(path: Path, head: bytes) -> Encoding | None:
    """UTF-16 without a byte order mark, known by the zero bytes of its delimiters and line ends."""
    pairs = len(head) // 2
    zeros = {"utf-16-be": head[0::2].count(0), "utf-16-le": head[1::2].count(0)}
    codec = max(zeros, key=lambda name: zeros[name])
    if zeros[codec] == 0 or zeros[codec] * (2.5 if _is_utf8(head) else 50) < pairs:
        return None
    encoding = Encoding(codec)
    text = head[: pairs * 2].decode(codec, "replace")
    if not _plausible(text) or first_error(path, encoding) is not None:
        return None
    return encoding


def _is_utf8(head: bytes) -> bool:
    """Whether the sample is valid UTF-8, as UTF-16 text is only when it is mostly ASCII."""
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _plausible(text: str) -> bool:
    """Whether text decoded as UTF-16 looks like a table in Chinese or English."""
    ascii_share = sum(1 for character in text if character < "\x80") / len(text)
    usual = sum(1 for character in text if _usual(character)) / len(text)
    return usual > 0.97 and ascii_share > 0.02 and any(mark in text for mark in "\n\r,\t;|")


def _usual(character: str) -> bool:
    return (
        " " <= character <= "\u024f"
        or character in "\r\n\t"
        or "\u2000" <= character <= "\u206f"
        or "\u3000" <= character <= "\u9fff"
        or "\uf900" <= character <= "\uffef"
        or character > "\uffff"
    )


def check_text(path: Path, encoding: Encoding) -> None:
    """Raise invalid_encoding or nul_byte unless the whole file is text in `encoding`."""
    if first_error(path, encoding) is not None:
        raise _invalid(path, encoding)
    _refuse_nul(path, encoding)


def _refuse_nul(path: Path, encoding: Encoding) -> None:
    """Raise nul_byte with the line of the first NUL character."""
    width = 2 if encoding.codec.startswith("utf-16") else 1
    offset = 0
    for block in byte_blocks(path):
        position = _nul_in(block, width)
        if position >= 0:
            raise FeedFileError("nul_byte", line=line_of(path, offset + position, width))
        offset += len(block)


def _nul_in(block: bytes, width: int) -> int:
    position = block.find(bytes(width))
    while position % width and position >= 0:
        position = block.find(bytes(width), position + 1)
    return position
