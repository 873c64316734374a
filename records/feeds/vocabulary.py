"""Words that feeds use for kinds of subject, kinds of document and effects of a decision, and what their codes mean."""

import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from creditplatform.core.identity import IdentifierKind
from records.enums import SubjectKind

POLICY = Path(__file__).resolve().parent.parent / "policy"
EFFECTS_FILE, CODES_FILE = POLICY / "effects.toml", POLICY / "codes.toml"

SUBJECT_KINDS = {
    "自然人": SubjectKind.PERSON,
    "个人": SubjectKind.PERSON,
    "法人及非法人组织": SubjectKind.ORGANISATION,
    "法人": SubjectKind.ORGANISATION,
    "非法人组织": SubjectKind.ORGANISATION,
    "企业": SubjectKind.ORGANISATION,
    "个体工商户": SubjectKind.BUSINESS,
    "个体": SubjectKind.BUSINESS,
}
IDENTIFIER_KINDS = {
    "身份证": IdentifierKind.RESIDENT_ID,
    "居民身份证": IdentifierKind.RESIDENT_ID,
    "公民身份号码": IdentifierKind.RESIDENT_ID,
    "护照号": IdentifierKind.PASSPORT,
    "护照": IdentifierKind.PASSPORT,
    "港澳居民来往内地通行证": IdentifierKind.HK_MACAO_PASS,
    "台湾居民来往大陆通行证": IdentifierKind.TAIWAN_PASS,
    "外国人永久居留身份证": IdentifierKind.FOREIGN_PERMANENT_RESIDENCE,
    "外国人永久居留证": IdentifierKind.FOREIGN_PERMANENT_RESIDENCE,
    "港澳台居民居住证": IdentifierKind.HMT_RESIDENCE_PERMIT,
    "军官证": IdentifierKind.MILITARY_ID,
}


def fold(text: str) -> str:
    """One form for comparing words: full-width forms folded, white space gone."""
    return "".join(unicodedata.normalize("NFKC", text).split())


@dataclass(frozen=True)
class Effect:
    """What a decision does, with its label in both languages."""

    code: str
    name: str
    name_en: str


class Effects:
    """The vocabulary of effects: finds codes in the free text of a feed, longest word first."""

    def __init__(self, rows: list[dict[str, object]]) -> None:
        self.by_code: dict[str, Effect] = {}
        self._place = {str(row["code"]): place for place, row in enumerate(rows)}
        self._codes: dict[str, list[str]] = {}
        self._prefixes: list[tuple[str, str]] = []
        for row in rows:
            code = str(row["code"])
            self.by_code[code] = Effect(code, str(row["name"]), str(row["name_en"]))
            for variant in row["variants"]:  # type: ignore[attr-defined]
                self._codes.setdefault(fold(variant), []).append(code)
            for prefix in row.get("prefixes", []):  # type: ignore[attr-defined]
                self._prefixes.append((fold(prefix), code))

    def find(self, text: str, separators: str, allowed: frozenset[str]) -> list[str] | None:
        """The codes a text stands for, sorted; None where part of it is unknown or not allowed."""
        words = self._words(text, separators, allowed)
        return sorted({code for _word, code in words}) if words else None

    def in_order(self, text: str, separators: str, allowed: frozenset[str]) -> str | None:
        """The words of a text as written, each once, in the order of the vocabulary; None where one is unknown.

        Senders list the same effects in any order; in one order the same decision reads the same.
        """
        words = self._words(text, separators, allowed)
        if not words:
            return None
        ordered = sorted(words, key=lambda pair: (self._place[pair[1]], pair[0]))
        return separators[0].join(dict.fromkeys(word for word, _code in ordered))

    def _words(self, text: str, separators: str, allowed: frozenset[str]) -> list[tuple[str, str]] | None:
        """Take the longest known word from the front again and again; separators stand between."""
        folded, stops = fold(text), fold(separators)
        rest, found = folded.strip(stops), []
        while rest:
            word, code = self._longest(rest, allowed)
            rest = rest[len(word) :]
            if not code or (rest and rest[0] not in stops):
                return None
            found.append((word, code))
            rest = rest.lstrip(stops)
        return found

    def _longest(self, rest: str, allowed: frozenset[str]) -> tuple[str, str]:
        """The longest known word the text begins with, and its code; a word that stops mid-way counts last."""
        words = [(word, code) for word, codes in self._codes.items() if rest.startswith(word) for code in codes]
        words += [(rest, code) for prefix, code in self._prefixes if rest.startswith(prefix)]
        fitting = [(word, code) for word, code in words if not allowed or code in allowed]
        return max(fitting, key=lambda pair: len(pair[0]), default=("", ""))


@cache
def effects() -> Effects:
    """The delivered vocabulary, read once per process."""
    with EFFECTS_FILE.open("rb") as file:
        return Effects(tomllib.load(file)["effect"])


@dataclass(frozen=True)
class Meaning:
    """What a code of a column standard means, in both languages."""

    name: str
    name_en: str
    also: tuple[str, ...] = ()


@cache
def codes() -> dict[str, dict[str, Meaning]]:
    """The delivered meanings of codes, by the code of the field and the code itself; read once per process."""
    found: dict[str, dict[str, Meaning]] = {}
    with CODES_FILE.open("rb") as file:
        for row in tomllib.load(file)["code"]:
            found.setdefault(row["field"], {})[row["code"]] = Meaning(
                row["name"], row["name_en"], tuple(row.get("also", ()))
            )
    return found


@cache
def codes_by_word(field: str) -> dict[str, str]:
    """The codes of a field by the folded words that files have in their place."""
    meanings = codes().get(field, {})
    return {fold(word): code for code, one in meanings.items() for word in (one.name, *one.also)}
