"""The form in which changes travel between two platforms, the same whether fetched or pushed."""

from typing import Literal

import msgspec
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import Invalid
from records.enums import ChangeCause

MOST_CHANGES = 1000


class Unit(msgspec.Struct, frozen=True):
    """The unit that decided; it stays the source wherever the record goes."""

    code: str
    credit_code: str = ""
    name: str = ""


class Item(msgspec.Struct, frozen=True):
    """One change. A withdrawal has no unit and no values."""

    number: int
    kind: Literal["added", "corrected", "withdrawn"]
    token: str
    entry: str
    document_number: str = ""
    cause: str = ""
    at: str = ""
    unit: Unit | None = None
    decided_on: str = ""
    field: str = ""
    disputed: bool = False
    values: dict[str, str] = {}

    @property
    def ends(self) -> bool:
        """Whether it withdraws the record."""
        return self.kind == "withdrawn"


class Block(msgspec.Struct, frozen=True):
    """Changes in their order."""

    changes: list[Item]


class Refusal(msgspec.Struct, frozen=True):
    """A change that was not taken, with a stable code."""

    number: int
    code: str


class Confirmation(msgspec.Struct, frozen=True):
    """A withdrawal that was followed, and by what that is proved."""

    number: int
    proof: str


class Answer(msgspec.Struct, frozen=True):
    """What became of a block; every change is counted once."""

    upto: int
    accepted: int = 0
    unchanged: int = 0
    set_aside: int = 0
    confirmed: list[Confirmation] = []
    refused: list[Refusal] = []


def read_block(body: bytes) -> Block:
    """The block in a body. Raises Invalid: the whole block is refused, nothing of it is taken."""
    try:
        block = msgspec.json.decode(body, type=Block)
    except msgspec.DecodeError as error:
        raise Invalid.in_field("changes", "malformed", _("This is no block of changes.")) from error
    numbers = [item.number for item in block.changes]
    if len(numbers) > MOST_CHANGES or numbers != sorted(set(numbers)) or any(number < 1 for number in numbers):
        raise Invalid.in_field("changes", "out_of_order", _("Changes come in ascending order, 1000 at most."))
    if any(item.ends and item.cause not in ChangeCause.values for item in block.changes):
        raise Invalid.in_field("changes", "cause_unknown", _("A withdrawal names its cause."))
    return block


def read_answer(body: bytes) -> Answer:
    """The answer in a body; raises msgspec.DecodeError."""
    return msgspec.json.decode(body, type=Answer)
