"""How periods of one person in one group or organisation are laid side by side: no two hold on one day.

What a later period says holds from its first day on, so the earlier one ends there. Two units that name different
licences for the same days contradict each other: what is on file stays, and both are asked. A period whose record was
taken back contradicts nothing and makes way for every other.
"""

import datetime
from dataclasses import dataclass

FOREVER = datetime.date.max


@dataclass
class Held:
    """A period on file or about to be: the record it rests on, who stated it, first day and first day without."""

    since: datetime.date
    until: datetime.date | None
    record: int | None
    agency: int | None
    licence: str = ""
    organisation: int | None = None
    pk: int | None = None
    gone: bool = False

    @property
    def ends(self) -> datetime.date:
        """The first day without, in the far future where there is none."""
        return self.until or FOREVER

    def meets(self, other: "Held") -> bool:
        """Whether both hold on one day."""
        return self.since < other.ends and other.since < self.ends


def settle(held: list[Held], stated: Held) -> Held | None:
    """Lay one stated period into those of the person, in place; returns the one it contradicts, if it does.

    A record that states its period anew moves its own. An empty period, or one that contradicts, is not laid in; where
    two begin on one day with the same licence, the one on file goes on and lasts as long as the longer.
    """
    held[:] = [one for one in held if stated.record is None or one.record != stated.record]
    if stated.ends <= stated.since:
        return None
    meeting = [one for one in held if not one.gone and one.meets(stated)]
    against = next((one for one in meeting if _contradicts(one, stated)), None)
    if against:
        return against
    for one in meeting:
        if one.since == stated.since and one.licence == stated.licence:
            one.until = None if FOREVER in (one.ends, stated.ends) else max(one.ends, stated.ends)
            _fit(one, held)
            return None
    for one in meeting:
        if one.since == stated.since:
            held.remove(one)  # the unit itself says it otherwise now
        elif one.since < stated.since:
            one.until = stated.since
    _fit(stated, held)
    held.append(stated)
    return None


def stretch(held: list[Held], stated: Held) -> bool:
    """Let the period on file of a record last as its record says again, up to the next one; False if it has none."""
    own = next((one for one in held if stated.record is not None and one.record == stated.record), None)
    if own and own.since == stated.since < stated.ends:
        own.until = stated.until
        _fit(own, held)
    return own is not None


def _contradicts(one: Held, stated: Held) -> bool:
    return one.licence != stated.licence and one.agency != stated.agency


def _fit(one: Held, held: list[Held]) -> None:
    """End a period where the next one begins; what was taken back keeps the days before or after it."""
    later = [other.since for other in held if not other.gone and other.since > one.since]
    if later and min(later) < one.ends:
        one.until = min(later)
    for other in [other for other in held if other.gone and other is not one and other.meets(one)]:
        if other.since < one.since:
            other.until = one.since
        elif other.ends > one.ends:
            other.since = one.ends
        else:
            held.remove(other)
