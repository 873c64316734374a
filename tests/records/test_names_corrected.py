"""A wrong name on file is put right: by the unit that alone speaks of the person, or after a cross-check."""

import datetime
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client

from creditplatform.core.enums import Role
from creditplatform.core.errors import Invalid, NotPermitted
from creditplatform.core.models import Agency, Notice
from records.enums import CrossCheckState, RowState
from records.identifiers import name_index
from records.models import ChangeNote, CreditRecord, CrossCheck, QuarantinedRow, Subject
from records.services import cross_checks
from records.services.mending import RowChanged
from records.services.names import correct_from_row
from tests.cast import PERSON_NUMBER, Cast, member
from tests.deliveries import ingest, person_penalty, quick_passwords  # noqa: F401
from tests.records.feedfiles import resident

HERE, THERE = "hz-market-penalty", "gs-market-penalty"
WRONG, RIGHT = "林示列", "林示例"
NUMBER = resident(77, datetime.date(1980, 5, 17))


@pytest.fixture
def waiting(cast: Cast) -> QuarantinedRow:
    """Our unit wrote the name wrongly first, and rightly afterwards."""
    ingest(person_penalty(1, WRONG, NUMBER), feed=HERE)
    ingest(person_penalty(2, RIGHT, NUMBER), feed=HERE)
    return QuarantinedRow.objects.get()


def person() -> Subject:
    return CreditRecord.objects.order_by("pk")[0].subject


def correct(user: Any, row: QuarantinedRow, **values: Any) -> QuarantinedRow:
    return correct_from_row(**{"user": user, "row": row, "seen": row.revision, "reason": "identity card", **values})


def test_the_unit_that_alone_speaks_of_the_person_corrects_the_name(waiting: QuarantinedRow, cast: Cast) -> None:
    notes = ChangeNote.objects.count()
    mended = correct(cast.officer, waiting)
    assert (person().name_sealed, bytes(person().name_index)) == (RIGHT, name_index(RIGHT))
    assert mended.state == RowState.CORRECTED
    assert CreditRecord.objects.filter(subject=person()).count() == 2, "the row is taken in with it"
    told = ChangeNote.objects.order_by("pk")[notes]
    assert (told.kind, len(told.record_ids)) == ("corrected", 1), "whoever has the record hears of it"
    letter = Notice.objects.get(code="name_corrected")
    assert bytes(letter.addressee) == bytes(person().number_index)
    assert RIGHT not in letter.text and WRONG not in letter.text_en and NUMBER not in letter.text


def test_the_former_name_stays_in_the_history_and_the_number_never_changes(waiting: QuarantinedRow, cast: Cast) -> None:
    before = person().number_sealed
    correct(cast.officer, waiting)
    events: Any = apps.get_model("records", "SubjectEvent")
    last = events.objects.filter(pgh_obj_id=person().pk).order_by("-pgh_id")[0]
    assert last.pgh_context["actor"] == cast.officer.pk
    assert person().number_sealed == before


def test_deliveries_under_the_former_name_are_set_aside_from_now_on(waiting: QuarantinedRow, cast: Cast) -> None:
    correct(cast.officer, waiting)
    batch = ingest(person_penalty(3, WRONG, NUMBER), feed=HERE)
    assert batch.problems == {"name_differs": 1}
    assert ingest(person_penalty(1, RIGHT, NUMBER), feed=HERE).accepted == 1, "the first decision under the right name"
    assert person().name_sealed == RIGHT


def test_a_clerk_does_not_and_another_unit_does_not(waiting: QuarantinedRow, cast: Cast) -> None:
    theirs = member("their-officer", Agency.objects.get(code="gs-market"), Role.OFFICER)
    for user in (cast.clerk, cast.centre, theirs):
        with pytest.raises(NotPermitted):
            correct(user, waiting)
    assert person().name_sealed == WRONG


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_it_needs_a_reason(waiting: QuarantinedRow, cast: Cast, reason: str) -> None:
    with pytest.raises(Invalid):
        correct(cast.officer, waiting, reason=reason)


def test_a_row_that_changed_meanwhile_is_looked_at_again(waiting: QuarantinedRow, cast: Cast) -> None:
    with pytest.raises(RowChanged):
        correct(cast.officer, waiting, seen=7)


def test_where_another_unit_has_records_it_is_no_matter_of_one_unit(waiting: QuarantinedRow, cast: Cast) -> None:
    ingest(person_penalty(9, WRONG, NUMBER), feed=THERE)
    with pytest.raises(Invalid) as refused:
        correct(cast.officer, waiting)
    assert refused.value.problems[0].code == "not_ours_alone"
    assert person().name_sealed == WRONG


