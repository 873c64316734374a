"""How the persons of the demonstration belong together: firms, key groups, the register they are verified in."""

from collections.abc import Iterable, Iterator

from records.demonstration.data import dice
from records.demonstration.parties import Party, years_before
from records.demonstration.world import PROFESSIONS, World
from records.enums import AffiliationRole
from records.identifiers import Identifier, identifier, name_index
from records.models import Affiliation, DemonstrationIdentity, KeyGroupMembership, Subject

OTHER_ROLES = (
    AffiliationRole.RESPONSIBLE_PERSON,
    AffiliationRole.MEMBER,
    AffiliationRole.STUDENT,
    AffiliationRole.VOLUNTEER,
    AffiliationRole.PRACTITIONER,
)


def identifier_of(party: Party) -> Identifier:
    """The number under which a party is on file."""
    return identifier(party.identifier_kind, party.number)


def register_persons(world: World) -> int:
    """Enter every person in the demonstration register; returns how many lines were new."""
    known = set(DemonstrationIdentity.objects.values_list("number_index", flat=True))
    lines = [
        DemonstrationIdentity(number_index=index, name_index=name_index(person.name))
        for person in world.persons
        if (index := identifier_of(person).blind_index) not in known
    ]
    return len(DemonstrationIdentity.objects.bulk_create(lines))


def subjects_of(parties: Iterable[Party]) -> dict[str, int]:
    """Keys of the parties on file, by number; one query."""
    indexes: dict[bytes | None, str] = {identifier_of(party).blind_index: party.number for party in parties}
    found = Subject.objects.filter(number_index__in=list(indexes)).values_list("number_index", "pk")
    return {indexes[index]: pk for index, pk in found}


def tie(world: World) -> dict[str, int]:
    """Write affiliations and key group memberships; only where there are none yet."""
    if Affiliation.objects.exists() or KeyGroupMembership.objects.exists():
        return {"affiliations": 0, "key_groups": 0}
    firms = [*world.organisations, *world.businesses]
    known = subjects_of([*world.persons, *firms])
    affiliations = Affiliation.objects.bulk_create(_affiliations(world, firms, known))
    memberships = KeyGroupMembership.objects.bulk_create(_memberships(world, known))
    return {"affiliations": len(affiliations), "key_groups": len(memberships)}


def _affiliations(world: World, firms: list[Party], known: dict[str, int]) -> Iterator[Affiliation]:
    rng = dice(world.seed, "affiliations")
    for firm in firms:
        chief = firm.representative
        others = rng.sample(world.adults, 2)
        ties = [(chief, AffiliationRole.LEGAL_REPRESENTATIVE), *((p, rng.choice(OTHER_ROLES)) for p in others)]
        for person, role in ties:
            start = years_before(world.anchor, rng.uniform(0.5, 8))
            if person is not None and person.number in known and firm.number in known:
                yield Affiliation(
                    person_id=known[person.number], organisation_id=known[firm.number], role=role, valid_from=start
                )


def _memberships(world: World, known: dict[str, int]) -> Iterator[KeyGroupMembership]:
    """One membership per person and profession, with the number of the first licence and a firm as employer."""
    rng = dice(world.seed, "key groups")
    seen: set[tuple[str, str]] = set()
    for decision in (d for decisions in world.decisions.values() for d in decisions):
        group = PROFESSIONS.get(decision.source.entry)
        employer = known.get(rng.choice(world.organisations).number)
        member = (decision.party.number, group or "")
        if group and member not in seen and decision.party.number in known:
            seen.add(member)
            yield KeyGroupMembership(
                subject_id=known[decision.party.number],
                group_id=group,
                licence_number=decision.document_number,
                employer_id=employer,
                valid_from=decision.decided_on,
            )
