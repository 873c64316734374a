"""How periods of one person in one group or organisation are laid side by side: no two hold on one day.

What a later period says holds from its first day on, so the earlier one ends there. Two units that name different
licences for the same days contradict each other: what is on file stays, and both are asked.
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
    meeting = [one for one in held if one.meets(stated)]
    against = next((one for one in meeting if _contradicts(one, stated)), None)
    if against:
        return against
    for one in meeting:
        if one.since == stated.since and one.licence == stated.licence:
            one.until = None if FOREVER in (one.ends, stated.ends) else max(one.ends, stated.ends)
            _bound(one, held)
            return None
    for one in meeting:
        if one.since == stated.since:
            held.remove(one)  # the unit itself says it otherwise now
        elif one.since < stated.since:
            one.until = stated.since
    _bound(stated, held)
    held.append(stated)
    return None


def _contradicts(one: Held, stated: Held) -> bool:
    return one.licence != stated.licence and one.agency != stated.agency


def _bound(one: Held, held: list[Held]) -> None:
    """End a period where the next one begins."""
    later = [other.since for other in held if other is not one and other.since > one.since]
    if later and min(later) < one.ends:
        one.until = min(later)
