"""What a person says about a record: kept with it, told to whoever has the record, theirs alone to change."""

from typing import Any

import pytest

from creditplatform.core.errors import Invalid, NotPermitted
from records.enums import RecordState
from records.models import ChangeNote, CreditRecord
from records.services.statements import LONGEST, write_statement
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import ingest, person_penalty, quick_passwords  # noqa: F401
from tests.records.queries_world import NAME, fined
from tests.records.test_exchange_inbox import city, item, taken

pytestmark = pytest.mark.usefixtures("context")
WORDS = "罚款已于当月缴清。"


def _of_person(number: int, **values: Any) -> dict[str, Any]:
    """A fine of the person of the cast as the platform of a city would tell of it."""
    cells = {code: text for code, text in person_penalty(1, NAME, PERSON_NUMBER).items() if text}
    return {**item(number), "document_number": cells["CF_WSH"], "values": cells, **values}


def test_a_statement_is_kept_and_whoever_has_the_record_is_told(cast: Cast) -> None:
    record = fined()
    ChangeNote.objects.all().delete()
    write_statement(record=record, subject=record.subject, text=f"  {WORDS} ")
    assert CreditRecord.objects.get(pk=record.pk).statement == WORDS
    assert ChangeNote.objects.values_list("kind", "record_ids").get() == ("corrected", [record.pk])
    write_statement(record=record, subject=record.subject, text=WORDS)
    assert ChangeNote.objects.count() == 1, "said again is nothing new"
    write_statement(record=record, subject=record.subject, text="")
    assert CreditRecord.objects.get(pk=record.pk).statement is None
    assert ChangeNote.objects.count() == 2


def test_the_unit_that_delivers_again_does_not_take_the_words_away(cast: Cast) -> None:
    record = fined()
    write_statement(record=record, subject=record.subject, text=WORDS)
    cells = {"CF_JDRQ": record.decided_on.isoformat(), "CF_NR": "罚款二万元"}
    ingest(person_penalty(1, NAME, PERSON_NUMBER, **cells))
    again = CreditRecord.objects.get(pk=record.pk)
    assert (again.payload["CF_NR"], again.statement) == ("罚款二万元", WORDS)


def test_nobody_speaks_for_somebody_else(cast: Cast) -> None:
    with pytest.raises(NotPermitted):
        write_statement(record=fined(), subject=cast.stranger.real_name.subject, text=WORDS)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("长" * (LONGEST + 1), "too_long"),
        (f"我的号码是{PERSON_NUMBER}", "holds_number"),
        ("电话13800138000", "holds_number"),
    ],
    ids=["long", "resident number", "telephone"],
)
def test_what_a_statement_may_not_hold_is_named(cast: Cast, text: str, code: str) -> None:
    record = fined()
    with pytest.raises(Invalid) as refused:
        write_statement(record=record, subject=record.subject, text=text)
    assert refused.value.code == code
    assert PERSON_NUMBER not in str(refused.value)


def test_a_record_that_is_no_longer_used_takes_no_statement(cast: Cast) -> None:
    record = fined()
    CreditRecord.objects.filter(pk=record.pk).update(state=RecordState.REPAIRED)
    with pytest.raises(Invalid) as refused:  # asked of the row itself, not of what was read before
        write_statement(record=record, subject=record.subject, text=WORDS)
    assert refused.value.code == "no_statement_here"


def test_words_from_another_platform_follow_it_until_the_person_speaks_here(cast: Cast) -> None:
    peer = city(cast, persons=True)
    taken(peer, _of_person(1, statement=WORDS))
    record = CreditRecord.objects.get()
    assert record.statement == WORDS
    taken(peer, _of_person(2, kind="corrected", statement=""))
    assert CreditRecord.objects.get().statement is None, "taken back there"
    taken(peer, _of_person(3, kind="corrected", statement=WORDS))
    write_statement(record=record, subject=record.subject, text="这里另有说明。")
    taken(peer, _of_person(4, kind="corrected", statement=""))
    assert CreditRecord.objects.get().statement == "这里另有说明。"
    taken(peer, _of_person(5, kind="corrected"))
    assert CreditRecord.objects.get().statement == "这里另有说明。", "a platform that knows no statements says nothing"
