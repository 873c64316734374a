"""A look at a row set aside stands in the ledger first, whoever the row is about."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from creditplatform.core.identity import IdentifierKind
from creditplatform.core.models import AccessLog
from records.identifiers import identifier
from records.models import QuarantinedRow, Subject
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import penalty, person_penalty
from tests.records.feedfiles import deliver, people_of_the_cast, resident

PERSON = identifier(IdentifierKind.RESIDENT_ID, PERSON_NUMBER)
UNKNOWN = resident(91, datetime.date(1980, 5, 5))


@pytest.fixture
def clerk(db: None, settings: Any, tmp_path: Path, client: Client) -> Client:
    settings.MEDIA_ROOT = tmp_path / "media"
    people: Cast = people_of_the_cast(settings)
    client.force_login(people.clerk)
    return client


def looked_at(client: Client, row: QuarantinedRow) -> AccessLog | None:
    assert client.get(reverse("admin:records_quarantinedrow_change", args=[row.pk])).status_code == 200
    return AccessLog.objects.order_by("-pk").first()


def test_a_row_about_a_person_on_file_is_found_in_that_persons_ledger(clerk: Client) -> None:
    deliver(person_penalty(1, "林示例", PERSON_NUMBER))
    deliver(person_penalty(2, "林示例", PERSON_NUMBER, CF_JDRQ="昨天"))
    log = looked_at(clerk, QuarantinedRow.objects.get())
    assert log and log.subject_ref == Subject.objects.by_number(PERSON.blind_index).get().pk


@pytest.mark.parametrize("number", [UNKNOWN, UNKNOWN[:-1] + "x0"])
def test_a_row_about_somebody_not_on_file_is_found_under_the_row(clerk: Client, number: str) -> None:
    deliver(person_penalty(2, "林示例", number, CF_JDRQ="昨天"))
    row = QuarantinedRow.objects.get()
    log = looked_at(clerk, row)
    assert log and (log.subject_ref, log.case_number) == (0, f"{row.batch_id}:{row.row_number}")
    assert number not in str(log.__dict__)


def test_a_row_about_an_organisation_discloses_no_person(clerk: Client) -> None:
    deliver(penalty(1, CF_JDRQ="昨天"))
    assert looked_at(clerk, QuarantinedRow.objects.get()) is None
