"""How the persons of the demonstration belong together: firms, key groups, the register they are verified in."""

from collections.abc import Iterable, Iterator

from records.demonstration.data import dice
from records.demonstration.parties import Party, years_before
from records.demonstration.world import World
from records.enums import AffiliationRole
from records.identifiers import Identifier, identifier, name_index
from records.models import Affiliation, DemonstrationIdentity, Subject

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
    """Write affiliations with firms; only where there are none yet. Key groups follow the records of their units."""
    if Affiliation.objects.filter(record=None).exists():
        return {"affiliations": 0}
    firms = [*world.organisations, *world.businesses]
    known = subjects_of([*world.persons, *firms])
    return {"affiliations": len(Affiliation.objects.bulk_create(_affiliations(world, firms, known)))}


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
