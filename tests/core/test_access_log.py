"""The ledger of disclosures: only added to, sealed in a chain, and every tampering found."""
# ruff: noqa: S608 (names of tables and columns come from our own models)

import datetime
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from creditplatform.core.audit import seal
from creditplatform.core.audit.access import record_disclosure, record_disclosures
from creditplatform.core.enums import AccessResult, Authority, Door
from creditplatform.core.models import AccessLog, AccessSeal
from creditplatform.core.tasks import prepare_log_partitions
from tests.deliveries import quick_passwords  # noqa: F401

# Rows of a test bear times after its transaction began, so "settled" has to lie ahead of it.
NOW = datetime.timedelta(days=-2)


def look(subject: int = 1, **values: Any) -> AccessLog:
    """One disclosure."""
    words = {"purpose": "test", "authority": Authority.SELF, "fields": ["name"], **values}
    return record_disclosure(subject_ref=subject, actor=None, **words)


def looks(count: int) -> list[int]:
    """Keys of that many disclosures, written in one statement."""
    rows = [
        AccessLog(
            subject_ref=n, purpose="test", authority=Authority.SELF, door=Door.WEB, result=AccessResult.SHOWN,
            fields=["name"],
        )
        for n in range(count)
    ]  # fmt: skip
    record_disclosures(rows)
    return sorted(AccessLog.objects.values_list("pk", flat=True))[-count:]


def findings(settled: datetime.timedelta = NOW) -> list[tuple[str, int]]:
    """What the verification finds; rows count as settled at once."""
    return [(found.code, found.number) for found in seal.verify_access_log(settled)]


