"""Units that disagree about one person: nobody is overwritten, both are asked, the centre sees no value (G11)."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from creditplatform.core import outbox
from creditplatform.core.enums import Role
from creditplatform.core.errors import Conflict, Invalid, NotPermitted
from creditplatform.core.models import AccessLog, Agency
from records.models import CreditRecord, CrossCheck, QuarantinedRow, Subject
from records.services import cross_checks
from tests.cast import PERSON_NUMBER, STRANGER_NUMBER, Cast, member
from tests.deliveries import ingest, person_penalty, quick_passwords  # noqa: F401

HERE, THERE = "hz-market-penalty", "gs-market-penalty"
OURS, THEIRS = "林示例", "林事例"
BACKEND = "django.contrib.auth.backends.ModelBackend"


def browser(user: Any) -> Client:
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    client.force_login(user, BACKEND)
    return client


@pytest.fixture
def check(cast: Cast) -> CrossCheck:
    """Their unit names a person otherwise than ours, which spoke first."""
    ingest(person_penalty(1, OURS, PERSON_NUMBER), feed=HERE)
    ingest(person_penalty(2, THEIRS, PERSON_NUMBER), feed=THERE)
    return CrossCheck.objects.get()


def test_another_name_from_another_unit_opens_an_item_and_overwrites_nothing(check: CrossCheck) -> None:
    row = QuarantinedRow.objects.get()
    assert (check.kind, check.holder.code, check.sender.code) == ("name", "hz-market", "gs-market")
    assert (check.row, check.record) == (row, CreditRecord.objects.get())
    assert [problem["code"] for problem in row.problems] == ["name_differs"], "the row stays aside"
    assert Subject.objects.get(pk=check.subject_id).name_sealed == OURS


def test_the_same_difference_again_opens_no_second_item(check: CrossCheck) -> None:
    ingest(person_penalty(2, THEIRS, PERSON_NUMBER), person_penalty(3, THEIRS, PERSON_NUMBER), feed=THERE)
    assert CrossCheck.objects.count() == 1


def test_a_unit_that_contradicts_itself_is_only_told(cast: Cast) -> None:
    ingest(person_penalty(1, OURS, PERSON_NUMBER), person_penalty(2, THEIRS, PERSON_NUMBER), feed=HERE)
    assert QuarantinedRow.objects.count() == 1
    assert not CrossCheck.objects.exists()


def test_a_person_whom_no_unit_has_on_record_is_a_matter_of_the_sender(cast: Cast) -> None:
    """Somebody may be on file for an account of theirs only; no unit is there to be asked."""
    ingest(person_penalty(1, THEIRS, PERSON_NUMBER), feed=HERE)
    assert not CrossCheck.objects.exists()


def test_the_same_name_with_another_number_is_another_person_and_nothing_suggests_otherwise(cast: Cast) -> None:
    ingest(person_penalty(1, OURS, PERSON_NUMBER), feed=HERE)
    Subject.objects.filter(pk=cast.stranger.real_name.subject_id).update(
        name_index=Subject.objects.get(pk=cast.person.real_name.subject_id).name_index
    )
    ingest(person_penalty(2, OURS, STRANGER_NUMBER), feed=THERE)
    assert CreditRecord.objects.values("subject").distinct().count() == 2
    assert not CrossCheck.objects.exists()
    assert not QuarantinedRow.objects.exists()


def test_both_units_are_asked_with_a_day_to_answer_by(check: CrossCheck) -> None:
    outbox.deliver_due()
    check.refresh_from_db()
    assert check.state == "asked"
    assert check.due_on and check.due_on > check.opened_at.date()
    assert CrossCheck.objects.overdue(on=check.due_on).count() == 0, "the last day is still in time"
    assert CrossCheck.objects.overdue(on=check.due_on.replace(year=check.due_on.year + 1)).count() == 1


def test_each_unit_answers_once_and_the_centre_ends_it(check: CrossCheck, cast: Cast) -> None:
    cross_checks.ask_units({})
    theirs = member("their-officer", Agency.objects.get(code="gs-market"), Role.OFFICER)
    with pytest.raises(NotPermitted):
        cross_checks.answer(check=CrossCheck.objects.get(), user=cast.clerk, answer="keeps")
    with pytest.raises(Invalid):
        cross_checks.answer(check=CrossCheck.objects.get(), user=cast.officer, answer="perhaps")
    cross_checks.answer(check=CrossCheck.objects.get(), user=cast.officer, answer="keeps")
    with pytest.raises(NotPermitted):
        cross_checks.answer(check=CrossCheck.objects.get(), user=cast.supervisor, answer="corrects")
    cross_checks.answer(check=CrossCheck.objects.get(), user=theirs, answer="corrects")
    with pytest.raises(NotPermitted):
        cross_checks.resolve(check=check, user=cast.officer, finding="holder_right")
    with pytest.raises(Invalid):
        cross_checks.resolve(check=check, user=cast.centre, finding="no_difference")
    ended = cross_checks.resolve(check=check, user=cast.centre, finding="holder_right")
    assert (ended.state, ended.holder_answer, ended.sender_answer) == ("resolved", "keeps", "corrects")
    with pytest.raises(Conflict):
        cross_checks.close(check=check, user=cast.centre)


def test_the_pages_show_no_value_of_the_person_to_anybody(check: CrossCheck, cast: Cast) -> None:
    cross_checks.ask_units({})
    for user in (cast.centre, cast.officer, cast.other_clerk):
        client, before = browser(user), AccessLog.objects.count()
        for address in ("/desk/cross-checks/", f"/desk/cross-checks/{check.pk}/"):
            text = client.get(address).content.decode()
            assert not re.search(f"{OURS}|{THEIRS}|{PERSON_NUMBER}", text)
            assert check.holder.label in text or check.holder.name_en in text
        assert AccessLog.objects.count() == before, "nothing of a person was shown"


def test_a_unit_finds_what_it_said_itself_and_not_what_the_other_said(check: CrossCheck, cast: Cast) -> None:
    address = f"/desk/cross-checks/{check.pk}/"
    ours, theirs = f"/creditrecord/{check.record_id}/", f"/quarantinedrow/{check.row_id}/"
    holder = browser(cast.officer).get(address).content.decode()
    sender = browser(cast.other_clerk).get(address).content.decode()
    centre = browser(cast.centre).get(address).content.decode()
    assert (ours in holder, theirs in holder) == (True, False)
    assert (ours in sender, theirs in sender) == (False, True)
    assert (ours in centre, theirs in centre) == (False, False)


@pytest.mark.parametrize("persona", ["auditor", "editor", "operator", "security"])
def test_others_find_no_cross_check(check: CrossCheck, cast: Cast, persona: str) -> None:
    assert browser(getattr(cast, persona)).get(f"/desk/cross-checks/{check.pk}/").status_code == 404


def test_a_unit_answers_and_the_centre_resolves_on_the_page(check: CrossCheck, cast: Cast) -> None:
    outbox.deliver_due()
    address = f"/desk/cross-checks/{check.pk}/"
    assert "Cross-checks" in browser(cast.officer).get("/desk/").content.decode()
    browser(cast.officer).post(address, {"act": "answer", "answer": "keeps"})
    browser(cast.clerk).post(address, {"act": "answer", "answer": "corrects"})
    check.refresh_from_db()
    assert (check.state, check.holder_answer) == ("answered", "keeps")
    browser(cast.centre).post(address, {"act": "resolve", "finding": "holder_right"})
    check.refresh_from_db()
    assert (check.state, check.finding) == ("resolved", "holder_right")
    assert f"#{check.pk}" in browser(cast.centre).get("/desk/cross-checks/?ended=1").content.decode()
