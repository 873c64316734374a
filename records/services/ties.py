"""What persons belong to, kept as the records say: key groups with their licence, organisations with a role."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from django.db import models
from django.db.models import F
from django.utils import timezone

from creditplatform.core import outbox
from creditplatform.core.identity import IdentifierKind, grams
from records.enums import CrossCheckKind, SubjectKind
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
from records.tie_periods import Held, settle

Key = tuple[int, int | str]


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
    """Record, person, day of the decision and unit: what the tie rests on."""

    record: int
    person: int
    decided_on: datetime.date
    agency: int


def tie(*, version: EntryVersion, feed: Feed, stated: Sequence[Stated]) -> None:
    """Let memberships and affiliations follow these records; eleven statements at most, however many there are.

    Must run in an audit context and transaction. Two batches about the same persons take their turns. Units that
    contradict each other about a licence get a cross-check; what is on file stays.
    """
    rows = CreditRecord.objects.filter(pk__in=[one.record for one in stated], subject_kind=SubjectKind.PERSON)
    found = {row[0]: Of(*row) for row in rows.values_list("pk", "subject_id", "decided_on", "agency_id")}
    if not found:
        return
    persons = Subject.objects.filter(pk__in={of.person for of in found.values()}).order_by("pk")
    list(persons.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))
    said = [one for one in stated if one.record in found]
    organisations = _organisations((one.code, one.name) for one in said if one.code)
    if version.key_group and (group := KeyGroup.objects.filter(pk=version.key_group).first()):
        _memberships(group, feed, said, found, organisations)
    if version.affiliation:
        _affiliations(version.affiliation, said, found, organisations)


def end_ties(records: Sequence[int]) -> None:
    """End what rests on records that are taken back: from today on, or as if it had never begun."""
    today = timezone.localdate()
    for model in (KeyGroupMembership, Affiliation):
        ties: models.QuerySet[Any] = model._default_manager.filter(record__in=records)
        ties.filter(valid_from__gte=today).delete()
        ties.filter(valid_until=None).update(valid_until=today)
        ties.filter(valid_until__gt=today).update(valid_until=today)


def _memberships(
    group: KeyGroup, feed: Feed, said: Iterable[Stated], found: dict[int, Of], organisations: dict[str, int]
) -> None:
    on_file = _held(
        KeyGroupMembership.objects.filter(group=group), "subject_id", found, "licence_number", "employer_id"
    )
    against: list[CrossCheck] = []
    wanted = {key: [replace(one) for one in held] for key, held in on_file.items()}
    for one in said:
        of = found[one.record]
        stated = _period(one, of, one.licence, organisations.get(one.code))
        other = settle(wanted.setdefault((of.person, ""), []), stated)
        if other and other.agency and other.record:
            against.append(
                CrossCheck(
                    subject_id=of.person, kind=CrossCheckKind.LICENCE, group=group, holder_id=other.agency,
                    sender_id=of.agency, feed=feed, record_id=other.record, other_record_id=of.record,
                )
            )  # fmt: skip

    def made(key: Key, held: Held) -> KeyGroupMembership:
        return KeyGroupMembership(
            subject_id=key[0], group=group, licence_number=held.licence, employer_id=held.organisation,
            record_id=held.record, valid_from=held.since, valid_until=held.until,
        )  # fmt: skip

    _write(KeyGroupMembership, on_file, wanted, made, ("licence_number", "employer_id"))
    open_cross_checks(against)


def _affiliations(role: str, said: Iterable[Stated], found: dict[int, Of], organisations: dict[str, int]) -> None:
    on_file = _held(Affiliation.objects.filter(role=role), "person_id", found, "", "organisation_id", apart=True)
    wanted = {key: [replace(one) for one in held] for key, held in on_file.items()}
    for one in said:
        of, organisation = found[one.record], organisations.get(one.code)
        for (person, _where), held in wanted.items():
            if person == of.person:  # a record that names another organisation now leaves the former one
                held[:] = [period for period in held if period.record != one.record]
        if organisation and organisation != of.person:
            stated = _period(one, of, "", organisation)
            settle(wanted.setdefault((of.person, organisation), []), stated)

    def made(key: Key, held: Held) -> Affiliation:
        return Affiliation(
            person_id=key[0], organisation_id=int(key[1]), role=role, record_id=held.record,
            valid_from=held.since, valid_until=held.until,
        )  # fmt: skip

    _write(Affiliation, on_file, wanted, made, ())


def open_cross_checks(items: Sequence[CrossCheck]) -> None:
    """Put differences between units on file, each once while it is open; both units are asked soon after."""
    if items:
        CrossCheck.objects.bulk_create(items, ignore_conflicts=True)
        outbox.publish("cross_checks.opened", feed=items[0].feed_id)


def _period(one: Stated, of: Of, licence: str, organisation: int | None) -> Held:
    return Held(one.since or of.decided_on, one.until, of.record, of.agency, licence, organisation)


def _held(
    ties: models.QuerySet[Any], person: str, found: dict[int, Of], licence: str, organisation: str, *,
    apart: bool = False,
) -> dict[Key, list[Held]]:  # fmt: skip
    """Periods on file of the persons, in order, by person and, where those are told `apart`, by organisation."""
    held: dict[Key, list[Held]] = defaultdict(list)
    rows = ties.filter(**{f"{person}__in": {of.person for of in found.values()}}).order_by("valid_from", "pk")
    for row in rows.annotate(stated_by=F("record__agency")):
        where = getattr(row, organisation)
        held[getattr(row, person), where if apart else ""].append(
            Held(
                row.valid_from, row.valid_until, row.record_id, row.stated_by,
                getattr(row, licence) if licence else "", where, row.pk,
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


def _organisations(named: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Keys of organisations by their credit code, made where they are not on file and the record tells a name."""
    names: dict[str, str] = {}
    for code, name in named:
        names[code] = names.get(code) or name
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
