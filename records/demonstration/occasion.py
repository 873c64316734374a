"""What the content of a fictitious decision may depend on."""

import datetime
import random
from collections.abc import Sequence
from dataclasses import dataclass

from records.demonstration.data import Source, themes
from records.demonstration.parties import Party

MARK = "演示数据，情节虚构"
FINE, CONFISCATION = "罚款", "没收违法所得、没收非法财物"
Content = dict[str, str]


@dataclass(frozen=True, slots=True)
class Occasion:
    """What content may depend on: the source, the effects as written, the day, the number, the firms, and chance."""

    source: Source
    effects: str
    decided_on: datetime.date
    number: str
    firms: Sequence[Party]
    rng: random.Random

    @property
    def breach(self) -> tuple[str, str]:
        """A breach of the theme and its facts."""
        theme = themes()[self.source.theme]
        kind, facts = self.rng.choice(theme["breaches"])
        return kind, facts

    @property
    def law(self) -> str:
        """The law of the theme."""
        return str(themes()[self.source.theme]["law"])

    @property
    def firm(self) -> Party:
        """A fictitious firm to which the person belongs."""
        return self.rng.choice(self.firms)
