"""Values as the text form of COPY wants them: escaped, binary as hexadecimal, arrays quoted."""

import re
from collections.abc import Iterable, Sequence

NULL = r"\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_SPECIAL = re.compile(r"[\\\t\n\r]")
_SPECIAL_IN_ARRAY = re.compile(r'[\\"\t\n\r]')


def text(value: str) -> str:
    """A text; most hold nothing to escape, which a search tells faster than a translation."""
    return value.translate(_ESCAPES) if _SPECIAL.search(value) else value


def texts(values: Sequence[str]) -> Sequence[str]:
    """Many texts; whether one of them has to be escaped is asked of all at once."""
    return list(map(text, values)) if _SPECIAL.search("".join(values)) else values


def binary(value: bytes) -> str:
    """A bytea value."""
    return "\\\\x" + value.hex()


def array(texts: Sequence[str]) -> str:
    """A text array: quoted, with the quoting of arrays first and that of COPY after it."""
    if not texts:
        return "{}"
    if _SPECIAL_IN_ARRAY.search("".join(texts)):
        texts = [one.replace("\\", "\\\\").replace('"', '\\"') for one in texts]
        return ('{"' + '","'.join(texts) + '"}').translate(_ESCAPES)
    return '{"' + '","'.join(texts) + '"}'


def line(values: Iterable[str]) -> bytes:
    """The values of one row, already in their text form."""
    return "\t".join(values).encode()
