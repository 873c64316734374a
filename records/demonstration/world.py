"""The whole fictitious world as plain data: the same for the same seed, anchor and scale; no database here."""

import datetime
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from records.demonstration.citizens import BOUND, CHAPTERS, UNBOUND, Fate
from records.demonstration.contents import content_of
from records.demonstration.data import Source, dice, rests, sources
from records.demonstration.occasion import CONFISCATION, FINE, Occasion
from records.demonstration.parties import Party, make_businesses, make_organisations, make_persons, years_before
from records.enums import SubjectKind

PERSONS, ORGANISATIONS, BUSINESSES = 2000, 300, 50
FEWEST_PERSONS, FEWEST_FIRMS, FEWEST_ROWS = 80, 8, 5
# No unfavourable decision is older, so that none meets its end of retention (five years) while the anchor is young.
OLDEST_NEGATIVE_DAYS, OLDEST_OTHER_DAYS = 1400, 2600
CHAPTER_YEARS = 5  # licences and honours of the two citizens are in force
RESTING_DAYS = 46  # a feed that has stopped knows of no later decision
OLD_ENOUGH_DAYS = round(19 * 365.25)
FAVOURABLE = frozenset(
    {
        "star-volunteer", "honesty-model", "honest-member", "volunteer-service-record", "outstanding-volunteer",
        "moral-model", "tax-credit-a",
    }
)  # fmt: skip
PROFESSIONS = {
    "physician-registration": "physicians",
    "lawyer-practice": "lawyers",
    "teacher-qualification": "teachers",
    "tour-guide-licence": "tour_guides",
    "civil-servant-file": "civil_servants",
    "enterprise-legal-representative": "enterprise_leaders",
    "enterprise-responsible-person": "enterprise_leaders",
    "pharmacist-registration": "pharmacists",
    "asset-appraiser": "appraisers",
    "tax-accountant": "tax_accountants",
    "fire-engineer": "fire_engineers",
    "accountant-qualification": "accountants_auditors",
    "certified-public-accountant": "accountants_auditors",
    "real-estate-broker": "estate_agents",
    "certification-person": "certification_staff",
    "financial-practitioner": "financial_practitioners",
}
NEUTRAL = frozenset(
    {
        *PROFESSIONS, "administrative-licence", "construction-qualification", "credit-commitment", "fire-safety-check",
        "food-supervision", "product-spot-check", "student-file", "association-member", "association-member-firm",
        "volunteer-registration", "credit-reporting-agency", "credit-agency-staff", "commitment-performance",
        "contract-performance", "administrative-coercion", "administrative-inspection", "business-registration",
    }
)  # fmt: skip
PENALTIES = (
    ("警告", 20), (FINE, 44), (f"警告;{FINE}", 8), (f"{CONFISCATION};{FINE}", 8), ("通报批评", 3),
    ("暂扣许可证件", 5), ("吊销许可证件", 4), ("责令停产停业", 5), ("限制从业", 3),
)  # fmt: skip
FOR_FIRMS_ONLY = frozenset({"责令停产停业"})
LICENCES = ("普通", "核准", "登记", "认可")
DISHONESTY = ("失信被执行人名单", "工商吊销企业名单", "失信被执行人名单、工商吊销企业名单")


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision as its unit sends it; `effects` are the words the sender uses."""

    source: Source
    party: Party
    document_number: str
    decided_on: datetime.date
    effects: str
    valid_until: datetime.date | None
    content: dict[str, str]
    fate: Fate | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What names the decision within the world: unit, entry, number."""
        return self.source.agency, self.source.entry, self.document_number


