"""No unfavourable record for three consecutive years (H3.1, G13): yes, no, or a person decides. Never a score.

One rule and one statement for a single call, a batch and the person's own page. What counts: unfavourable records in
force, of the tiers the rule names, decided within the years before the day. A disputed record never says no by itself,
and a record whose publication has ended is not used against anybody without a person looking at it, unless the rule
value says otherwise.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection

from creditplatform.core.enums import Authority
from creditplatform.core.rules import RuleBook
from records.enums import Outcome, Reason
from records.queries.grants import Grant
from records.rules import add_months

YEARS = "incentive.clean_years"
TIERS = "eligibility.tiers"
AFTER_PUBLICATION = "eligibility.after_publication"
ASK = "ask"

# One row per person asked for, whether or not anybody is on file; an index of the subject and the key of the records
# that leads with it, so that the cost does not depend on how many records there are.
STATEMENT = """
WITH open AS MATERIALIZED (
    SELECT v.id, e.code FROM records_entryversion v
    JOIN records_catalogueentry e ON e.id = v.entry_id
    JOIN records_legalbasis b ON b.code = v.legal_basis_id
    WHERE e.code = ANY(%(entries)s) AND v.person_openness = ANY(%(openness)s) AND v.polarity = 'negative'
        AND v.state <> 'draft' AND b.confirmed
        AND (b.in_force_from IS NULL OR b.in_force_from <= %(day)s)
        AND (b.in_force_until IS NULL OR b.in_force_until > %(day)s)
)
SELECT a.place, s.id, s.name_index = a.name_index, f.counting, f.disputed, f.ended, f.kinds
FROM unnest(%(places)s::int[], %(numbers)s::bytea[], %(names)s::bytea[]) a(place, number_index, name_index)
LEFT JOIN records_subject s ON s.number_index = a.number_index AND s.kind = 'person'
LEFT JOIN LATERAL (
    SELECT
        array_agg(r.id ORDER BY r.decided_on DESC, r.id) FILTER (WHERE NOT r.disputed AND NOT r.over) counting,
        array_agg(r.id ORDER BY r.decided_on DESC, r.id) FILTER (WHERE r.disputed) disputed,
        array_agg(r.id ORDER BY r.decided_on DESC, r.id) FILTER (WHERE NOT r.disputed AND r.over) ended,
        array_agg(DISTINCT r.code) kinds
    FROM (
        SELECT c.id, c.decided_on, c.disputed, (c.state = 'expired' OR c.publish_until <= %(day)s) AS over, o.code
        FROM records_creditrecord c JOIN open o ON o.id = c.version_id
        WHERE c.subject_id = s.id AND c.polarity = 'negative' AND c.state IN ('in_force', 'expired')
            AND NOT c.withheld AND c.decided_on > %(since)s AND c.decided_on <= %(day)s AND c.tier = ANY(%(tiers)s)
            AND (c.retain_until IS NULL OR c.retain_until > %(day)s)
    ) r
) f ON s.id IS NOT NULL
"""


class Person(NamedTuple):
    """Somebody asked for: place in the list, blind index of the number, blind index of the name."""

    place: int
    number_index: bytes
    name_index: bytes


@dataclass(frozen=True)
class Criteria:
    """What counts on a day: decided after `since`, of these tiers; how records past their publication count."""

    day: datetime.date
    since: datetime.date
    years: int
    tiers: Sequence[str]
    asks_after_publication: bool
    legal_basis: str

    @classmethod
    def on(cls, day: datetime.date, rulebook: RuleBook, site: str) -> "Criteria":
        """The criteria in force on that day at one place. Raises RuleMissing."""
        years = rulebook.dated(YEARS, day, site)
        return cls(
            day=day,
            since=add_months(day, -12 * years.value),
            years=years.value,
            tiers=tuple(rulebook.value(TIERS, day, site)),
            asks_after_publication=rulebook.value(AFTER_PUBLICATION, day, site) == ASK,
            legal_basis=years.legal_basis,
        )


class Answer(NamedTuple):
    """The answer for one person: outcome, what it rests on, the records by their keys and the kinds they are of.

    `subject` is whose number was asked for; `seen` is false where nothing was told of them, since the name was another.
    """

    place: int
    subject: int | None
    outcome: Outcome
    reasons: tuple[Reason, ...]
    records: tuple[int, ...]
    kinds: tuple[str, ...]
    seen: bool = True


def answers(people: Sequence[Person], grant: Grant, criteria: Criteria) -> list[Answer]:
    """The answer for each person, in the order asked; one statement. Nothing is registered yet.

    By statute a name that differs is answered as if nobody were on file under the number.
    """
    tells = grant.authority != Authority.STATUTE
    with connection.cursor() as cursor:
        cursor.execute(
            STATEMENT,
            {
                "places": [one.place for one in people],
                "numbers": [one.number_index for one in people],
                "names": [one.name_index for one in people],
                "entries": grant.scope.entries,
                "openness": [str(degree) for degree in grant.openness],
                "day": criteria.day,
                "since": criteria.since,
                "tiers": list(criteria.tiers),
            },
        )
        return sorted(answer(criteria, tells, *row) for row in cursor.fetchall())


def answer(
    criteria: Criteria,
    tells_of_names: bool,
    place: int,
    subject: int | None,
    name_fits: bool | None,
    counting: Iterable[int] | None,
    disputed: Iterable[int] | None,
    ended: Iterable[int] | None,
    kinds: Iterable[str] | None,
) -> Answer:
    """The rule itself, for one person: what was found in, outcome and reasons out."""
    if subject is not None and not name_fits and not tells_of_names:
        return Answer(place, subject, Outcome.YES, (Reason.CLEAN,), (), (), seen=False)
    if subject is not None and not name_fits:
        return Answer(place, subject, Outcome.PERSON, (Reason.NAME_DIFFERS,), (), ())
    if counting:
        return Answer(place, subject, Outcome.NO, (Reason.RECORDS,), tuple(counting), tuple(kinds or ()))
    doubtful = {Reason.DISPUTED: tuple(disputed or ())}
    if criteria.asks_after_publication:
        doubtful[Reason.PUBLICATION_ENDED] = tuple(ended or ())
    reasons = tuple(reason for reason, records in doubtful.items() if records)
    if reasons:
        return Answer(place, subject, Outcome.PERSON, reasons, sum(doubtful.values(), ()), tuple(kinds or ()))
    return Answer(place, subject, Outcome.YES, (Reason.CLEAN,), (), ())
