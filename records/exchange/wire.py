"""The form in which changes travel between two platforms, the same whether fetched or pushed."""

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from django.utils.translation import gettext_lazy as _
from msgspec import Meta

from creditplatform.core.errors import Invalid
from records.enums import ChangeCause

MOST_CHANGES = 1000
# What has no place of its own in the catalogue is bounded here, by what our tables hold of it at most.
Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Word = Annotated[str, Meta(max_length=60)]
Line = Annotated[str, Meta(max_length=1000)]
Text = Annotated[str, Meta(max_length=100_000)]
Token = Annotated[str, Meta(min_length=1, max_length=64)]
# Marks of a dispute are no end of a record.
ENDS = frozenset(ChangeCause.values) - {"", ChangeCause.DISPUTED, ChangeCause.UNDISPUTED}


class Unit(msgspec.Struct, frozen=True):
    """The unit that decided; it stays the source wherever the record goes."""

    code: Word
    credit_code: Word = ""
    name: Line = ""


class Item(msgspec.Struct, frozen=True):
    """One change. A withdrawal has no unit and no values."""

    number: Number
    kind: Literal["added", "corrected", "withdrawn"]
    token: Token
    entry: Word
    document_number: Line = ""
    cause: Word = ""
    at: Word = ""
    unit: Unit | None = None
    decided_on: Word = ""
    field: Word = ""
    disputed: bool = False
    statement: Text | None = None
    values: dict[Word, Text] = {}

    @property
    def ends(self) -> bool:
        """Whether it withdraws the record."""
        return self.kind == "withdrawn"


class Block(msgspec.Struct, frozen=True):
    """Changes in their order."""

    changes: list[Item]


class Refusal(msgspec.Struct, frozen=True):
    """A change that was not taken, with a stable code."""

    number: Number
    code: Line


class Confirmation(msgspec.Struct, frozen=True):
    """A withdrawal that was followed, and by what that is proved."""

    number: Number
    proof: Annotated[str, Meta(min_length=1, max_length=1000)]


class Answer(msgspec.Struct, frozen=True):
    """What became of a block; every change is counted once."""

    upto: Number
    accepted: Number = 0
    unchanged: Number = 0
    set_aside: Number = 0
    confirmed: Annotated[list[Confirmation], Meta(max_length=MOST_CHANGES)] = []
    refused: Annotated[list[Refusal], Meta(max_length=MOST_CHANGES)] = []


def read_block(body: bytes) -> Block:
    """The block in a body. Raises Invalid: the whole block is refused, nothing of it is taken."""
    try:
        block = msgspec.json.decode(body, type=Block)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _malformed() from error
    if any(_has_null(_texts(item)) for item in block.changes):
        raise _malformed()
    numbers = [item.number for item in block.changes]
    if len(numbers) > MOST_CHANGES or numbers != sorted(set(numbers)) or any(number < 1 for number in numbers):
        raise Invalid.in_field("changes", "out_of_order", _("Changes come in ascending order, 1000 at most."))
    if any(item.ends and item.cause not in ENDS for item in block.changes):
        raise Invalid.in_field("changes", "cause_unknown", _("A withdrawal names its cause."))
    return block


def read_answer(body: bytes) -> Answer:
    """The answer in a body; raises msgspec.DecodeError."""
    answer = msgspec.json.decode(body, type=Answer)
    if _has_null([*(item.proof for item in answer.confirmed), *(item.code for item in answer.refused)]):
        raise msgspec.ValidationError("null character")
    return answer


def _malformed() -> Invalid:
    return Invalid.in_field("changes", "malformed", _("This is no block of changes."))


def _texts(item: Item) -> Iterable[str]:
    yield from (item.token, item.entry, item.document_number, item.cause, item.at, item.decided_on, item.field)
    yield item.statement or ""
    yield from item.values
    yield from item.values.values()
    if item.unit:
        yield from (item.unit.code, item.unit.credit_code, item.unit.name)


def _has_null(texts: Iterable[str]) -> bool:
    """Whether one holds a character that the database cannot keep."""
    return any("\0" in text for text in texts)
