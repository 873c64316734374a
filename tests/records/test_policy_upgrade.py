"""A catalogue that was loaded before: new editions take the place of old ones, and doubted laws carry nothing."""

import datetime
import shutil
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps

from records.enums import VersionState
from records.models import CatalogueEntry, CreditRecord, LegalBasis
from records.services import policy
from tests.publicity.world import company, dishonest_shop, licence, taken_in

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the delivered files that the loader reads."""
    copy = tmp_path / "policy"
    shutil.copytree(policy.FOLDER, copy)
    monkeypatch.setattr(policy, "FOLDER", copy)
    return copy


def changed(path: Path, *pairs: tuple[str, str]) -> None:
    text = path.read_text("utf-8")
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("begins", "ended"), [("2004-07-01", None), ("2001-01-01", None), ("2020-01-01", "2020-01-01")]
)
def test_an_edition_replaces_the_former_one_whatever_its_first_day(
    folder: Path, begins: str, ended: str | None
) -> None:
    entry = CatalogueEntry.objects.get(code="construction-qualification")
    former = entry.versions.get(state=VersionState.IN_FORCE)
    path = folder / "entries" / "construction-qualification.toml"
    changed(path, ("version = 2", "version = 3"), ("valid_from = 2004-07-01", f"valid_from = {begins}"))
    policy.load_records_policy()
    former.refresh_from_db()
    assert former.state == VersionState.RETIRED
    assert (former.valid_until and former.valid_until.isoformat()) == ended
    assert entry.versions.get(state=VersionState.IN_FORCE).number == 3


def test_a_law_is_doubted_once_no_entry_rests_on_it_any_more(folder: Path) -> None:
    path = folder / "entries" / "discharge-violation.toml"
    law = "discharge-permit-regulation-25"
    changed(path, ("version = 1", "version = 2"), (f'legal_basis = "{law}"', 'legal_basis = "guofa-2016-33"'))
    before, after = (folder / "legal_bases.toml").read_text("utf-8").split(f'code = "{law}"')
    doubted = after.replace("confirmed = true", "confirmed = false", 1)
    (folder / "legal_bases.toml").write_text(f'{before}code = "{law}"{doubted}', "utf-8")
    policy.load_records_policy()
    assert not LegalBasis.objects.get(pk=law).confirmed
    version = CatalogueEntry.objects.get(code="discharge-violation").versions.get(state=VersionState.IN_FORCE)
    assert (version.legal_basis_id, version.publication_basis_id) == ("guofa-2016-33", "guofa-2016-33")


def test_records_of_earlier_days_get_the_right_end_and_lose_the_invented_number() -> None:
    migration = import_module("records.migrations.0012_shown_on_the_last_valid_day")
    (licensed,) = taken_in(licence(1, XK_YXQZI="2030-12-31"), feed="hz-licence")
    (fined,), shop = taken_in(company(1, "东江酒楼")), dishonest_shop()
    last_day = datetime.date(2030, 12, 31)
    CreditRecord.objects.filter(pk=licensed.pk).update(publish_until=last_day)
    CreditRecord.objects.filter(pk=shop.pk).update(document_number=migration.INVENTED)
    migration.correct(apps, None)
    now = {record.pk: record for record in CreditRecord.objects.all()}
    assert now[licensed.pk].publish_until == last_day + datetime.timedelta(days=1)
    assert now[fined.pk].publish_until == fined.publish_until
    assert (now[shop.pk].document_number, now[shop.pk].publish_until) == ("", shop.publish_until)
