"""What happens to bytes on their way: flipped, inserted, lost, cut off, doubled, mixed with others."""

import io
import random
import zipfile
from collections.abc import Callable

Mutate = Callable[[random.Random, bytearray], None]
# Bytes that mean something to one of the readers, and so lead further than chance would.
TOKENS = (
    b"\0", b'"', b"'", b",", b"\r", b"\n", b"\r\n", b"\t", b";", b"<", b">", b"&", b"</", b"/>", b"]]>", b"<![CDATA[",
    b"<!--", b"-->", b"<?x?>", b"<!DOCTYPE r []>", b"&#0;", b"&#xD800;", b"&#x110000;", b"&amp;", b"&e;", b"\xff\xfe",
    b"\xfe\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x81\x30\x81\x30", b"\xe3\x80\x80", b"=1+1",
    b"_xD842_", b"_x0000_", b"99999999999999999999", b"-1", b"1e999", b"NaN", b"r=", b's="', b't="', b'<c r="A1"/>',
    b'<row r="1">', b"</row>", b"</c>", b"<v>", b"<is><t>", b'r="XFD1048576"', b't="s"', b"PK\x03\x04", b"PK\x01\x02",
    b"\xe5\x90\x88\xe8\xae\xa1", b"2026-02-30", b"A" * 4096, b"{", b"}", b"[", b"]", b":", b"\\u0000", b"\\ud800",
    b"\\", b"null", b"true", b"[[[[[[[[", b'{"rows":', b'"CF_WSH":"x",', b"1.5e3", b"//", b"/*",
)  # fmt: skip
LONGEST_SLICE = 400
CODECS = ("utf-16", "utf-8-sig", "gb18030")
# Characters and cells that real files hold and programs stumble over.
WORDS = (
    ",", "\n", "\r", "\t", '"', "\0", "<", "</record>", "<record>", "&", "&lt;", "]]>", "合计", "/", "无", "=1+1",
    "２０２６",
    "2026-02-30", "2026年13月1日", "20260230", "99999", "-0", "1e5", "1E400", "NaN", "Infinity", "-1", "1,0,0", "５％",
    "1亿亿元", "٢٠٢٦", "00000000000000000X", "441300199001011239", "44130020990101123X", "\u200b", "\ufeff", "\u2028",
    "\u0085", "\x1a", "\x7f", "\ud842", "𠮷", "e\u0301", "\u202e", "罚款;罚款", "罚" * 3000, "9" * 400, "自然人",
    "身份证",
)  # fmt: skip
RANGES = (
    *range(0x20, 0x7F),
    *range(0xA0, 0x180),
    *range(0x3000, 0x3040),
    *range(0xFF00, 0xFFF0),
    0x20BB7,
    0x1F600,
    0xE000,
)


def flip(chance: random.Random, data: bytearray) -> None:
    """One bit."""
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def overwrite(chance: random.Random, data: bytearray) -> None:
    """Some bytes become others."""
    at = chance.randrange(len(data))
    length = chance.randint(1, 8)
    data[at : at + length] = chance.randbytes(length)


def insert(chance: random.Random, data: bytearray) -> None:
    """Bytes from nowhere."""
    at = chance.randrange(len(data) + 1)
    data[at:at] = chance.randbytes(chance.randint(1, 8))


def insert_token(chance: random.Random, data: bytearray) -> None:
    """Bytes that mean something, once or many times."""
    at = chance.randrange(len(data) + 1)
    data[at:at] = chance.choice(TOKENS) * chance.choice((1, 1, 1, 2, 500))


def delete(chance: random.Random, data: bytearray) -> None:
    """A piece is lost."""
    at = chance.randrange(len(data))
    del data[at : at + chance.randint(1, LONGEST_SLICE)]


def truncate(chance: random.Random, data: bytearray) -> None:
    """The end is lost."""
    del data[chance.randrange(len(data)) :]


def splice(chance: random.Random, data: bytearray) -> None:
    """A piece comes again somewhere else."""
    begin, at = chance.randrange(len(data)), chance.randrange(len(data))
    data[at:at] = data[begin : begin + chance.randint(1, LONGEST_SLICE)]


def exchange(chance: random.Random, data: bytearray) -> None:
    """One value of a byte becomes another one throughout."""
    old, new = chance.choice(data), chance.randrange(256)
    data[:] = data.replace(bytes([old]), bytes([new]))


KINDS: tuple[Mutate, ...] = (
    flip,
    flip,
    overwrite,
    insert,
    insert_token,
    insert_token,
    delete,
    truncate,
    splice,
    exchange,
)


def mutated(chance: random.Random, content: bytes) -> bytes:
    """The content after one to four accidents."""
    data = bytearray(content)
    for _time in range(chance.choice((1, 1, 2, 4))):
        if data:
            chance.choice(KINDS)(chance, data)
    return bytes(data)


def mutated_text(chance: random.Random, content: bytes) -> bytes:
    """A text after some accidents to its characters, so that most of it can still be read; at times to its bytes."""
    codec = next((codec for codec in CODECS if _reads(content, codec)), "")
    if not codec or chance.random() < 0.4:
        return mutated(chance, content)
    text = list(content.decode(codec))
    for _time in range(chance.choice((1, 2, 4, 16))):
        at = chance.randrange(len(text) + 1)
        end = at + chance.choice((0, 0, 1, 1, 3, 40))
        piece = chance.choice((chance.choice(WORDS), chr(chance.choice(RANGES)), "", text[at - 9 : end]))
        text[at:end] = piece
    return "".join(text).encode(codec, "surrogatepass" if codec.startswith("utf") else "replace")


def _reads(content: bytes, codec: str) -> bool:
    try:
        content.decode(codec)
    except UnicodeDecodeError:
        return False
    return codec != "utf-16" or content.startswith((b"\xff\xfe", b"\xfe\xff"))


def mutated_package(chance: random.Random, content: bytes) -> bytes:
    """A workbook damaged inside one of its parts and packed again; at times raw, or with a part missing or twice."""
    if chance.random() < 0.3:
        return mutated(chance, content)
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        parts = [(name, package.read(name)) for name in package.namelist()]
    at = chance.choice([place for place, (name, _part) in enumerate(parts) if "docProps" not in name])
    name, part = parts[at]
    fate = chance.random()
    if fate < 0.9:
        parts[at] = name, mutated(chance, part)
    elif fate < 0.95:
        del parts[at]
    else:
        parts[at] = name.swapcase(), part
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts:
            package.writestr(name, part)
    return buffer.getvalue()