def test_a_name_that_the_person_has_verified_is_not_corrected_by_a_row(cast: Cast) -> None:
    """A right name with a slip in the number would otherwise put the record on somebody else."""
    verified = Subject.objects.get(pk=cast.person.real_name.subject_id).name_sealed or ""
    ingest(person_penalty(1, verified, PERSON_NUMBER), feed=HERE)
    ingest(person_penalty(2, "别人示例", PERSON_NUMBER), feed=HERE)
    with pytest.raises(Invalid) as refused:
        correct(cast.officer, QuarantinedRow.objects.get())
    assert refused.value.problems[0].code == "name_verified"
    assert person().name_sealed == verified


def test_a_person_whom_nobody_has_on_record_keeps_the_name(cast: Cast) -> None:
    ingest(person_penalty(2, "别人示例", PERSON_NUMBER), feed=HERE)
    with pytest.raises(Invalid) as refused:
        correct(cast.officer, QuarantinedRow.objects.get())
    assert refused.value.problems[0].code == "not_ours_alone"


def test_a_row_with_more_wrong_than_the_name_is_mended_first(cast: Cast) -> None:
    ingest(person_penalty(1, WRONG, NUMBER), feed=HERE)
    ingest(person_penalty(2, RIGHT, NUMBER, CF_JDRQ="昨天"), feed=HERE)
    with pytest.raises(NotPermitted):
        correct(cast.officer, QuarantinedRow.objects.get())


# --- after a cross-check --------------------------------------------------------------------------------


@pytest.fixture
def check(cast: Cast) -> CrossCheck:
    """Their unit spoke first and wrongly; ours says otherwise, and theirs says that it corrects."""
    ingest(person_penalty(1, WRONG, NUMBER), feed=THERE)
    ingest(person_penalty(2, RIGHT, NUMBER), feed=HERE)
    cross_checks.ask_units({})
    theirs = member("their-officer", Agency.objects.get(code="gs-market"), Role.OFFICER)
    cross_checks.answer(check=CrossCheck.objects.get(), user=theirs, answer="corrects")
    return CrossCheck.objects.get()


def test_a_differing_name_that_was_right_goes_on_file_with_its_row(check: CrossCheck, cast: Cast) -> None:
    cross_checks.resolve(check=check, user=cast.centre, finding="sender_right")
    assert person().name_sealed == RIGHT
    row = QuarantinedRow.objects.get()
    assert row.state == RowState.CORRECTED and row.record is not None and row.record.subject == person()
    assert Notice.objects.filter(code="name_corrected").count() == 1


@pytest.mark.parametrize("finding", ["holder_right", "both_right", "both_corrected"])
def test_any_other_finding_leaves_the_name(check: CrossCheck, cast: Cast, finding: str) -> None:
    cross_checks.resolve(check=check, user=cast.centre, finding=finding)
    assert person().name_sealed == WRONG
    assert QuarantinedRow.objects.get().state == RowState.OPEN


def test_where_the_row_waits_no_longer_the_finding_is_refused_whole(check: CrossCheck, cast: Cast) -> None:
    QuarantinedRow.objects.update(state=RowState.DISCARDED, reason="x", closed_by=cast.clerk, closed_at=check.opened_at)
    with pytest.raises(Invalid) as refused:
        cross_checks.resolve(check=check, user=cast.centre, finding="sender_right")
    assert refused.value.problems[0].code == "row_gone"
    check.refresh_from_db()
    assert (check.state, person().name_sealed) == (CrossCheckState.ANSWERED, WRONG)


# --- on the page ----------------------------------------------------------------------------------------


def browser(user: Any) -> Client:
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def test_an_officer_corrects_on_the_page_of_the_row_and_a_clerk_is_not_offered_it(
    waiting: QuarantinedRow, cast: Cast
) -> None:
    address = f"/desk/set-aside/{waiting.pk}/"
    offer = "The name on file is wrong"
    assert offer in browser(cast.officer).get(address).content.decode()
    assert offer not in browser(cast.clerk).get(address).content.decode()
    values = {"seen": waiting.revision, "reason": "identity card"}
    assert browser(cast.clerk).post(f"{address}name/", values, follow=True).status_code == 200
    assert person().name_sealed == WRONG
    answer = browser(cast.officer).post(f"{address}name/", {**values, "seen": "x"}, follow=True).content.decode()
    assert "Somebody else has worked on this row" in answer
    browser(cast.officer).post(f"{address}name/", values)
    assert person().name_sealed == RIGHT
