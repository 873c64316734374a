"""What the benchmarks of queries share: persons on file, a unit that may ask by statute, its system and a token."""

import datetime
import secrets

from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from benchmarks.contest import context, make_feed
from creditplatform.core.enums import Scope
from creditplatform.core.identity import IdentifierKind, make_resident_id
from creditplatform.core.models import Agency
from creditplatform.core.services.clients import create_client
from records.enums import AuthorisationState, SubjectKind
from records.identifiers import identifier, name_index
from records.models import Authorisation, CreditRecord, EntryVersion, Purpose, PurposeUser, Subject

PURPOSE, CASE = "green-channel", "基准〔2026〕1号"
FIRST_DAY = datetime.date(1950, 1, 1)
PER_DAY = 900
FINED_EVERY = 10


def number_of(place: int) -> str:
    """The resident number of the person at a place; fictitious and valid."""
    return make_resident_id("441300", FIRST_DAY + datetime.timedelta(days=place // PER_DAY), place % PER_DAY)


def name_of(place: int) -> str:
    """The name of the person at a place."""
    return f"示例{place}"


def ask_by_statute(*, consent: bool = False) -> tuple[Agency, str]:
    """The unit of the benchmarks may ask under a purpose, by statute or by consent; unit and token of its system."""
    make_feed()
    with context():
        agency = Agency.objects.select_related("site").get(code="benchmark")
        Purpose.objects.filter(pk=PURPOSE).update(needs_consent=consent)
        PurposeUser.objects.get_or_create(purpose_id=PURPOSE, agency=agency)
        client, _secret = create_client(name="benchmark", agency=agency, scopes=list(Scope.values))
        token = secrets.token_urlsafe(24)
        get_access_token_model().objects.create(
            application=client, token=token, expires=timezone.now() + datetime.timedelta(hours=3),
            scope=" ".join(client.scopes),
        )  # fmt: skip
    return agency, token


def consents(agency: Agency, count: int, *, uses: int) -> list[str]:
    """A consent of everybody at the first places, each for so many uses; the numbers of their receipts."""
    purpose, now = Purpose.objects.get(pk=PURPOSE), timezone.now()
    people = {bytes(one.number_index): one for one in Subject.objects.all()}
    client, given = agency.api_clients.get(), []
    for place in range(count):
        person = people[identifier(IdentifierKind.RESIDENT_ID, number_of(place)).blind_index]
        given.append(Authorisation(
            number_index=person.number_index, name_index=person.name_index, subject=person, agency=agency,
            purpose=purpose, state=AuthorisationState.GRANTED, requested_fields=purpose.fields,
            granted_fields=purpose.fields, client=client, answer_until=now, decided_at=now, valid_from=now,
            expires_at=now + datetime.timedelta(days=7), uses_allowed=uses,
        ))  # fmt: skip
    with context():
        return [one.number for one in Authorisation.objects.bulk_create(given)]


def put_on_file(agency: Agency, first: int, count: int, *, fined_every: int = FINED_EVERY) -> None:
    """Persons on file, every tenth or so with a fine of the general tier."""
    version = EntryVersion.objects.get(entry__code="administrative-penalty", state="in_force")
    decided = timezone.localdate() - datetime.timedelta(days=30)
    with context():
        for start in range(first, first + count, 5000):
            places = range(start, min(start + 5000, first + count))
            people = Subject.objects.bulk_create([_subject(place) for place in places])
            CreditRecord.objects.bulk_create(
                CreditRecord(
                    subject=person, subject_kind=person.kind, entry_id=version.entry_id, version=version,
                    agency=agency, site_id=agency.site_id, polarity=version.polarity, decided_on=decided,
                    document_number=f"示例〔2026〕{place}号", tier="general", digest=bytes(16),
                    publish_until=decided + datetime.timedelta(days=365), repairable_from=decided,
                    retain_until=decided + datetime.timedelta(days=365 * 5),
                    payload={"CF_NR": "示例内容"},
                )
                for place, person in zip(places, people, strict=True)
                if place % fined_every == 0
            )  # fmt: skip


def _subject(place: int) -> Subject:
    found = identifier(IdentifierKind.RESIDENT_ID, number_of(place))
    return Subject(
        kind=SubjectKind.PERSON, identifier_kind=found.kind, number_index=found.blind_index,
        name_index=name_index(name_of(place)), number_sealed=found.number, name_sealed=name_of(place),
    )  # fmt: skip
