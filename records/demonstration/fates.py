"""What became of the records after they came in: expired, repaired, revoked, disputed, commented on."""

from collections.abc import Iterable
from typing import Any

from django.db.models.functions import Now

from creditplatform.core import audit
from creditplatform.core.enums import Door
from records.demonstration.citizens import Fate
from records.demonstration.data import dice, sources
from records.demonstration.world import World
from records.enums import Polarity, RecordState, SubjectKind
from records.models import CreditRecord

REASON = "demonstration"
DISPUTE = "情况不属实，已提出异议，请有关部门核实。"
STATEMENTS = (
    "罚款已于当日缴清，并已参加学习。",
    "因搬迁未及时收到通知，现已改正。",
    "当时由员工操作，已加强内部管理。",
    "对事实无异议，愿意接受监督。",
)
FIELDS = (
    "pk", "agency__code", "entry__code", "document_number", "subject_kind", "polarity", "repairable_from",
    "publish_until", "disputed", "state",
)  # fmt: skip


def set_fates(world: World) -> dict[str, int]:
    """Set states, disputes and statements in one audited step; returns how many records each took.

    Only records that this world delivered and that are still as they came in are touched.
    """
    with audit.context(actor=None, door=Door.COMMAND, reason=REASON):
        fates = dict(_fates(world))
        by_state: dict[str, list[int]] = {}
        for pk, fate in fates.items():
            by_state.setdefault(fate.state, []).append(pk)
        for state, pks in by_state.items():
            if state != RecordState.IN_FORCE:
                CreditRecord.objects.filter(pk__in=pks).update(state=state, changed_at=Now())
        disputed = [pk for pk, fate in fates.items() if fate.disputed]
        CreditRecord.objects.filter(pk__in=disputed).update(disputed=True, changed_at=Now())
        stated = {pk: fate.statement for pk, fate in fates.items() if fate.statement}
        _add_statements(stated)
    counts = {state: len(pks) for state, pks in sorted(by_state.items()) if state != RecordState.IN_FORCE}
    return {**counts, "disputed": len(disputed), "statements": len(stated)}


def _add_statements(stated: dict[int, str]) -> None:
    records = list(CreditRecord.objects.filter(pk__in=stated).only("pk", "statement"))
    for record in records:
        record.statement = stated[record.pk]
    CreditRecord.objects.bulk_update(records, ["statement"])


def _fates(world: World) -> Iterable[tuple[int, Fate]]:
    told = {d.key: d.fate for decisions in world.decisions.values() for d in decisions if d.fate is not None}
    feeds = [source.feed for source in sources()]
    ours = CreditRecord.objects.filter(batch__feed__code__in=feeds, batch__file_name__contains=world.name)
    for row in ours.filter(state=RecordState.IN_FORCE, disputed=False).values(*FIELDS):
        key = (row["agency__code"], row["entry__code"], row["document_number"])
        fate = told[key] if key in told else _by_chance(world, key, row)
        if fate != Fate():
            yield row["pk"], fate


def _by_chance(world: World, key: tuple[str, str, str], row: dict[str, Any]) -> Fate:
    """What the dice say of one record; the law's dates come first, and nothing favourable is disputed."""
    if row["publish_until"] and row["publish_until"] <= world.anchor:
        return Fate(RecordState.EXPIRED)
    if row["polarity"] != Polarity.NEGATIVE:
        return Fate()
    rng = dice(world.seed, *key)
    throw, person = rng.random(), row["subject_kind"] == SubjectKind.PERSON
    if throw < 0.03:
        return Fate(RecordState.REVOKED)
    if throw < 0.18 and row["repairable_from"] <= world.anchor:
        return Fate(RecordState.REPAIRED)
    if throw > 0.96:
        return Fate(disputed=True, statement=DISPUTE if person else "")
    return Fate(statement=rng.choice(STATEMENTS) if person and throw > 0.9 else "")
