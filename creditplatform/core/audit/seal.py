"""Chain the access log in blocks, and prove that nothing was added, changed or removed."""

import datetime
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography.hazmat.primitives import hashes
from django.db import connection, transaction

from creditplatform.core.models import AccessLog, AccessSeal

BLOCK = 1000
GENESIS = bytes(32)
LOCK = 0x43524544  # advisory lock of the one sealer
COLUMNS = (
    "id", "at", "actor_id", "agency_id", "door", "purpose", "authority",
    "reference", "case_number", "subject_ref", "fields", "result",
)  # fmt: skip
# A row's timestamp is its transaction's start; none of ours runs longer than this.
SLACK = datetime.timedelta(hours=6)


@dataclass(frozen=True)
class Finding:
    """Something in the ledger that does not hold: the block, or the row, and a stable code."""

    code: str  # digest_differs | chain_broken | row_missing | row_doubled | row_not_sealed
    number: int


def _digest(previous: bytes, rows: Sequence[Sequence[Any]]) -> bytes:
    """SM3 over the digest of the block before and the canonical text of each row."""
    state = hashes.Hash(hashes.SM3())
    state.update(previous)
    for row in rows:
        state.update(msgspec.json.encode([str(value) if isinstance(value, int) else value for value in row]))
        state.update(b"\n")
    return state.finalize()


def _rows(ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """The rows of a block in the order of their keys, in whatever month they stand: a number is used once."""
    return list(AccessLog.objects.filter(pk__in=ids).order_by("pk", "at").values_list(*COLUMNS))


def seal_access_log() -> int:
    """Seal what was not sealed yet; returns the number of rows. One sealer at a time, others leave at once."""
    sealed = 0
    while taken := _seal_one_block():
        sealed += taken
    return sealed


@transaction.atomic
def _seal_one_block() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        last = AccessSeal.objects.order_by("-number").first()
        cursor.execute(_UNSEALED, {"since": last.sealed_at - SLACK if last else None, "limit": BLOCK})
        ids = [row[0] for row in cursor.fetchall()]
    if not ids:
        return 0
    stamps = AccessLog.objects.filter(pk__in=ids).order_by("at").values_list("at", flat=True)
    first_at, last_at = stamps[0], stamps[len(ids) - 1]
    previous = bytes(last.digest) if last else GENESIS
    AccessSeal.objects.create(
        number=last.number + 1 if last else 1,
        row_ids=ids,
        first_at=first_at,
        last_at=last_at,
        previous=previous,
        digest=_digest(previous, _rows(ids)),
    )
    return len(ids)


_UNSEALED = """
SELECT l.id FROM core_accesslog l
LEFT JOIN (
    SELECT unnest(s.row_ids) AS id FROM core_accessseal s
    WHERE %(since)s::timestamptz IS NULL OR s.sealed_at >= %(since)s::timestamptz - interval '6 hours'
) done ON done.id = l.id
WHERE done.id IS NULL AND (%(since)s::timestamptz IS NULL OR l.at >= %(since)s::timestamptz)
ORDER BY l.id LIMIT %(limit)s
"""


def verify_access_log(settled: datetime.timedelta = datetime.timedelta(minutes=10)) -> Iterator[Finding]:
    """Recompute every block, then look for rows older than `settled` that no block holds."""
    previous = GENESIS
    for seal in AccessSeal.objects.order_by("number").iterator(chunk_size=100):
        rows = _rows(seal.row_ids)
        numbers = [row[0] for row in rows]
        if bytes(seal.previous) != previous:
            yield Finding("chain_broken", seal.number)
        missing, doubled = set(seal.row_ids) - set(numbers), {n for n, count in Counter(numbers).items() if count > 1}
        yield from (Finding("row_missing", row_id) for row_id in sorted(missing))
        yield from (Finding("row_doubled", row_id) for row_id in sorted(doubled))
        if not missing and not doubled and _digest(bytes(seal.previous), rows) != bytes(seal.digest):
            yield Finding("digest_differs", seal.number)
        previous = bytes(seal.digest)
    yield from (Finding("row_not_sealed", row_id) for row_id in _strays(settled))


def _strays(settled: datetime.timedelta) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.id FROM core_accesslog l"
            " LEFT JOIN (SELECT unnest(row_ids) AS id FROM core_accessseal) sealed ON sealed.id = l.id"
            " WHERE l.at < now() - make_interval(secs => %s) AND sealed.id IS NULL ORDER BY l.id LIMIT 1000",
            [settled.total_seconds()],
        )
        return [row[0] for row in cursor.fetchall()]