def run(statement: str, *parameters: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.rowcount


def tamper(statement: str, *parameters: Any) -> None:
    """Change the ledger as its owner can, with the triggers switched off meanwhile."""
    for table in ("core_accesslog", "core_accessseal"):
        run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    changed = run(statement, *parameters)
    for table in ("core_accesslog", "core_accessseal"):
        run(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    assert changed > 0, "nothing was tampered with"


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of three rows."""
    monkeypatch.setattr(seal, "BLOCK", 3)


@pytest.fixture
def sealed(db: None, small_blocks: None) -> list[int]:
    """Eight rows in three blocks."""
    ids = looks(8)
    assert seal.seal_access_log() == 8
    return ids


# --- appending and sealing ---------------------------------------------------------------------------


def test_a_disclosure_says_who_looked_at_what_and_why(cast: Any) -> None:
    row = record_disclosure(
        subject_ref=7, actor=cast.clerk, agency=cast.clerk.memberships_in_force[0].agency, purpose="case",
        authority=Authority.STATUTE, reference="law 7", case_number="N-1", fields=["number", "name", "name"],
        door=Door.API,
    )  # fmt: skip
    kept = AccessLog.objects.get(pk=row.pk)
    assert (kept.actor, kept.agency.code, kept.reference) == (cast.clerk, "hz-market", "law 7")
    assert kept.fields == ["name", "number"]
    assert abs(timezone.now() - kept.at) < datetime.timedelta(minutes=10)


@pytest.mark.parametrize("wrong", [{"purpose": ""}, {"authority": Authority.CONSENT}, {"authority": Authority.STATUTE}])
def test_a_disclosure_without_purpose_or_receipt_is_refused(db: None, wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        look(**wrong)


def test_sealing_chains_rows_in_blocks(sealed: list[int]) -> None:
    blocks = list(AccessSeal.objects.order_by("number"))
    assert [block.number for block in blocks] == [1, 2, 3]
    assert [row for block in blocks for row in block.row_ids] == sealed
    assert [len(block.row_ids) for block in blocks] == [3, 3, 2]
    assert bytes(blocks[0].previous) == seal.GENESIS
    assert [bytes(block.previous) for block in blocks[1:]] == [bytes(block.digest) for block in blocks[:-1]]
    assert findings() == []


def test_sealing_again_takes_nothing(sealed: list[int]) -> None:
    assert seal.seal_access_log() == 0
    assert AccessSeal.objects.count() == 3


def test_rows_appended_later_are_sealed_later(sealed: list[int]) -> None:
    later = looks(2)
    assert seal.seal_access_log() == 2
    assert AccessSeal.objects.get(number=4).row_ids == later
    assert findings() == []


def test_a_row_with_a_smaller_key_that_commits_later_is_still_sealed(sealed: list[int]) -> None:
    """Keys are given before the commit, so a slow transaction shows up behind the sealer's back."""
    run(
        "INSERT INTO core_accesslog (id, at, door, purpose, authority, reference, case_number, subject_ref, fields,"
        " result) VALUES (-5, now() - interval '5 hours', 'web', 'slow', 'self', '', '', 1, '{}', 'shown')"
    )
    assert seal.seal_access_log() == 1
    assert AccessSeal.objects.get(number=4).row_ids == [-5]
    assert findings() == []


def test_a_row_nobody_sealed_is_found_once_it_is_settled(sealed: list[int]) -> None:
    (stray,) = looks(1)
    assert findings() == [("row_not_sealed", stray)]
    assert findings(datetime.timedelta(minutes=10)) == []


def test_an_empty_ledger_holds(db: None) -> None:
    assert seal.seal_access_log() == 0
    assert findings() == []


# --- tampering -----------------------------------------------------------------------------------------

CHANGES = {
    "purpose": "'other'", "authority": "'publication'", "reference": "'x'", "case_number": "'x'", "subject_ref": "99",
    "fields": "'{phone}'", "result": "'refused'", "door": "'api'", "actor_id": "5", "agency_id": "5",
    "at": "at + interval '1 microsecond'",
}  # fmt: skip


def test_every_column_of_the_ledger_is_tried() -> None:
    assert {field.column for field in AccessLog._meta.fields} - {"id"} == set(CHANGES)


@pytest.mark.parametrize("column", CHANGES)
def test_a_changed_row_is_found(sealed: list[int], column: str) -> None:
    tamper(f"UPDATE core_accesslog SET {column} = {CHANGES[column]} WHERE id = %s", sealed[4])
    assert [code for code, _number in findings()] in (["digest_differs"], ["row_missing"])


def test_a_removed_row_is_found(sealed: list[int]) -> None:
    tamper("DELETE FROM core_accesslog WHERE id = %s", sealed[4])
    assert findings() == [("row_missing", sealed[4])]


def test_a_removed_last_row_is_found(sealed: list[int]) -> None:
    tamper("DELETE FROM core_accesslog WHERE id = %s", sealed[-1])
    assert findings() == [("row_missing", sealed[-1])]


INSERT = (
    "INSERT INTO core_accesslog (id, at, door, purpose, authority, reference, case_number, subject_ref, fields, result)"
    " SELECT %s, at + make_interval(days => %s), 'web', 'forged', 'self', '', '', 1, '{}', 'shown'"
    " FROM core_accesslog WHERE id = %s"
)


def test_an_added_row_is_found(sealed: list[int]) -> None:
    tamper(INSERT, 10**9, 0, sealed[4])
    assert findings() == [("row_not_sealed", 10**9)]


@pytest.mark.parametrize("days", [-40, -1, 1])
def test_an_added_row_that_borrows_the_key_of_a_sealed_one_is_found(sealed: list[int], days: int) -> None:
    """The key of a partitioned table is id and time, so one id may stand there twice; adding needs no tampering."""
    run(INSERT, sealed[4], days, sealed[4])
    assert findings() != []


def test_two_rows_that_changed_places_are_found(sealed: list[int]) -> None:
    tamper(
        "UPDATE core_accesslog SET subject_ref = CASE id WHEN %s THEN 1 ELSE 0 END WHERE id IN (%s, %s)",
        sealed[0], sealed[0], sealed[1],
    )  # fmt: skip
    assert findings() == [("digest_differs", 1)]


def test_a_row_moved_to_another_block_is_found(sealed: list[int]) -> None:
    tamper(
        "UPDATE core_accessseal SET row_ids = CASE number WHEN 1 THEN row_ids[1:2] ELSE %s || row_ids END"
        " WHERE number IN (1, 2)",
        sealed[2],
    )
    assert {code for code, _number in findings()} == {"digest_differs"}


@pytest.mark.parametrize("number", [1, 2])
def test_a_removed_block_breaks_the_chain(sealed: list[int], number: int) -> None:
    tamper("DELETE FROM core_accessseal WHERE number = %s", number)
    assert ("chain_broken", number + 1) in findings()


def test_a_removed_last_block_leaves_rows_without_a_seal(sealed: list[int]) -> None:
    tamper("DELETE FROM core_accessseal WHERE number = 3")
    assert findings() == [("row_not_sealed", sealed[6]), ("row_not_sealed", sealed[7])]


def test_a_block_sealed_anew_after_a_change_breaks_the_chain(sealed: list[int]) -> None:
    """Whoever changes a row and computes its block again would have to do so with every block that follows."""
    tamper("UPDATE core_accesslog SET purpose = 'other' WHERE id = %s", sealed[0])
    block = AccessSeal.objects.get(number=1)
    forged = seal._digest(bytes(block.previous), seal._rows(block.row_ids))
    tamper("UPDATE core_accessseal SET digest = %s WHERE number = 1", forged)
    assert findings() == [("chain_broken", 2)]


def test_the_command_names_what_it_finds_and_fails(sealed: list[int]) -> None:
    out = StringIO()
    call_command("verify_audit", settled_minutes=0, stdout=out)
    assert "3 blocks" in out.getvalue()
    tamper("DELETE FROM core_accesslog WHERE id = %s", sealed[4])
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_audit", settled_minutes=0, stdout=out)
    assert f"row_missing: {sealed[4]}" in out.getvalue()


# --- several sealers at once -------------------------------------------------------------------------


@pytest.fixture
def real(transactional_db: None, small_blocks: None) -> Iterator[None]:
    """Commits for real."""
    yield


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Run acts in threads with connections of their own, all starting together."""
    barrier, results = threading.Barrier(len(acts)), []

    def work(act: Callable[[], object]) -> None:
        try:
            barrier.wait(10)
            results.append(act())
        except DatabaseError as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_sealers_at_the_same_time_double_nothing(real: None) -> None:
    ids = looks(30)
    results = at_once(*[seal.seal_access_log] * 4)
    assert all(isinstance(result, int) for result in results), results
    seal.seal_access_log()
    taken = [row for block in AccessSeal.objects.order_by("number") for row in block.row_ids]
    assert taken == ids
    assert findings() == []


def test_rows_appended_while_sealing_are_sealed_in_the_end(real: None) -> None:
    def append() -> None:
        for _ in range(20):
            look()

    looks(20)
    at_once(append, seal.seal_access_log, append, seal.seal_access_log)
    seal.seal_access_log()
    taken = [row for block in AccessSeal.objects.all() for row in block.row_ids]
    assert sorted(taken) == sorted(AccessLog.objects.values_list("pk", flat=True))
    assert len(taken) == 60
    assert findings() == []


def test_an_uncommitted_row_is_not_sealed_and_taken_once_it_is_there(real: None) -> None:
    written, release = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            look(77)
            written.set()
            release.wait(10)

    def sealing() -> None:
        written.wait(10)
        look(78)
        seal.seal_access_log()
        release.set()

    at_once(slow, sealing)
    assert AccessSeal.objects.count() == 1
    assert seal.seal_access_log() == 1
    assert findings() == []


# --- partitions --------------------------------------------------------------------------------------


def partitions() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind = 'r'"
        )
        return {row[0] for row in cursor.fetchall()}


def test_rows_lie_in_the_partition_of_their_month(db: None) -> None:
    row = look()
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM core_accesslog WHERE id = %s", [row.pk])
        assert cursor.fetchone()[0] == f"core_accesslog_{timezone.now():%Y%m}"


def test_partitions_of_the_coming_months_are_made_once(db: None) -> None:
    before = partitions()
    prepare_log_partitions()
    assert partitions() == before
    run("SELECT credit_prepare_partitions(6)")
    made = Counter(name[:-7] for name in partitions() - before)
    assert made == {"core_accesslog": 3, "records_creditrecordevent": 3, "records_subjectevent": 3}
    with pytest.raises(DatabaseError), transaction.atomic():
        run("SELECT credit_prepare_partitions(1000)")


def test_a_row_outside_every_month_is_kept_all_the_same(db: None) -> None:
    run(
        "INSERT INTO core_accesslog (at, door, purpose, authority, reference, case_number, subject_ref, fields, result)"
        " VALUES ('2001-01-01', 'web', 'old', 'self', '', '', 1, '{}', 'shown')"
    )
    assert AccessLog.objects.filter(purpose="old").count() == 1


def test_a_month_whose_rows_lie_in_the_default_partition_can_still_be_prepared(db: None) -> None:
    """After a pause of the timer rows of a new month fall into the default partition; the timer must catch up."""
    run(
        "INSERT INTO core_accesslog (at, door, purpose, authority, reference, case_number, subject_ref, fields, result)"
        " VALUES (date_trunc('month', now()) + interval '5 months', 'web', 'early', 'self', '', '', 1, '{}', 'shown')"
    )
    run("SELECT credit_prepare_partitions(6)")
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM core_accesslog WHERE purpose = 'early'")
        assert cursor.fetchone()[0] != "core_accesslog_other"
