"""The two citizens of the demonstration: one with a rich history and an account, one for newcomers to bind."""

import datetime
from dataclasses import dataclass

from creditplatform.core.demonstration import NEWCOMERS_BIRTH, NEWCOMERS_NAME, NEWCOMERS_NUMBER
from creditplatform.core.identity import IdentifierKind, make_resident_id
from records.demonstration.parties import GANSU, HUIZHOU, Party
from records.enums import RecordState, SubjectKind

BOUND = Party(
    SubjectKind.PERSON,
    "叶沐川",
    IdentifierKind.RESIDENT_ID,
    make_resident_id("441302", datetime.date(1988, 3, 15), 997),
    HUIZHOU,
    datetime.date(1988, 3, 15),
)
UNBOUND = Party(
    SubjectKind.PERSON,
    NEWCOMERS_NAME,
    IdentifierKind.RESIDENT_ID,
    NEWCOMERS_NUMBER,
    GANSU,
    NEWCOMERS_BIRTH,
)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a record after it came in; without one, chance decides."""

    state: RecordState = RecordState.IN_FORCE
    disputed: bool = False
    statement: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One decision about a citizen: which feed, how many days before the anchor, with which effects."""

    party: Party
    feed: str
    days: int
    effects: str = ""
    fate: Fate = Fate()


CHAPTERS: tuple[Chapter, ...] = (
    Chapter(BOUND, "hz-traffic-penalty", 150, "罚款"),
    Chapter(
        BOUND,
        "hz-market-penalty",
        60,
        "罚款",
        Fate(disputed=True, statement="该摊位当时已转让给他人，转让合同已提交，请核实。"),
    ),
    Chapter(BOUND, "hz-labour-penalty", 260, "警告;罚款", Fate(RecordState.REPAIRED)),
    Chapter(BOUND, "hz-food-penalty", 640, "罚款", Fate(RecordState.EXPIRED)),
    Chapter(BOUND, "hz-licence", 300, "普通"),
    Chapter(BOUND, "demo-hz-honesty", 420),
    Chapter(BOUND, "hz-volunteer-stars", 90),
    Chapter(UNBOUND, "demo-gs-psb-penalty", 120, "罚款"),
    Chapter(UNBOUND, "demo-gs-volunteer-stars", 200),
    Chapter(UNBOUND, "demo-gs-honesty", 380),
)
