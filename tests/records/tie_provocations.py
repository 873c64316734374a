"""Acts that offend the constraints of ties, cross-checks and missing records, past every form."""

import datetime
from typing import Any

from django.utils import timezone

from creditplatform.core.models import Agency
from records.models import CrossCheck, KeyGroup, MissingRecord
from tests.records.provocations import provokes
from tests.records.world import World

DUE = datetime.date(2026, 4, 1)


def cross_check(w: World, **values: Any) -> CrossCheck:
    """Two units that differ about a person."""
    words = {
        "subject": w.person, "kind": "name", "holder": w.market, "sender": Agency.objects.get(code="gs-market"),
        "feed": w.record.batch.feed, "record": w.record, "row": None, **values,
    }  # fmt: skip
    if words["kind"] == "name" and "row" not in values:
        words["row"] = w.row(row_digest=bytes([CrossCheck.objects.count()]) * 16)
    return CrossCheck.objects.create(**words)


def missing(w: World, **values: Any) -> MissingRecord:
    """A record that its list has lost."""
    words = {"record": w.record, "feed": w.record.batch.feed, "batch": w.record.batch, **values}
    return MissingRecord.objects.create(**words)


@provokes("affiliation_once_per_record")
def _(w: World) -> None:
    w.affiliation(record=w.record)
    w.affiliation(record=w.record, role="student")


@provokes("key_group_once_per_record")
def _(w: World) -> None:
    w.key_group(record=w.record)
    w.key_group(record=w.record, group=KeyGroup.objects.order_by("-pk")[0])


@provokes("cross_check_two_units")
def _(w: World) -> None:
    cross_check(w, sender=w.market)


@provokes("cross_check_once")
def _(w: World) -> None:
    cross_check(w)
    cross_check(w)


@provokes("cross_check_names_both")
def _(w: World) -> None:
    cross_check(w, kind="licence")


@provokes("cross_check_ended_is_dated")
def _(w: World) -> None:
    cross_check(w, ended_at=timezone.now())


@provokes("cross_check_ends_with_finding")
def _(w: World) -> None:
    cross_check(w, finding="both_right")


@provokes("cross_check_asked_has_clock")
def _(w: World) -> None:
    cross_check(w, state="asked")


@provokes("missing_record_once")
def _(w: World) -> None:
    missing(w)
    missing(w)


@provokes("missing_record_decided_is_dated")
def _(w: World) -> None:
    missing(w, decided_at=timezone.now())


@provokes("missing_record_decided_by_somebody")
def _(w: World) -> None:
    missing(w, state="kept", decided_at=timezone.now())
