"""History keeps what was replaced, with who and why; history and ledgers cannot be rewritten."""
# ruff: noqa: S608 (names of tables and columns come from our own models)

from typing import Any

import pytest
from django.db import DatabaseError, transaction

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.models import (
    AccessLog,
    AccessSeal,
    Agency,
    OutboxEvent,
    Receipt,
    StepEvent,
    User,
)
from records.models import (
    ChangeEvent,
    CreditRecord,
    ExchangePeer,
    LegalBasis,
    PeerDelivery,
    RealNameBinding,
    ReceivedBlock,
)
from tests.cast import PERSON_NUMBER, STRANGER_NUMBER, Cast, citizen, person_subject
from tests.core.tracked import (
    AUDITED,
    CHANGES,
    HISTORY,
    LEDGERS,
    Model,
    events_of,
    history_of,
    key_of_a_row,
    label,
    make_rows,
    refused,
    sql,
    taken_back,
)
from tests.deliveries import (
    ingest,
    one_record,
    penalty,
    quick_passwords,  # noqa: F401
)


@pytest.fixture
def rows(cast: Cast) -> None:
    make_rows(cast)


def test_history_keeps_the_replaced_row_with_who_and_why(rows: None, subtests: pytest.Subtests, cast: Cast) -> None:
    for model in AUDITED:
        with subtests.test(model=label(model)):
            _history_keeps_the_replaced_row_with_who_and_why(model, cast)


def _history_keeps_the_replaced_row_with_who_and_why(model: Model, cast: Cast) -> None:
    key, (column, expression) = key_of_a_row(model), CHANGES[label(model)]
    table, pk = model._meta.db_table, model._meta.pk.column  # type: ignore[union-attr]
    before = sql(f"SELECT {column} FROM {table} WHERE {pk} = %s", key)[0][0]
    known = len(events_of(model, key))
    with audit.context(actor=cast.officer, door=Door.ADMIN, reason="raw change", authority="letter 7"):
        sql(f"UPDATE {table} SET {column} = {expression} WHERE {pk} = %s", key)
    after = sql(f"SELECT {column} FROM {table} WHERE {pk} = %s", key)[0][0]
    assert after != before, "the change of this table in CHANGES changes nothing"
    *_older, event = events_of(model, key)
    assert len(events_of(model, key)) == known + 1
    assert event[column] == before
    assert event["pgh_label"] == "update"
    assert event["pgh_context"] == {
        "actor": cast.officer.pk, "door": "admin", "reason": "raw change", "authority": "letter 7",
    }  # fmt: skip


def test_history_keeps_a_deleted_row(rows: None, subtests: pytest.Subtests) -> None:
    for model in AUDITED:
        with subtests.test(model=label(model)):
            _history_keeps_a_deleted_row(model)


def _history_keeps_a_deleted_row(model: Model) -> None:
    key = key_of_a_row(model)
    table, pk = model._meta.db_table, model._meta.pk.column  # type: ignore[union-attr]
    with taken_back(), audit.context(actor=None, door=Door.COMMAND, reason="removal"):
        sql(f"DELETE FROM {table} WHERE {pk} = %s", key)
        *_older, event = events_of(model, key)
        assert (event["pgh_label"], event["pgh_context"]["reason"]) == ("delete", "removal")


def test_history_survives_a_change_of_the_key(rows: None, subtests: pytest.Subtests) -> None:
    for model in AUDITED:
        with subtests.test(model=label(model)):
            _history_survives_a_change_of_the_key(model)


def _history_survives_a_change_of_the_key(model: Model) -> None:
    """A row that gets another key was replaced as well; moving it away must not lose its trace."""
    key = key_of_a_row(model)
    table, field = model._meta.db_table, model._meta.pk
    assert field
    moved = {"DateField": "+ 20000", "CharField": "|| 'x'", "SlugField": "|| 'x'"}.get(
        field.get_internal_type(), "+ 1000000"
    )
    known = len(events_of(model, key))
    with taken_back(), audit.context(actor=None, door=Door.COMMAND, reason="moved"):
        try:
            with transaction.atomic():
                sql(f"UPDATE {table} SET {field.column} = {field.column} {moved} WHERE {field.column} = %s", key)
        except DatabaseError:
            return  # a key that cannot be changed is the better answer
        assert len(events_of(model, key)) == known + 1, "the old row is in no history"


