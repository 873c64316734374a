"""What a delivery may say of its rows whatever the entry: the state of the datum, and how older standards write it."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from records.enums import FieldRole
from records.feeds.vocabulary import POLICY
from records.models import EntryField, EntryVersion

DELIVERY_FILE = POLICY / "delivery.toml"
# The digits of the column standard of 2015 that an entry of its own may list.
DIGITS_OF_2015 = frozenset({"0", "1"})


@cache
def _policy() -> dict[str, Any]:
    with DELIVERY_FILE.open("rb") as file:
        return tomllib.load(file)


@cache
def _state() -> EntryField:
    return EntryField(**_policy()["state"])


def with_state(fields: Iterable[EntryField]) -> list[EntryField]:
    """The fields of a version, and the column of states where the version has none of its own."""
    own, state = list(fields), _state()
    if any(item.role == FieldRole.SOURCE_STATUS or item.code == state.code for item in own):
        return own
    return [*own, state]


def deliverable(version: EntryVersion) -> list[EntryField]:
    """The columns that a delivery may have under this version, in their order."""
    return with_state(version.fields.order_by("position"))


def of_delivery(item: EntryField) -> bool:
    """Whether a field speaks of the delivery alone, so that nothing of it is kept with the record."""
    return item._state.adding and item.code == _state().code


@cache
def last_days() -> frozenset[str]:
    """Codes of fields that hold a last day, which may be none, and that have no role."""
    return frozenset(_policy()["last_days"])


def marks_of_2015() -> Sequence[str]:
    """Headers that the column standard of 2015 has and that of 2018 has not."""
    marks: list[str] = _policy()["standard_of_2015"]["marks"]
    return marks


def state_headers_of_2015() -> Sequence[str]:
    """The headers of its column of states."""
    headers: list[str] = _policy()["standard_of_2015"]["headers"]
    return headers


def state_words_of_2015() -> Mapping[str, str]:
    """What the digits in that column mean, in words."""
    words: dict[str, str] = _policy()["standard_of_2015"]["words"]
    return words
