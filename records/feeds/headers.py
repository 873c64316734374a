"""Headers that files really bear: names of the 2015 standard and known misspellings, for every entry alike.

Names that belong to one entry stand with its fields as their other headers; a version in force never changes, so what
is seen later in files comes here.
"""

import tomllib
from functools import cache
from pathlib import Path

HEADERS_FILE = Path(__file__).resolve().parent.parent / "policy" / "headers.toml"


def other_headers(name: str) -> list[str]:
    """Other headers of a field, by its Chinese name."""
    return _known().get(name, [])


@cache
def _known() -> dict[str, list[str]]:
    with HEADERS_FILE.open("rb") as file:
        return {item["of"]: item["also"] for item in tomllib.load(file)["header"]}