@dataclass(frozen=True)
class World:
    """Seed, anchor (relative dates count back from it) and scale, and everything drawn from them."""

    seed: int
    anchor: datetime.date
    scale: float = 1.0

    @cached_property
    def persons(self) -> list[Party]:
        """All persons, the two citizens first."""
        taken = frozenset({BOUND.number, UNBOUND.number})
        count = self._scaled(PERSONS, FEWEST_PERSONS) - 2
        return [BOUND, UNBOUND, *make_persons(self.seed, self.anchor, count, taken)]

    @cached_property
    def adults(self) -> list[Party]:
        """Persons about whom unfavourable decisions exist; the two citizens write their own chapters."""
        return [person for person in self.persons[2:] if not person.minor]

    @cached_property
    def minors(self) -> list[Party]:
        """Persons under 18 at the anchor."""
        return [person for person in self.persons if person.minor]

    @cached_property
    def organisations(self) -> list[Party]:
        """All companies."""
        return make_organisations(self.seed, self._scaled(ORGANISATIONS, FEWEST_FIRMS), self.adults)

    @cached_property
    def businesses(self) -> list[Party]:
        """All individual businesses."""
        return make_businesses(self.seed, self._scaled(BUSINESSES, FEWEST_FIRMS), self.adults)

    @cached_property
    def decisions(self) -> dict[str, list[Decision]]:
        """Every decision by feed, in the order of its numbers."""
        casting = Casting(self)
        return {source.feed: list(self._of_source(source, casting)) for source in sources()}

    @property
    def name(self) -> str:
        """What the files of this world are called after."""
        return f"{self.seed}_{self.anchor.isoformat()}_{self.scale:g}"

    def _scaled(self, count: int, least: int) -> int:
        return max(least, round(count * self.scale))

    def rows_of(self, source: Source) -> int:
        """How many good rows a feed delivers at this scale, citizens' chapters aside."""
        return self._scaled(source.rows, FEWEST_ROWS)

    def _of_source(self, source: Source, casting: "Casting") -> Iterator[Decision]:
        rng = dice(self.seed, source.feed)
        number = 0
        for number, party in enumerate(casting.parties(source, rng, self.rows_of(source)), 1):
            effects = _effects(source, party, rng)
            day = self._day(source, party, effects, rng)
            yield self._decision(source, party, number, day, effects, rng, None)
        for chapter in CHAPTERS:
            if chapter.feed == source.feed:
                number += 1
                day = self.anchor - datetime.timedelta(days=chapter.days)
                yield self._decision(source, chapter.party, number, day, chapter.effects, rng, chapter.fate)

    def _decision(
        self, source: Source, party: Party, number: int, day: datetime.date, effects: str, rng: random.Random,
        fate: Fate | None,
    ) -> Decision:  # fmt: skip
        document = source.number.format(year=day.year, n=f"{number:05d}" if source.entry in NEUTRAL else number)
        years = CHAPTER_YEARS if fate else rng.choice((1, 3, 3, 5, 5))
        content = content_of(Occasion(source, effects, day, document, self.organisations, rng))
        return Decision(source, party, document, day, effects, _valid_until(source, day, years), content, fate)

    def _day(self, source: Source, party: Party, effects: str, rng: random.Random) -> datetime.date:
        """A weekday: most decisions are of the last year, warnings mostly of the last three months."""
        oldest = OLDEST_OTHER_DAYS if source.entry in NEUTRAL | FAVOURABLE else OLDEST_NEGATIVE_DAYS
        recent = 85 if effects in ("警告", "通报批评") else 340
        newest = RESTING_DAYS if rests(source.feed) else 2
        back = rng.randrange(newest, recent) if rng.random() < 0.7 else rng.randrange(newest, oldest)
        day = self.anchor - datetime.timedelta(days=back)
        if party.birth and not party.minor:
            day = max(day, party.birth + datetime.timedelta(days=OLD_ENOUGH_DAYS))
        elif party.minor:
            day = max(day, self.anchor - datetime.timedelta(days=120))
        return day - datetime.timedelta(days=max(0, day.weekday() - 4))


class Casting:
    """Hands out parties in shuffled rounds, so that everybody appears before anybody appears again."""

    def __init__(self, world: World) -> None:
        self._rounds = {
            "p": _rounds(world, "p", world.adults),
            "m": _rounds(world, "m", world.minors),
            "o": _rounds(world, "o", world.organisations),
            "b": _rounds(world, "b", world.businesses),
        }

    def parties(self, source: Source, rng: random.Random, count: int) -> Iterator[Party]:
        """The parties of one feed's decisions: minors now and then, the others by the weights of the source."""
        kinds = source.subjects.replace("m", "")
        for index in range(count):
            minor = "m" in source.subjects and index % 6 == 0
            yield next(self._rounds["m" if minor else rng.choice(kinds)])


def _rounds(world: World, kind: str, parties: list[Party]) -> Iterator[Party]:
    rng = dice(world.seed, "casting", kind)
    while True:
        deck = list(parties)
        rng.shuffle(deck)
        yield from deck


def _effects(source: Source, party: Party, rng: random.Random) -> str:
    """The effects in the sender's words; nothing where the entry has no such field."""
    pick = EFFECTS_OF.get(source.entry)
    if pick is None:
        return ""
    while (text := pick(rng)) in FOR_FIRMS_ONLY and party.kind == SubjectKind.PERSON:
        pass
    return text


def _penalty(rng: random.Random) -> str:
    texts, weights = zip(*PENALTIES, strict=True)
    return str(rng.choices(texts, weights)[0])


EFFECTS_OF: dict[str, Callable[[random.Random], str]] = {
    **dict.fromkeys(
        (
            "administrative-penalty", "work-safety-violation", "biosafety-violation", "discharge-violation",
            "securities-integrity", "patent-counterfeiting",
        ),
        _penalty,
    ),
    "administrative-licence": lambda rng: rng.choice(LICENCES),
    "ecommerce-dishonesty": lambda rng: rng.choice(DISHONESTY),
}  # fmt: skip


def _valid_until(source: Source, day: datetime.date, years: int) -> datetime.date | None:
    """When a licence or honour ends; unfavourable decisions end by law, not by what a file says."""
    if source.entry in NEUTRAL | FAVOURABLE:
        return years_before(day, -years)
    return None
