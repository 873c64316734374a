"""Which fields of which kinds of record: of a purpose, a consent or a link, and what they have in common."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from records.models import CreditRecord, EntryField


@dataclass(frozen=True)
class Part:
    """What may be seen of one kind of record.

    `whole` are all its open fields, `named` single ones; `personal` those that every side has named by itself, the
    only ones of which a personal field may be among.
    """

    whole: bool = False
    named: frozenset[str] = frozenset()
    personal: frozenset[str] = frozenset()

    def __and__(self, other: "Part") -> "Part":
        """What both allow."""
        named = self.named & other.named
        if self.whole:
            named |= other.named
        if other.whole:
            named |= self.named
        return Part(self.whole and other.whole, named, self.personal & other.personal)

    def __bool__(self) -> bool:
        return self.whole or bool(self.named)

    def allows(self, item: EntryField) -> bool:
        """Whether this field may be shown."""
        if item.personal:
            return item.code in self.personal
        return self.whole or item.code in self.named


@dataclass(frozen=True)
class FieldScope:
    """Kinds of record by code, each with what may be seen of it.

    Written as names: `entry` for the open fields of an entry, `entry.field` for one field. A personal field is part
    of it only where it is named by itself.
    """

    parts: Mapping[str, Part] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Iterable[str]) -> "FieldScope":
        """The scope that names stand for; an entry together with one of its fields is both."""
        whole, named = set(), dict[str, set[str]]()
        for name in names:
            entry, _dot, code = name.partition(".")
            fields = named.setdefault(entry, set())
            if code:
                fields.add(code)
            else:
                whole.add(entry)
        return cls({entry: Part(entry in whole, frozenset(f), frozenset(f)) for entry, f in named.items()})

    @property
    def names(self) -> list[str]:
        """The scope written as names, in order."""
        found = [entry for entry, part in self.parts.items() if part.whole]
        found += [f"{entry}.{code}" for entry, part in self.parts.items() for code in part.named]
        return sorted(found)

    @property
    def entries(self) -> list[str]:
        """Codes of the kinds of record, in order."""
        return sorted(self.parts)

    def __and__(self, other: "FieldScope") -> "FieldScope":
        """What both allow."""
        common = {entry: part & other.parts[entry] for entry, part in self.parts.items() if entry in other.parts}
        return FieldScope({entry: part for entry, part in common.items() if part})

    def __bool__(self) -> bool:
        return bool(self.parts)

    def covers(self, other: "FieldScope") -> bool:
        """Whether every name of the other one is part of this one; which fields are personal, only they tell."""
        return (self & other).names == other.names

    def hides(self, item: EntryField, entry: str) -> bool:
        """Whether a field is named, and yet not shown since it is a personal one that not every side has named."""
        part = self.parts.get(entry, Part())
        return item.code in part.named and not part.allows(item)

    def fields_of(self, record: CreditRecord) -> list[EntryField]:
        """The fields of a record that may be shown, in the order of the catalogue."""
        part = self.parts.get(record.entry.code, Part())
        return [item for item in record.version.fields.all() if part.allows(item)]