def test_history_of_every_road_of_the_orm(context: None) -> None:
    one, two = LegalBasis.objects.order_by("code")[:2]
    old = one.issuer, two.issuer
    one.issuer = "saved"
    one.save()
    LegalBasis.objects.filter(pk__in=[one.pk, two.pk]).update(issuer="updated")
    one.issuer = two.issuer = "bulk"
    LegalBasis.objects.bulk_update([one, two], ["issuer"])
    LegalBasis.objects.bulk_create(
        [LegalBasis(code=two.pk, title="t", title_en="t", level="law", issuer="upserted")],
        update_conflicts=True, unique_fields=["code"], update_fields=["issuer"],
    )  # fmt: skip
    assert [e["issuer"] for e in events_of(LegalBasis, one.pk)] == [old[0], "saved", "updated"]
    assert [e["issuer"] for e in events_of(LegalBasis, two.pk)] == [old[1], "updated", "bulk"]


def test_a_feed_that_corrects_a_record_leaves_the_old_content_with_its_batch_and_sender(cast: Cast) -> None:
    record = one_record()
    batch = ingest(penalty(1, CF_NR="罚款二万元", CF_NR_FK="2"), user=cast.clerk)
    (event,) = events_of(CreditRecord, record.pk)
    assert batch.accepted == 1
    assert event["payload"]["CF_NR"] == "罚款一万元"
    assert event["pgh_context"]["actor"] == cast.clerk.pk
    assert event["pgh_context"]["reason"] == f"feed batch {batch.pk}"
    assert event["pgh_context"]["agency"] == record.agency_id


def test_an_insert_leaves_no_history_row(context: None) -> None:
    record = one_record()
    assert events_of(CreditRecord, record.pk) == []


def test_passwords_are_in_no_history(cast: Cast) -> None:
    hashes = []
    for word in ("first-long-word", "second-long-word", "third-long-word"):
        cast.clerk.set_password(word)
        cast.clerk.display_name = word
        cast.clerk.save()
        hashes.append(cast.clerk.password)
    text = "".join(str(row) for row in sql("SELECT e::text FROM core_userevent e"))
    assert len(events_of(User, cast.clerk.pk)) == 3
    assert [found for found in hashes if found in text] == []


def test_no_history_table_has_a_column_for_a_password() -> None:
    secret = {
        f"{label(model)}.{field.name}"
        for model in HISTORY
        for field in model._meta.get_fields()
        if any(word in field.name for word in ("password", "secret_key", "passwd"))
    }
    assert secret == set()


def test_personal_values_in_history_stay_sealed(cast: Cast) -> None:
    subject = person_subject("110101199003074514", "王示例")
    subject.name_sealed = "王改名"
    subject.save()
    raw = str(sql("SELECT e::text FROM records_subjectevent e"))
    (event,) = events_of(type(subject), subject.pk)
    assert event["name_sealed"] == "王示例"
    assert "王示例" not in raw
    assert "110101199003074514" not in raw


# --- history and ledgers cannot be rewritten ------------------------------------------------------


def _make_ledger_rows(cast: Cast) -> None:
    AccessLog.objects.create(
        door=Door.WEB, purpose="test", authority="self", subject_ref=1, fields=["name"], result="shown"
    )
    AccessSeal.objects.create(
        number=1, row_ids=[1], previous=b"0" * 32, digest=b"1" * 32,
        first_at=cast.clerk.joined_at, last_at=cast.clerk.joined_at,
    )  # fmt: skip
    Receipt.objects.create(event=OutboxEvent.objects.create(topic="t"), consumer="c")
    StepEvent.objects.create(workflow="w", case_ref=1, step="s", from_state="a", to_state="b")
    ChangeEvent.objects.create(first=1, last=1, kind="added", record_ids=[1], at=cast.clerk.joined_at)
    peer = ExchangePeer.objects.create(
        code="x", name="x", name_en="x", kind="city", agency=Agency.objects.get(code="hz-market")
    )
    PeerDelivery.objects.create(peer=peer, after=0, upto=1, door=Door.API)
    ReceivedBlock.objects.create(peer=peer, key="k", answer={})


