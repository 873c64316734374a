"""Dated rule values: what a period, clock or age was on a given day. Never constants in code."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import CreditError
from creditplatform.core.models import RuleValue
from creditplatform.core.remembered import Recently

OPEN_END = datetime.date.max


class RuleMissing(CreditError):
    """No value of this rule is in force on that day."""

    def __init__(self, key: str, on: datetime.date) -> None:
        super().__init__(
            "rule_missing", _("No value of the rule “%(key)s” is in force on %(day)s."), key=key, day=on.isoformat()
        )


@dataclass(frozen=True, slots=True)
class Dated:
    """One value and the half-open period in which it holds; `site` is None for every site."""

    key: str
    value: Any
    valid_from: datetime.date
    valid_until: datetime.date = OPEN_END
    site: str | None = None
    legal_basis: str = ""


class RuleBook:
    """An immutable copy of the rule values, to be asked many times without the database."""

    def __init__(self, values: Iterable[Dated]) -> None:
        self._values: dict[str, list[Dated]] = {}
        for dated in values:
            self._values.setdefault(dated.key, []).append(dated)

    def versions(self, key: str, *, since: datetime.date, until: datetime.date, site: str | None = None) -> list[Dated]:
        """Values in force at any time from `since` to `until`, both included; a site's own values go first."""
        found = [d for d in self._values.get(key, ()) if d.valid_from <= until and d.valid_until > since]
        own = [d for d in found if d.site is not None and d.site == site]
        return own or [d for d in found if d.site is None]

    def dated(self, key: str, on: datetime.date, site: str | None = None) -> Dated:
        """The value in force on that day with its period and basis; raises RuleMissing."""
        found = self.versions(key, since=on, until=on, site=site)
        if not found:
            raise RuleMissing(key, on)
        return found[0]

    def value(self, key: str, on: datetime.date, site: str | None = None) -> Any:
        """The value in force on that day, a site's own value before the common one; raises RuleMissing."""
        return self.dated(key, on, site).value

    def value_or_first(self, key: str, on: datetime.date) -> Any:
        """The value in force on that day; a day before the first known value is judged by that one."""
        known = [dated for dated in self._values.get(key, ()) if dated.site is None]
        if not known:
            raise RuleMissing(key, on)
        return self.value(key, max(on, min(dated.valid_from for dated in known)))


_recent: Recently[RuleBook] = Recently()


def recent_rulebook() -> RuleBook:
    """Every value in force, a few seconds old at most: for calls that cannot afford a query for it."""
    return _recent.get("rulebook", load_rulebook)


def load_rulebook() -> RuleBook:
    """Every value in force, in one query."""
    rows = RuleValue.objects.filter(Q(in_force=True)).values_list(
        "key", "value", "valid_from", "valid_until", "site__code", "legal_basis"
    )
    return RuleBook(
        Dated(key, value, start, end or OPEN_END, site, basis) for key, value, start, end, site, basis in rows
    )
