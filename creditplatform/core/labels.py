"""Labels of codes that the apps above the core bring along, for pages of the core that show them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from creditplatform.core import wording

Labels = Mapping[str, str | Promise]


class Kind(StrEnum):
    """What the codes stand for."""

    PURPOSE = "purpose"
    SIGN_OF_LIFE = "sign_of_life"
    VALUE = "value"


_known: dict[Kind, dict[str, str | Promise]] = {
    Kind.PURPOSE: {},
    Kind.SIGN_OF_LIFE: {
        "worker": _("worker for files and letters"),
        "outbox": _("passing on of news between procedures"),
        "access-log-sealer": _("sealing of the access log"),
        "log-partitions": _("monthly tables of the logs"),
    },
    Kind.VALUE: {"authorised": _("by authorisation of the person"), "unlimited": _("without limit")},
}
_asked: dict[Kind, Callable[[], Labels]] = {}


# What values of rules are counted in.
_UNITS = {
    "hours": ngettext_lazy("%(number)s hour", "%(number)s hours", "number"),
    "days": ngettext_lazy("%(number)s day", "%(number)s days", "number"),
    "working days": ngettext_lazy("%(number)s working day", "%(number)s working days", "number"),
    "months": ngettext_lazy("%(number)s month", "%(number)s months", "number"),
    "years": ngettext_lazy("%(number)s year", "%(number)s years", "number"),
    "percent": ngettext_lazy("%(number)s percent", "%(number)s percent", "number"),
    "points": ngettext_lazy("%(number)s point", "%(number)s points", "number"),
    "reports": ngettext_lazy("%(number)s report", "%(number)s reports", "number"),
}


def name(kind: Kind, labels: Labels) -> None:
    """Let an app name its codes; called when the app is loaded."""
    _known[kind].update(labels)


def ask(kind: Kind, look_up: Callable[[], Labels]) -> None:
    """Let an app name codes that are rows of a table: `look_up` gives the labels in the language of the page."""
    _asked[kind] = look_up


def label(kind: Kind, code: str) -> str:
    """The label of a code in the language of the page; the code itself where no app has named it."""
    return labels_of(kind, [code])[code]


def labels_of(kind: Kind, codes: Iterable[str]) -> dict[str, str]:
    """The labels of many codes; where an app looks them up, it does so once."""
    wanted, known = set(codes), dict(_known[kind])
    if kind in _asked and not wanted <= set(known):
        known |= _asked[kind]()
    return {code: str(known.get(code, code)) for code in wanted}


def value_label(value: Any) -> str:
    """The value of a rule in words: codes by their labels, and a table of codes grouped by what they lead to."""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, list):
        return wording.joined(label(Kind.VALUE, str(item)) for item in value)
    if isinstance(value, dict):
        return wording.clauses(_grouped(value))
    return label(Kind.VALUE, str(value))


def counted(value: Any, unit: str) -> str:
    """The value of a rule with what it is counted in."""
    if isinstance(value, int) and unit in _UNITS:
        return str(_UNITS[unit] % {"number": value})
    return f"{value_label(value)} {unit}".strip()


def _grouped(table: Mapping[str, Any]) -> Iterator[str]:
    for outcome in dict.fromkeys(table.values()):
        codes = [label(Kind.VALUE, code) for code, result in table.items() if result == outcome]
        yield wording.explained(label(Kind.VALUE, str(outcome)), wording.joined(codes))