PARTITIONS = (
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind = 'r' ORDER BY 1"
)


def _snapshot(table: str) -> list[tuple[Any, ...]]:
    return sql(f"SELECT t::text FROM {table} t ORDER BY 1")


def _attempt(statement: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        sql(statement)


def test_a_ledger_is_only_added_to(cast: Cast, subtests: pytest.Subtests) -> None:
    _make_ledger_rows(cast)
    for model in LEDGERS:
        with subtests.test(model=label(model)):
            _cannot_be_rewritten(model._meta.db_table, model._meta.pk.column)  # type: ignore[union-attr]


def test_history_is_only_added_to(rows: None, subtests: pytest.Subtests) -> None:
    for model in AUDITED:
        with subtests.test(model=label(model)):
            _history_is_only_added_to(model)


def _history_is_only_added_to(model: Model) -> None:
    key, (column, expression) = key_of_a_row(model), CHANGES[label(model)]
    table, pk = model._meta.db_table, model._meta.pk.column  # type: ignore[union-attr]
    sql(f"UPDATE {table} SET {column} = {expression} WHERE {pk} = %s", key)
    history = history_of(model)
    assert history
    _cannot_be_rewritten(history._meta.db_table, "pgh_id")


def _cannot_be_rewritten(table: str, column: str) -> None:
    before = _snapshot(table)
    assert before, "without a row nothing would be proven"
    _attempt(f"UPDATE {table} SET {column} = {column}")
    _attempt(f"DELETE FROM {table}")
    assert _snapshot(table) == before


def test_history_and_ledgers_refuse_truncate(db: None, subtests: pytest.Subtests) -> None:
    for model in [*LEDGERS, *HISTORY]:
        with subtests.test(model=label(model)):
            _history_and_ledgers_refuse_truncate(model)


def _history_and_ledgers_refuse_truncate(model: Model) -> None:
    with taken_back():
        sql("SET LOCAL credit.allow_truncate = 'off'")
        with refused("CR002", "P0001"):
            sql(f"TRUNCATE {model._meta.db_table} CASCADE")


def test_partitions_of_the_access_log_are_only_added_to(cast: Cast) -> None:
    _make_ledger_rows(cast)
    partitions = [row[0] for row in sql(PARTITIONS)]
    assert len(partitions) >= 5
    sql("SET LOCAL credit.allow_truncate = 'off'")
    for partition in partitions:
        with refused("CR002"):
            sql(f"TRUNCATE {partition}")
    (filled,) = [name for name in partitions if sql(f"SELECT 1 FROM {name}")]
    _cannot_be_rewritten(filled, "id")


def test_an_upsert_is_no_way_around(cast: Cast) -> None:
    _make_ledger_rows(cast)
    with refused("CR002"):
        sql(
            "INSERT INTO core_receipt (event_id, consumer, at) SELECT event_id, consumer, now() FROM core_receipt"
            " ON CONFLICT (event_id, consumer) DO UPDATE SET at = excluded.at"
        )


def test_the_owner_cannot_switch_triggers_off_for_a_session(db: None) -> None:
    _attempt("SET LOCAL session_replication_role = 'replica'")


def test_a_person_whose_number_is_known_is_found_in_no_trace_of_the_binding(cast: Cast) -> None:
    """The trail of a binding names keys; the number itself stands only sealed."""
    bound = citizen("again", person_subject("110101199003074514", "王示例"))
    RealNameBinding.objects.filter(user=bound).update(adapter="other")
    raw = str(sql("SELECT e::text FROM records_realnamebindingevent e"))
    assert not any(number in raw for number in ("110101199003074514", PERSON_NUMBER, STRANGER_NUMBER))
