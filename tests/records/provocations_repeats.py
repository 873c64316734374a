"""Acts that offend the constraints of rows that repeat a row set aside."""

from records.models import RepeatedRow
from tests.records.provocations import provokes
from tests.records.world import World


@provokes("repeated_row_once")
def _(w: World) -> None:
    row = w.row()
    for _attempt in range(2):
        RepeatedRow.objects.create(batch=row.batch, row=row, row_number=2, line_number=3)
