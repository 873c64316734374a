"""The law behind an entry is asked anew every day: when it ends, so do collection and publication."""

import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from creditplatform.core.errors import CreditError
from publicity.selectors.registers import overview, register_version
from publicity.selectors.search import find
from records.enums import Openness, VersionState
from records.feeds.plan import version_in_force
from records.models import CatalogueEntry, CreditRecord, EntryVersion, LegalBasis
from tests.deliveries import quick_passwords  # noqa: F401
from tests.publicity.conftest import own_cache  # noqa: F401
from tests.publicity.world import address, company, defaulter, taken_in
from tests.records.feedfiles import counts, credit_code, deliver
from tests.records.provocations import broken
from tests.records.world import World

ENTRY = "administrative-penalty"
pytestmark = pytest.mark.usefixtures("context")


def today() -> datetime.date:
    return timezone.localdate()


def days(number: int) -> datetime.date:
    return today() + datetime.timedelta(days=number)


@pytest.fixture
def fined() -> CreditRecord:
    return taken_in(company(1, "东江酒楼"))[0]


def version() -> EntryVersion:
    return EntryVersion.objects.get(entry__code=ENTRY, state=VersionState.IN_FORCE)


def basis(code: str, **values: Any) -> LegalBasis:
    words = {"title": code, "title_en": code, "level": "law", "confirmed": True, **values}
    return LegalBasis.objects.create(code=code, **words)


def replaced(**values: Any) -> EntryVersion:
    """The version in force retired, with another one in its place."""
    old, new = version(), version()
    EntryVersion.objects.filter(pk=old.pk).update(state=VersionState.RETIRED)
    for name, value in {"pk": None, "number": 91, "state": VersionState.IN_FORCE, **values}.items():
        setattr(new, name, value)
    new.save()
    return new


def shown(client: Client, record: CreditRecord) -> set[bool]:
    """Whether record page, register, search and counts show the record; one answer where they agree."""
    register = register_version(record.entry.code)
    listed = client.get(f"/{record.site.code}/registers/{record.entry.code}/")
    return {
        client.get(address(record)).status_code == 200,
        CreditRecord.objects.publishable().filter(pk=record.pk).exists(),
        any(found.pk == record.pk for found in find(record.site, record.document_number).page.records),
        register is not None,
        listed.status_code == 200 and record.token in listed.content.decode(),
        any(line.entry.pk == record.entry_id for line in overview(record.site).filled),
    }


def test_a_record_is_shown_alike_everywhere(client: Client, fined: CreditRecord) -> None:
    assert shown(client, fined) == {True}


@pytest.mark.parametrize("law", ["penalty-law-48", "guofa-2016-33"])
@pytest.mark.parametrize(
    ("change", "public"),
    [
        ({"in_force_until": 0}, False), ({"in_force_until": 1}, True), ({"in_force_from": 1}, False),
        ({"in_force_from": 0}, True), ({"in_force_from": None}, True),
    ],
)  # fmt: skip
def test_a_law_that_does_not_hold_today_publishes_nothing(
    client: Client, fined: CreditRecord, law: str, change: dict[str, int | None], public: bool
) -> None:
    values = {name: None if number is None else days(number) for name, number in change.items()}
    LegalBasis.objects.filter(pk=law).update(**values)
    assert shown(client, fined) == {public}


@pytest.mark.parametrize(
    ("change", "collected"),
    [({"in_force_until": 0}, False), ({"in_force_until": 1}, True), ({"in_force_from": 1}, False)],
)
def test_nothing_is_collected_under_a_law_that_does_not_hold_today(change: dict[str, int], collected: bool) -> None:
    values = {name: days(number) for name, number in change.items()}
    LegalBasis.objects.filter(pk="penalty-law-48").update(**values)
    if collected:
        assert version_in_force(CatalogueEntry.objects.get(code=ENTRY), today()).entry.code == ENTRY
        return
    with pytest.raises(CreditError) as refused:
        version_in_force(CatalogueEntry.objects.get(code=ENTRY), today())
    assert refused.value.code == "entry_not_in_force"


def test_a_retired_version_stays_public_while_its_own_law_holds(client: Client, fined: CreditRecord) -> None:
    EntryVersion.objects.filter(pk=version().pk).update(state=VersionState.RETIRED)
    assert shown(client, fined) == {True}


def test_a_retired_version_stays_public_under_the_law_that_followed(client: Client, fined: CreditRecord) -> None:
    replaced(legal_basis=basis("new"), publication_basis=basis("new-too"))
    LegalBasis.objects.filter(pk="penalty-law-48").update(in_force_until=today())
    assert shown(client, fined) == {True}
    LegalBasis.objects.filter(pk="new-too").update(in_force_until=today())
    assert shown(client, fined) == {False}


def test_a_retired_version_ends_with_its_law_where_nothing_public_followed(client: Client, fined: CreditRecord) -> None:
    replaced(legal_basis=basis("new"), openness=Openness.SHARED, publication_basis=None)
    assert shown(client, fined) == {True}
    LegalBasis.objects.filter(pk="guofa-2016-33").update(in_force_until=today())
    assert shown(client, fined) == {False}


def test_persons_are_public_by_the_law_named_for_them_and_no_other() -> None:
    record = defaulter()
    public = CreditRecord.objects.publishable().filter(pk=record.pk)
    assert public.exists()
    LegalBasis.objects.filter(pk="spc-defaulters-7").update(in_force_until=today())
    assert not public.exists()


def test_the_law_that_publishes_is_confirmed(cast: Any) -> None:
    world = World(cast)
    doubtful = basis("doubtful", confirmed=False)
    for number, name in enumerate(("publication_basis", "person_publication_basis"), 92):
        draft = world.draft(number=number, valid_from=datetime.date(2090, 1, 1), **{name: doubtful})
        act = lambda pk=draft.pk: EntryVersion.objects.filter(pk=pk).update(state=VersionState.IN_FORCE)  # noqa: E731
        assert broken(act)[0] == "CR004"
    for law in ("penalty-law-48", "guofa-2016-33"):
        act = lambda law=law: LegalBasis.objects.filter(pk=law).update(confirmed=False)  # noqa: E731
        assert broken(act)[0] == "CR004"


def test_a_list_without_numbers_keeps_its_records_apart_by_subject() -> None:
    """The delivered list states none, and nobody makes one up."""
    rows = [
        {"企业名称": f"兰州示例{n}号有限公司", "统一信用代码": credit_code(n), "失信领域": "工商吊销企业名单"}
        for n in (1, 2)
    ]
    assert counts(deliver(*rows, feed="ecommerce-dishonesty")) == {"received": 2, "accepted": 2}
    assert counts(deliver(*rows, feed="ecommerce-dishonesty")) == {"received": 2, "unchanged": 2}
    assert set(CreditRecord.objects.values_list("document_number", "decided_on")) == {("", today())}
