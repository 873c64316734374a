"""Decisions as the rows of a unit's file, and rows spoiled the way real files are."""

import datetime
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from creditplatform.core.identity import IdentifierKind
from records.demonstration.data import Source, dice
from records.demonstration.parties import Party
from records.demonstration.world import Decision, World
from records.enums import FieldRole, SubjectKind

KIND_TEXTS = {
    SubjectKind.PERSON: "自然人",
    SubjectKind.ORGANISATION: "法人及非法人组织",
    SubjectKind.BUSINESS: "个体工商户",
}
DOCUMENT_TEXTS = {
    IdentifierKind.RESIDENT_ID: "身份证",
    IdentifierKind.HMT_RESIDENCE_PERMIT: "港澳台居民居住证",
    IdentifierKind.PASSPORT: "护照号",
}
# Documents with a check digit: another digit at the end of a passport would be somebody else's.
CHECKED = frozenset({IdentifierKind.RESIDENT_ID, IdentifierKind.HMT_RESIDENCE_PERMIT})
RAGGED = "ragged"


class Column(NamedTuple):
    """A column of a file: code and name of its field, and the part of a record it feeds."""

    code: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Sender:
    """The unit that sends: what its files say about itself."""

    name: str
    credit_code: str


Row = dict[str, str]


def row_of(decision: Decision, sender: Sender) -> Row:
    """The cells of one decision, by role where there is one and by field code elsewhere."""
    party, rep = decision.party, decision.party.representative
    row: Row = {
        FieldRole.SUBJECT_NAME: party.name,
        FieldRole.SUBJECT_KIND: KIND_TEXTS[party.kind],
        FieldRole.DOCUMENT_NUMBER: decision.document_number,
        FieldRole.DECIDED_ON: decision.decided_on.isoformat(),
        FieldRole.VALID_FROM: decision.decided_on.isoformat(),
        FieldRole.VALID_UNTIL: decision.valid_until.isoformat() if decision.valid_until else "",
        FieldRole.EFFECTS: decision.effects,
        FieldRole.AGENCY_NAME: sender.name,
        FieldRole.AGENCY_CODE: sender.credit_code,
        FieldRole.SOURCE_NAME: sender.name,
        FieldRole.SOURCE_CODE: sender.credit_code,
        FieldRole.BELONGS_TO_NAME: sender.name,
        FieldRole.BELONGS_TO_CODE: sender.credit_code,
        **decision.content,
    }
    row.update(_identity(party) if party.kind == SubjectKind.PERSON else {FieldRole.CREDIT_CODE: party.number})
    if rep is not None:
        row[FieldRole.LEGAL_REPRESENTATIVE] = rep.name
        row[FieldRole.LEGAL_REPRESENTATIVE_KIND] = DOCUMENT_TEXTS[rep.identifier_kind]
        row[FieldRole.LEGAL_REPRESENTATIVE_NUMBER] = rep.number
    return row


def _identity(party: Party) -> Row:
    return {
        FieldRole.IDENTITY_KIND: DOCUMENT_TEXTS[party.identifier_kind],
        FieldRole.IDENTITY_NUMBER: party.number,
    }


def rows_of(world: World, source: Source, sender: Sender) -> list[Row]:
    """All rows of a feed: good ones in order, spoiled ones among them, those that contradict good ones last."""
    decisions = world.decisions[source.feed]
    rows = [row_of(decision, sender) for decision in decisions]
    rng = dice(world.seed, source.feed, "dirt")
    spoilers = [name for name, fits in FITS.items() if fits(source)]
    late: list[Row] = []
    for index in range(round(source.dirty * world.scale) if source.dirty else 0):
        name = spoilers[index % len(spoilers)]
        spoiled = _spoiled(name, world, decisions, sender, index, rng)
        if name in AFTER_THE_GOOD_ONE:
            late.append(spoiled)
        else:
            rows.insert(rng.randrange(len(rows) + 1), spoiled)
    return rows + late


