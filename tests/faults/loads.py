"""Deliveries whose outcome is known beforehand, row by row, so that nothing lost and nothing twice can be told."""

from dataclasses import dataclass
from functools import cached_property

from tests.deliveries import penalty
from tests.records.feedfiles import credit_code, csv_bytes

WRONG, TOO_OLD, AGAIN = 7, 13, 21  # places within every hundred rows


@dataclass(frozen=True)
class Load:
    """A file of penalties; of every hundred rows three do not become records.

    Files of one `series` bear the same document numbers and so are about the same decisions.
    """

    name: str
    rows: int
    text: str = "罚款一万元"
    series: str = ""

    @cached_property
    def content(self) -> bytes:
        """The file."""
        return csv_bytes([self._row(number) for number in range(self.rows)])

    @property
    def counts(self) -> dict[str, int]:
        """What its receipt must say."""
        hundreds = self.rows // 100
        odd = dict.fromkeys(("unchanged", "quarantined", "rejected"), hundreds)
        return {"received": self.rows, "accepted": self.rows - 3 * hundreds, **odd}

    @property
    def documents(self) -> set[str]:
        """The decisions that must be on file, each once."""
        return {self._document(n) for n in range(self.rows) if n % 100 not in (WRONG, TOO_OLD, AGAIN)}

    def _document(self, number: int) -> str:
        return f"{self.series or self.name}〔2026〕{number}号"

    def _row(self, number: int) -> dict[str, str]:
        if number % 100 == AGAIN:
            return self._row(number - 1)
        party = credit_code(number // 3)
        row = {
            **PLAIN, "CF_XDR_MC": f"示例{number // 3}号公司", "CF_XDR_SHXYM": party,
            "CF_WSH": self._document(number), "CF_NR": f"{self.text}{number}",
        }  # fmt: skip
        flaws = {WRONG: {"CF_JDRQ": "昨天"}, TOO_OLD: {"CF_JDRQ": "2010-01-01"}}
        return {**row, **flaws.get(number % 100, {})}


PLAIN = penalty(1)
