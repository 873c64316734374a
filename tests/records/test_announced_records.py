"""A record that was announced is tied to its announcement the moment it comes, by whatever door, for one statement."""

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from creditplatform.core.identity import IdentifierKind, make_resident_id
from creditplatform.core.models import StepEvent, User
from records.feeds.store import Store
from records.identifiers import identifier
from records.models import CreditRecord, Feed, PriorNotice
from records.services import announcements
from records.services.entry import enter_record
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import FEED, ingest, penalty, person_penalty, quick_passwords  # noqa: F401
from tests.records.announcing import REPLY, announced, fresh, held
from tests.records.queries_world import NAME, fined
from tests.records.test_announcements import DAY, on

OTHER_UNIT = "gs-market-penalty"


def document(number: int) -> str:
    return f"惠市监罚〔2026〕{number}号"


def test_the_record_follows_its_announcement_and_the_procedure_says_so(cast: Cast) -> None:
    case = announced(cast)
    record = fined()
    followed = fresh(case)
    assert (followed.state, followed.record_id, followed.subject_id) == ("followed", record.pk, record.subject_id)
    step = StepEvent.objects.get(workflow="prior_notice", case_ref=case.pk)
    assert (step.step, step.from_state, step.to_state, step.actor) == ("follow", "announced", "followed", None)


def test_an_entry_by_form_follows_too(cast: Cast) -> None:
    case, right = announced(cast), held(cast)
    values = {code: text for code, text in person_penalty(1, NAME, PERSON_NUMBER).items() if text}
    clerk, feed = User.objects.get(pk=cast.clerk.pk), Feed.objects.get(code=FEED)
    record = enter_record(user=clerk, entitlement=right, values=values, feed=feed)
    assert fresh(case).record_id == record.pk


def test_a_record_of_another_unit_person_name_or_number_does_not(cast: Cast) -> None:
    numbered, misnamed = announced(cast, document_number=document(7)), announced(cast, name="别名示例")
    ingest(person_penalty(1, NAME, PERSON_NUMBER), penalty(2))
    ingest(person_penalty(7, NAME, PERSON_NUMBER), feed=OTHER_UNIT, user=cast.other_clerk)
    assert [fresh(case).state for case in (numbered, misnamed)] == ["announced", "announced"]
    fined(7)
    assert fresh(numbered).state == "followed"


def test_the_number_of_the_decision_is_the_same_in_any_brackets(cast: Cast) -> None:
    case = announced(cast, document_number="惠市监罚[2026]7号")
    fined(7)
    assert fresh(case).state == "followed"


def test_each_record_takes_one_announcement_the_one_of_its_number_first(cast: Cast) -> None:
    any_number, numbered = announced(cast), announced(cast, document_number=document(7))
    ingest(*(person_penalty(number, NAME, PERSON_NUMBER) for number in (7, 8, 9)))
    records = dict(CreditRecord.objects.values_list("document_number", "pk"))
    assert fresh(numbered).record_id == records[document(7)]
    assert fresh(any_number).record_id in {records[document(8)], records[document(9)]}


def test_what_was_not_pursued_stays_so_and_a_correction_follows_nothing(cast: Cast) -> None:
    announcements.withdraw(case=(ended := announced(cast)), user=cast.clerk)
    fined()
    waiting = announced(cast)
    ingest(person_penalty(1, NAME, PERSON_NUMBER, CF_NR="罚款二万元"))
    assert [fresh(case).state for case in (ended, waiting)] == ["withdrawn", "announced"]


def test_record_and_announcement_change_in_one_transaction(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_args: object) -> None:
        raise RuntimeError

    case = announced(cast)
    monkeypatch.setattr(Store, "_write_setaside", fails)
    ingest(person_penalty(1, NAME, PERSON_NUMBER))
    assert (CreditRecord.objects.count(), fresh(case).state) == (0, "announced")


@pytest.mark.parametrize(
    ("replied", "late", "early"), [(False, False, True), (True, False, False), (False, True, False)]
)
def test_a_record_before_the_time_to_reply_is_taken_and_marked(
    cast: Cast, replied: bool, late: bool, early: bool
) -> None:
    case = announced(cast)
    if replied:
        announcements.reply(case=case, user=cast.person, words=REPLY)
    with on(case.reply_until + DAY if late else timezone.localdate()):
        fined()
        assert fresh(case).state == "followed" and fresh(case).came_early is early
        assert PriorNotice.objects.followed() == {"followed": 1, "early": int(early)}


def people(count: int, first: int) -> list[tuple[str, str]]:
    born = datetime.date(1988, 3, 4)
    return [
        (f"测试{chr(0x4E00 + first + at)}", make_resident_id("441302", born, first + 2 * at)) for at in range(count)
    ]


def statements(rows: list[dict[str, str]]) -> list[Any]:
    with CaptureQueriesContext(connection) as found:
        ingest(*rows)
    return list(found)


def test_many_announced_records_cost_as_many_statements_as_one_and_none_where_nothing_is_announced(cast: Cast) -> None:
    counted = []
    for first, count in ((101, 1), (201, 40)):
        named = people(count, first)
        for name, number in named:
            announced(cast, name=name, person=identifier(IdentifierKind.RESIDENT_ID, number))
        rows = [person_penalty(first + at, name, number) for at, (name, number) in enumerate(named)]
        counted.append(statements(rows))
    assert len(counted[0]) == len(counted[1])
    assert not PriorNotice.objects.open().exists() and PriorNotice.objects.followed()["followed"] == 41
    quiet = statements([person_penalty(400 + at, name, number) for at, (name, number) in enumerate(people(40, 401))])
    asked = [query["sql"] for query in quiet if "records_priornotice" in query["sql"]]
    assert len(asked) == 1 and asked[0].startswith("SELECT 1"), "whether there is any open is asked once per batch"
    assert not any("records_priornotice" in query["sql"] for query in statements([penalty(900)]))
