"""Acts that offend the constraints of rows set aside and of notices to units."""

from django.utils import timezone

from tests.records.provocations import provokes
from tests.records.world import World


@provokes("batch_one_rerun_per_feed")
def _(w: World) -> None:
    w.batch(rerun=True)
    w.batch(rerun=True, file_digest="1" * 64)


@provokes("quarantined_row_closed_is_dated")
def _(w: World) -> None:
    w.row(closed_at=timezone.now())


@provokes("quarantined_row_corrected_in_batch")
def _(w: World) -> None:
    w.row(state="corrected", closed_at=timezone.now())


@provokes("quarantined_row_discarded_with_reason")
def _(w: World) -> None:
    w.row(state="discarded", closed_at=timezone.now())


@provokes("unit_notice_once")
def _(w: World) -> None:
    w.unit_notice()
    w.unit_notice()


@provokes("unit_notice_read_by_somebody")
def _(w: World) -> None:
    w.unit_notice(read_at=timezone.now())
