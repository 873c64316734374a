"""Fictitious persons, organisations and individual businesses with valid numbers that belong to nobody.

Resident numbers use the sequences 996 to 999: before 2000 they were kept for people born in the 19th
century, and no county reaches them in a day, so a number of ours meets nobody's. Passports begin with
ZZ, which no state uses; organisation codes begin with XN (虚拟), which no register gives out.
"""

import datetime
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from creditplatform.core.identity import IdentifierKind, make_credit_code, make_resident_id
from records.demonstration.data import dice, divisions, words
from records.enums import SubjectKind

SEQUENCES = (996, 997, 998, 999)
FICTITIOUS = "（虚构）"
HUIZHOU, GANSU = "huizhou", "gansu"
MINORS_PER_MILLE, HMT_PER_MILLE, PASSPORTS_PER_MILLE, ABOLISHED_PER_MILLE, RARE_PER_MILLE = 30, 20, 15, 120, 25
DAYS_OF_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody fictitious whom a decision is about; `birth` is known of persons only."""

    kind: SubjectKind
    name: str
    identifier_kind: IdentifierKind
    number: str
    site: str
    birth: datetime.date | None = None
    representative: "Party | None" = None
    minor: bool = False


def years_before(anchor: datetime.date, years: float) -> datetime.date:
    """The day so many years before another."""
    return anchor - datetime.timedelta(days=round(years * DAYS_OF_YEAR))


def make_persons(seed: int, anchor: datetime.date, count: int, taken: frozenset[str]) -> list[Party]:
    """Distinct persons; about 3 in 100 are minors of 14 to 17, the others are at least 23.

    `taken` holds numbers that belong to named persons already.
    """
    rng = dice(seed, "persons")
    minors = max(4, count * MINORS_PER_MILLE // 1000)
    found: dict[str, Party] = {}
    for index in range(count):
        person = _minor(rng, anchor) if index < minors else _adult(rng, anchor, index)
        while person.number in found or person.number in taken:
            person = _minor(rng, anchor) if index < minors else _adult(rng, anchor, index)
        found[person.number] = person
    return list(found.values())


def _adult(rng: random.Random, anchor: datetime.date, index: int) -> Party:
    birth = years_before(anchor, rng.uniform(23, 72))
    throw = rng.randrange(1000)
    site = HUIZHOU if rng.random() < 0.56 else GANSU
    if throw < PASSPORTS_PER_MILLE:
        name = f"{rng.choice(words()['latin_first'])} {rng.choice(words()['latin_last'])}"
        return Party(SubjectKind.PERSON, name, IdentifierKind.PASSPORT, f"ZZ{7_000_000 + index}", site, birth)
    if throw < PASSPORTS_PER_MILLE + HMT_PER_MILLE:
        number = make_resident_id(rng.choice(("810000", "820000", "830000")), birth, rng.choice(SEQUENCES))
        return Party(SubjectKind.PERSON, _name(rng, site), IdentifierKind.HMT_RESIDENCE_PERMIT, number, HUIZHOU, birth)
    abolished = rng.randrange(1000) < ABOLISHED_PER_MILLE and birth.year < 1990
    return _resident(rng, site, birth, abolished=abolished)


def _minor(rng: random.Random, anchor: datetime.date) -> Party:
    birth = years_before(anchor, rng.uniform(14.3, 17.3))
    return _resident(rng, HUIZHOU if rng.random() < 0.5 else GANSU, birth, minor=True)


def _resident(
    rng: random.Random, site: str, birth: datetime.date, *, abolished: bool = False, minor: bool = False
) -> Party:
    codes = divisions("4413" if site == HUIZHOU else "62", abolished=abolished)
    number = make_resident_id(rng.choice(codes), birth, rng.choice(SEQUENCES))
    return Party(SubjectKind.PERSON, _name(rng, site), IdentifierKind.RESIDENT_ID, number, site, birth, minor=minor)


def _name(rng: random.Random, site: str) -> str:
    lists, throw = words(), rng.randrange(1000)
    if throw < RARE_PER_MILLE:
        return rng.choice(lists["surnames"]) + rng.choice(lists["rare"]) + rng.choice(lists["second"])
    if site == GANSU and throw < 45:
        return rng.choice(lists["dotted"])
    if site == GANSU and throw < 90:
        return "".join(rng.sample(lists["tibetan"], 2))
    return rng.choice(lists["surnames"]) + rng.choice(lists["first"]) + rng.choice(lists["second"])


def make_organisations(seed: int, count: int, representatives: list[Party]) -> list[Party]:
    """Distinct companies of both regions, each with a legal representative, names marked （虚构）."""
    rng = dice(seed, "organisations")
    return list(islice(_firms(rng, SubjectKind.ORGANISATION, representatives), count))


def make_businesses(seed: int, count: int, operators: list[Party]) -> list[Party]:
    """Distinct individual businesses, each with its operator, names marked （虚构）."""
    rng = dice(seed, "businesses")
    return list(islice(_firms(rng, SubjectKind.BUSINESS, operators), count))


def _firms(rng: random.Random, kind: SubjectKind, people: list[Party]) -> Iterator[Party]:
    """Firms without end; the names differ, the codes count upwards."""
    names: set[str] = set()
    number = 0
    while True:
        site = HUIZHOU if rng.random() < 0.54 else GANSU
        name = _firm_name(rng, kind, site)
        if name in names:
            continue
        names.add(name)
        number += 1
        yield Party(
            kind, name, IdentifierKind.CREDIT_CODE, _firm_code(rng, kind, site, number), site,
            representative=rng.choice(people),
        )  # fmt: skip


def _firm_name(rng: random.Random, kind: SubjectKind, site: str) -> str:
    lists = words()
    place = rng.choice(lists[f"{site}_places"])
    brand = rng.choice(lists["brands"])
    if kind == SubjectKind.BUSINESS:
        return f"{place}{brand}{rng.choice(lists['shops'])}{FICTITIOUS}"
    return f"{place}{brand}{rng.choice(lists['trades'])}{rng.choice(lists['forms'])}{FICTITIOUS}"


def _firm_code(rng: random.Random, kind: SubjectKind, site: str, number: int) -> str:
    prefix, series = ("92", "XN2") if kind == SubjectKind.BUSINESS else ("91", "XN1")
    division = rng.choice(divisions("4413" if site == HUIZHOU else "62", abolished=False))
    return make_credit_code(prefix + division, f"{series}{number:05d}")
