"""A complete list that has lost a record: proposed to an officer, never withdrawn by silence."""

import pytest
from django.test import Client

from creditplatform.core.errors import NotPermitted
from records.enums import MissingState, RecordState
from records.models import CreditRecord, Feed, MissingRecord
from records.services import missing
from tests.cast import Cast
from tests.deliveries import FEED, penalty, quick_passwords  # noqa: F401
from tests.records.feedfiles import deliver

ALL = [penalty(number) for number in range(1, 11)]


@pytest.fixture(autouse=True)
def complete(cast: Cast) -> None:
    Feed.objects.filter(code=FEED).update(complete_list=True)
    deliver(*ALL)


def proposed() -> list[str]:
    waiting = MissingRecord.objects.filter(state=MissingState.PROPOSED)
    return sorted(waiting.values_list("record__document_number", flat=True))


def number(n: int) -> str:
    return f"惠市监罚〔2026〕{n}号"


def test_what_a_complete_list_no_longer_contains_is_proposed_and_stays_in_force() -> None:
    batch = deliver(*ALL[1:])
    assert proposed() == [number(1)]
    assert batch.notes["missing"] == 1
    assert CreditRecord.objects.filter(state=RecordState.IN_FORCE).count() == 10
    deliver(*ALL[1:])
    assert proposed() == [number(1)], "once"


def test_half_a_file_proposes_nothing() -> None:
    batch = deliver(*ALL[3:])
    assert proposed() == []
    assert batch.notes["missing_too_many"] == 3


def test_a_list_with_rows_set_aside_proposes_nothing() -> None:
    """The row that is missing may be the one that could not be read."""
    deliver(*ALL[2:], {**ALL[0], "CF_JDRQ": "gestern"})
    assert proposed() == []


def test_other_feeds_and_other_rows_are_left_alone() -> None:
    Feed.objects.filter(code=FEED).update(complete_list=False)
    deliver(*ALL[1:])
    deliver(penalty(30), feed="hz-food-penalty")
    assert proposed() == []


def test_a_record_that_returns_leaves_the_worklist(cast: Cast) -> None:
    deliver(*ALL[1:])
    deliver(*ALL)
    assert MissingRecord.objects.get().state == MissingState.RETURNED


def test_an_officer_withdraws_or_keeps(cast: Cast) -> None:
    deliver(*ALL[2:])
    first, second = MissingRecord.objects.order_by("record__document_number")
    with pytest.raises(NotPermitted):
        missing.withdraw(item=first, user=cast.clerk)
    with pytest.raises(NotPermitted):
        missing.withdraw(item=first, user=cast.centre)
    missing.withdraw(item=first, user=cast.officer)
    missing.keep(item=second, user=cast.officer)
    states = dict(CreditRecord.objects.values_list("document_number", "state"))
    assert (states[number(1)], states[number(2)]) == (RecordState.REVOKED, RecordState.IN_FORCE)
    deliver(*ALL[2:])
    assert proposed() == [], "who was kept is not proposed again"


def test_the_worklist_is_worked_off_on_its_page(cast: Cast) -> None:
    deliver(*ALL[1:])
    item = MissingRecord.objects.get()
    pages = {}
    for name in ("officer", "clerk", "other_clerk"):
        pages[name] = Client(headers={"accept-language": "en"})
        pages[name].force_login(getattr(cast, name), "django.contrib.auth.backends.ModelBackend")
    assert f'value="{item.pk}"' in pages["officer"].get("/desk/missing/").content.decode()
    assert f'value="{item.pk}"' not in pages["clerk"].get("/desk/missing/").content.decode()
    assert "示例1号" not in pages["other_clerk"].get("/desk/missing/").content.decode()
    for name in ("clerk", "other_clerk"):
        pages[name].post("/desk/missing/", {"item": [item.pk], "act": "withdraw"})
    assert CreditRecord.objects.filter(state=RecordState.REVOKED).count() == 0
    pages["officer"].post("/desk/missing/", {"item": [item.pk], "act": "withdraw"})
    assert CreditRecord.objects.filter(state=RecordState.REVOKED).count() == 1
