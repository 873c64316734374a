"""The delivered pieces of the demonstration: words, themes, sources, divisions; and the dice."""

import csv
import random
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from creditplatform.core.services.policy import FOLDER as CORE_POLICY

FOLDER = Path(__file__).resolve().parent
DEMO_PREFIX = "demo-"
RESTING = 0.08  # share of feeds that have stopped


@dataclass(frozen=True, slots=True)
class Source:
    """A feed of the demonstration: who sends what about whom, in which files; `rows` are those of scale 1."""

    feed: str
    agency: str
    entry: str
    field: str
    theme: str
    subjects: str
    rows: int
    dirty: int
    files: tuple[str, ...]
    number: str
    name: str = ""
    name_en: str = ""


def dice(*words: object) -> random.Random:
    """A source of chance that gives the same throws for the same words, on every machine."""
    return random.Random("|".join(map(str, words)))  # noqa: S311 - a fictitious world, nothing secret


@cache
def words() -> dict[str, list[str]]:
    """Pieces of names by kind."""
    return _read("words")


@cache
def themes() -> dict[str, dict[str, Any]]:
    """What decisions are about, by theme."""
    return _read("themes")


@cache
def sources() -> tuple[Source, ...]:
    """Every feed the demonstration delivers."""
    return tuple(Source(**{**row, "files": tuple(row["files"])}) for row in _read("sources")["source"])


def rests(feed: str) -> bool:
    """Whether a feed has stopped some weeks before the anchor, which the board then shows."""
    return dice("stopped", feed).random() < RESTING


@cache
def divisions(prefix: str, *, abolished: bool) -> tuple[str, ...]:
    """County codes of GB/T 2260 that begin with `prefix`: those in use, or those that no longer are."""
    with (CORE_POLICY / "regions.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["level"] == "county" and row["code"].startswith(prefix)]
    wanted = "abolished" if abolished else "active"
    return tuple(row["code"] for row in rows if row["status"] == wanted)


def _read(name: str) -> dict[str, Any]:
    with (FOLDER / f"{name}.toml").open("rb") as file:
        return tomllib.load(file)