def _spoiled(name: str, world: World, decisions: list[Decision], sender: Sender, index: int, rng: random.Random) -> Row:
    """A row with one mistake, about a decision of its own unless the mistake is to contradict another."""
    if name in AFTER_THE_GOOD_ONE:  # among the last rows, so that both stand in the same file
        decisions = decisions[-(len(decisions) // 3 + 1) :]
    good = rng.choice([d for d in decisions if d.party.identifier_kind in CHECKED] or decisions)
    if name == "minor":
        good = replace(good, party=rng.choice(world.minors), decided_on=world.anchor - datetime.timedelta(days=20))
    row = row_of(good, sender)
    if name == "duplicate":
        row["BZ"] = f"第{index + 1}稿"
    else:
        row[FieldRole.DOCUMENT_NUMBER] += f"-{index + 1}"
    SPOILERS[name](row, world)
    return row


def _wrong_digit(row: Row, world: World) -> None:
    role = FieldRole.IDENTITY_NUMBER if FieldRole.IDENTITY_NUMBER in row else FieldRole.CREDIT_CODE
    number = row[role]
    row[role] = number[:-1] + ("1" if number[-1] != "1" else "2")


def _short_number(row: Row, world: World) -> None:
    role = FieldRole.IDENTITY_NUMBER if FieldRole.IDENTITY_NUMBER in row else FieldRole.CREDIT_CODE
    row[role] = row[role][:4]


def _filler(row: Row, world: World) -> None:
    role = FieldRole.IDENTITY_NUMBER if FieldRole.IDENTITY_NUMBER in row else FieldRole.CREDIT_CODE
    row[role] = "00000000000000000X"


def _no_name(row: Row, world: World) -> None:
    row[FieldRole.SUBJECT_NAME] = "/"


def _no_date(row: Row, world: World) -> None:
    row[FieldRole.DECIDED_ON] = f"{world.anchor.year}-13-45"


def _future(row: Row, world: World) -> None:
    row[FieldRole.DECIDED_ON] = f"{world.anchor.year + 3}-01-05"


def _past_retention(row: Row, world: World) -> None:
    row[FieldRole.DECIDED_ON] = f"{world.anchor.year - 8}-06-11"


def _unknown_effect(row: Row, world: World) -> None:
    row[FieldRole.EFFECTS] = "口头教育"


def _formula(row: Row, world: World) -> None:
    row[FieldRole.DOCUMENT_NUMBER] = "=A2&B2"


def _other_unit(row: Row, world: World) -> None:
    row[FieldRole.SOURCE_CODE] = world.organisations[0].number


def _unknown_kind(row: Row, world: World) -> None:
    row[FieldRole.SUBJECT_KIND] = "其他"


def _no_amount(row: Row, world: World) -> None:
    row["CF_NR_FK"] = "若干"


def _other_name(row: Row, world: World) -> None:
    row[FieldRole.SUBJECT_NAME] = "误登名"


def _other_facts(row: Row, world: World) -> None:
    row["CF_SY"] = row["CF_SY"] + "，另查明两处"


def _as_it_is(row: Row, world: World) -> None:
    """A minor's row is wrong as it stands."""


def _ragged(row: Row, world: World) -> None:
    row[RAGGED] = "yes"


def _always(source: Source) -> bool:
    return True


def _dated(source: Source) -> bool:
    return source.entry != "ecommerce-dishonesty"


def _penalties(source: Source) -> bool:
    return source.entry == "administrative-penalty"


def _penalties_of_persons(source: Source) -> bool:
    return _penalties(source) and "p" in source.subjects


def _text_files(source: Source) -> bool:
    return all(form.startswith("csv") for form in source.files)


SPOILERS: dict[str, Callable[[Row, World], None]] = {
    "wrong_digit": _wrong_digit,
    "no_date": _no_date,
    "minor": _as_it_is,
    "no_name": _no_name,
    "past_retention": _past_retention,
    "short_number": _short_number,
    "unknown_effect": _unknown_effect,
    "other_name": _other_name,
    "duplicate": _other_facts,
    "filler": _filler,
    "future": _future,
    "ragged": _ragged,
    "other_unit": _other_unit,
    "no_amount": _no_amount,
    "unknown_kind": _unknown_kind,
    "formula": _formula,
}
FITS: dict[str, Callable[[Source], bool]] = {
    **dict.fromkeys(SPOILERS, _penalties),
    "wrong_digit": _always,
    "no_date": _dated,
    "no_name": _always,
    "short_number": _always,
    "filler": _always,
    "future": _dated,
    "minor": _penalties_of_persons,
    "other_name": _penalties_of_persons,
    "ragged": _text_files,
}
AFTER_THE_GOOD_ONE = frozenset({"other_name", "duplicate"})
