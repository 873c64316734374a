"""What persons belong to, kept as the records say: key groups with their licence, organisations with a role."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import msgspec
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from creditplatform.core import outbox
from creditplatform.core.identity import IdentifierKind, grams, normalise
from records.enums import CrossCheckKind, FieldRole, Finding, RecordState, SubjectKind
from records.identifiers import identifier, name_index
from records.models import (
    Affiliation,
    CreditRecord,
    CrossCheck,
    EntryVersion,
    Feed,
    KeyGroup,
    KeyGroupMembership,
    Subject,
)
from records.tie_periods import Held, settle, stretch

Key = tuple[int, int | str]
GONE = (RecordState.REVOKED, RecordState.ARCHIVED)


class Stated(NamedTuple):
    """What one record says: licence, credit code and name of the organisation, first day and first day without.

    No first day means that of the decision.
    """

    record: int
    licence: str
    code: str
    name: str
    since: datetime.date | None
    until: datetime.date | None


class Of(NamedTuple):
    """Record, person, day of the decision, unit and feed: what the tie rests on."""

    record: int
    person: int
    decided_on: datetime.date
    agency: int
    feed: int | None


@dataclass(frozen=True)
class Laying:
    """Statements to be laid in, what each rests on by record, and the organisations they name by credit code.

    Laid in `again`, what is on file first gets back its days, and what has been asked is not asked anew. `leaving`
    are records that are being taken back.
    """

    said: list[Stated]
    found: dict[int, Of]
    organisations: dict[str, int] = field(default_factory=dict)
    again: bool = False
    leaving: frozenset[int] = frozenset()

    @property
    def persons(self) -> set[int]:
        """Of whom something is said."""
        return {of.person for of in self.found.values()}

    def period(self, one: Stated, licence: str = "") -> Held:
        """What a record says, as a period."""
        of, organisation = self.found[one.record], self.organisations.get(one.code)
        return Held(one.since or of.decided_on, one.until, of.record, of.agency, licence, organisation)

    def lay(self, periods: Iterable[tuple[list[Held], Held]]) -> list[tuple[Held, Held]]:
        """Lay each period into those of its person; returns what is on file with what contradicts it."""
        rest = [(held, stated) for held, stated in periods if not (self.again and stretch(held, stated))]
        return [(other, stated) for held, stated in rest if (other := settle(held, stated))]


def tie(*, version: EntryVersion, feed: Feed, stated: Sequence[Stated]) -> None:
    """Let memberships and affiliations follow these records; eleven statements at most, however many there are.

    Must run in an audit context and transaction. Two batches about the same persons take their turns. Units that
    contradict each other about a licence get a cross-check; what is on file stays. Where a record leaves days that it
    held, other records of the person get them back, which takes another dozen statements.
    """
    rows = CreditRecord.objects.filter(pk__in=[one.record for one in stated], subject_kind=SubjectKind.PERSON)
    found = {row[0]: Of(*row, feed.pk) for row in rows.values_list("pk", "subject_id", "decided_on", "agency_id")}
    if not found:
        return
    _one_at_a_time({of.person for of in found.values()})
    said = [one for one in stated if one.record in found]
    groups, roles = {version.key_group} - {""}, {version.affiliation} - {""}
    if moved := _lay_in(Laying(said, found, _organisations(said)), groups, roles):
        _lay_in_again(moved, groups, roles)


def end_ties(records: Sequence[int]) -> None:
    """End what rests on records that are taken back: from today on, or as if it had never begun.

    The days they had taken from other standing records of the same persons are given back to those.
    """
    today = timezone.localdate()
    for model in (KeyGroupMembership, Affiliation):
        ties: models.QuerySet[Any] = model._default_manager.filter(record__in=records)
        ties.filter(valid_from__gte=today).delete()
        ties.filter(valid_until=None).update(valid_until=today)
        ties.filter(valid_until__gt=today).update(valid_until=today)
    tied = CreditRecord.objects.filter(pk__in=records, subject_kind=SubjectKind.PERSON)
    of = list(tied.values_list("subject_id", "version__key_group", "version__affiliation"))
    groups, roles = {group for _, group, _ in of} - {""}, {role for _, _, role in of} - {""}
    if groups or roles:
        _lay_in_again({person for person, _, _ in of}, groups, roles, frozenset(records))


def stated_by(record: CreditRecord) -> Stated:
    """What a record on file says about belonging, read from its content."""
    said = _by_role(record)
    end = said.get(FieldRole.VALID_UNTIL, "")
    until = datetime.date.fromisoformat(end) + datetime.timedelta(days=1) if end and end < "2099" else None
    if ended := said.get(FieldRole.ENDED_ON, ""):
        until = min(until or datetime.date.max, datetime.date.fromisoformat(ended))
    begin = said.get(FieldRole.VALID_FROM, "")
    return Stated(
        record.pk,
        said.get(FieldRole.LICENCE_NUMBER) or record.document_number,
        normalise(said.get(FieldRole.BELONGS_TO_CODE, "")),
        said.get(FieldRole.BELONGS_TO_NAME, ""),
        datetime.date.fromisoformat(begin) if begin else None,
        until,
    )


def _by_role(record: CreditRecord) -> dict[str, str]:
    sealed: dict[str, str] = msgspec.json.decode(record.sealed_payload) if record.sealed_payload else {}
    content = {**record.payload, **sealed}
    fields = [(item.role, item.code) for item in record.version.fields.all() if item.role]
    return {role: content[code] for role, code in fields if content.get(code)}


def _one_at_a_time(persons: Iterable[int]) -> None:
    rows = Subject.objects.filter(pk__in=list(persons)).order_by("pk")
    list(rows.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))


def _lay_in(laying: Laying, groups: set[str], roles: set[str]) -> set[int]:
    """Returns the persons of whom a record has left days that it held."""
    moved: set[int] = set()
    for group in KeyGroup.objects.filter(pk__in=groups).order_by("pk") if groups else ():
        moved |= _memberships(group, laying)
    for role in sorted(roles):
        moved |= _affiliations(role, laying)
    return moved


def _lay_in_again(persons: set[int], groups: set[str], roles: set[str], leaving: frozenset[int] = frozenset()) -> None:
    """Let the other standing records of these persons hold on the days they say, as far as those are free now.

    What was decided against after a cross-check stays out.
    """
    named = Q(version__key_group__in=groups) | Q(version__affiliation__in=roles)
    standing = CreditRecord.objects.filter(named, subject__in=persons).exclude(state__in=GONE).exclude(pk__in=leaving)
    concerned = set(standing.values_list("subject_id", flat=True))
    if not concerned:
        return
    _one_at_a_time(concerned)
    records = list(standing.select_related("version", "batch").prefetch_related("version__fields").order_by("pk"))
    decided = CrossCheck.objects.filter(other_record__in=records, finding=Finding.HOLDER_RIGHT)
    overruled = set(decided.values_list("other_record_id", flat=True))
    records = [record for record in records if record.pk not in overruled]
    for group in sorted(groups):
        _again([record for record in records if record.version.key_group == group], {group}, set(), leaving)
    for role in sorted(roles):
        _again([record for record in records if record.version.affiliation == role], set(), {role}, leaving)


def _again(records: list[CreditRecord], groups: set[str], roles: set[str], leaving: frozenset[int]) -> None:
    found = {
        one.pk: Of(one.pk, one.subject_id, one.decided_on, one.agency_id, one.batch.feed_id if one.batch else None)
        for one in records
    }
    said = [stated_by(record) for record in records]
    _lay_in(Laying(said, found, _organisations(said), again=True, leaving=leaving), groups, roles)


def _memberships(group: KeyGroup, laying: Laying) -> set[int]:
    ties = KeyGroupMembership.objects.filter(group=group, subject__in=laying.persons)
    on_file = _held(ties, laying, "subject_id", "licence_number", "employer_id")
    wanted = {key: [replace(one) for one in held] for key, held in on_file.items()}
    against = laying.lay(
        (wanted.setdefault((laying.found[one.record].person, ""), []), laying.period(one, one.licence))
        for one in laying.said
    )

    def made(key: Key, held: Held) -> KeyGroupMembership:
        return KeyGroupMembership(
            subject_id=key[0], group=group, licence_number=held.licence, employer_id=held.organisation,
            record_id=held.record, valid_from=held.since, valid_until=held.until,
        )  # fmt: skip

    _write(KeyGroupMembership, on_file, wanted, made, ("licence_number", "employer_id"))
    _ask(group, against, laying)
    return _moved(on_file, wanted, laying)


def _affiliations(role: str, laying: Laying) -> set[int]:
    ties = Affiliation.objects.filter(role=role, person__in=laying.persons)
    on_file = _held(ties, laying, "person_id", "", "organisation_id", apart=True)
    wanted = {key: [replace(one) for one in held] for key, held in on_file.items()}
    named = {one.record: laying.organisations.get(one.code) for one in laying.said}
    for (_person, where), held in wanted.items():
        # A record that names another organisation now leaves the former one.
        held[:] = [one for one in held if one.record not in named or named[one.record] == where]
    laying.lay(
        (wanted.setdefault((person, organisation), []), laying.period(one))
        for one in laying.said
        if (organisation := named[one.record]) and organisation != (person := laying.found[one.record].person)
    )

    def made(key: Key, held: Held) -> Affiliation:
        return Affiliation(
            person_id=key[0], organisation_id=int(key[1]), role=role, record_id=held.record,
            valid_from=held.since, valid_until=held.until,
        )  # fmt: skip

    _write(Affiliation, on_file, wanted, made, ())
    return _moved(on_file, wanted, laying)


def _moved(before: dict[Key, list[Held]], wanted: dict[Key, list[Held]], laying: Laying) -> set[int]:
    """Persons of whom a record that was laid in held a day before that it no longer holds."""
    now = {(key, one.record): one for key, held in wanted.items() for one in held}
    stated = {one.record for one in laying.said}
    held_before = [(key, one) for key, held in before.items() for one in held if one.record in stated]
    return {
        key[0]
        for key, one in held_before
        if not (new := now.get((key, one.record))) or new.since > one.since or new.ends < one.ends
    }


def _ask(group: KeyGroup, against: list[tuple[Held, Held]], laying: Laying) -> None:
    """Open a cross-check for every contradiction; laid in again, only for those nobody was asked about yet."""
    items = [
        CrossCheck(
            subject_id=of.person, kind=CrossCheckKind.LICENCE, group=group, holder_id=other.agency,
            sender_id=of.agency, feed_id=of.feed, record_id=other.record, other_record_id=of.record,
        )
        for other, stated in against
        if other.agency and other.record and stated.record and (of := laying.found[stated.record]).feed
    ]  # fmt: skip
    if items and laying.again:
        pairs = CrossCheck.objects.filter(other_record__in=[item.other_record_id for item in items])
        asked = set(pairs.values_list("record_id", "other_record_id"))
        items = [item for item in items if (item.record_id, item.other_record_id) not in asked]
    open_cross_checks(items)


def open_cross_checks(items: Sequence[CrossCheck]) -> None:
    """Put differences between units on file, each once while it is open; both units are asked soon after."""
    if items:
        CrossCheck.objects.bulk_create(items, ignore_conflicts=True)
        outbox.publish("cross_checks.opened", feed=items[0].feed_id)


def _held(
    ties: models.QuerySet[Any], laying: Laying, person: str, licence: str, organisation: str, *, apart: bool = False
) -> dict[Key, list[Held]]:
    """Periods on file in order, by person and, where those are told `apart`, by organisation."""
    held: dict[Key, list[Held]] = defaultdict(list)
    rows = ties.annotate(stated_by=F("record__agency"), state=F("record__state")).order_by("valid_from", "pk")
    for row in rows:
        where = getattr(row, organisation)
        held[getattr(row, person), where if apart else ""].append(
            Held(
                row.valid_from, row.valid_until, row.record_id, row.stated_by,
                getattr(row, licence) if licence else "", where, row.pk,
                gone=row.state in GONE or row.record_id in laying.leaving,
            )
        )  # fmt: skip
    return held


def _write(
    model: type[models.Model],
    before: dict[Key, list[Held]],
    wanted: dict[Key, list[Held]],
    made: Any,
    content: tuple[str, ...],
) -> None:
    """Bring the table to what is wanted: what moved is written anew, what was shortened or mended is updated."""
    former = {one.pk: one for held in before.values() for one in held}
    anew, mended, kept = [], [], set()
    for key, held in wanted.items():
        for one in held:
            old = former.get(one.pk) if one.pk else None
            if old and old.since == one.since and old.ends >= one.ends and old.record == one.record:
                kept.add(one.pk)
                if old != one:
                    tie = made(key, one)
                    tie.pk = one.pk
                    mended.append(tie)
            else:
                anew.append(made(key, one))
    manager: models.Manager[Any] = model._default_manager
    manager.filter(pk__in=former.keys() - kept).delete()
    manager.bulk_update(mended, ["valid_until", *content], batch_size=1000)
    manager.bulk_create(anew, batch_size=1000)


def _organisations(said: Iterable[Stated]) -> dict[str, int]:
    """Keys of organisations by their credit code, made where they are not on file and the record tells a name."""
    names: dict[str, str] = {}
    for one in said:
        if one.code:
            names[one.code] = names.get(one.code) or one.name
    numbers = {code: identifier(IdentifierKind.CREDIT_CODE, code) for code in names}
    known = _keys(numbers[code].blind_index for code in names)
    missing = [code for code, name in names.items() if name and numbers[code].blind_index not in known]
    if missing:
        Subject.objects.bulk_create(
            [_organisation(code, names[code]) for code in sorted(missing)], ignore_conflicts=True, batch_size=1000
        )
        known |= _keys(numbers[code].blind_index for code in missing)
    return {code: known[number.blind_index] for code, number in numbers.items() if number.blind_index in known}


def _keys(indexes: Iterable[bytes]) -> dict[bytes, int]:
    found = Subject.objects.filter(number_index__in=list(indexes)).exclude(kind=SubjectKind.PERSON)
    return {bytes(index): pk for index, pk in found.values_list("number_index", "pk")}


def _organisation(code: str, name: str) -> Subject:
    found = identifier(IdentifierKind.CREDIT_CODE, code)
    return Subject(
        kind=SubjectKind.ORGANISATION, identifier_kind=found.kind, number_index=found.blind_index,
        name_index=name_index(name), code=code, name=name, codes=[code], grams=grams(name),
    )  # fmt: skip
