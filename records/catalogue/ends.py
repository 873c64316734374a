"""When a version would have ended that was cut short for another: read from the rows that history keeps."""

import datetime
from contextlib import AbstractContextManager
from typing import Any

from creditplatform.core import audit
from records.enums import VersionState
from records.models import EntryVersion


def cutting_short_for(version: EntryVersion) -> AbstractContextManager[Any]:
    """The context of ending versions earlier because this one begins: history then names it with their former end."""
    return audit.context(actor=None, door=audit.current()["door"], reason=_mark(version))


def cut_short_for(former: EntryVersion, version: EntryVersion) -> Any | None:
    """The row of a version as it was before it was cut short for another; None if it was not."""
    return _rows_of(former).filter(pgh_context__reason=_mark(version)).last()


def end_before(cut: Any) -> datetime.date | None:
    """The end in such a row. Where a version set it that has been called off since, the end before that one."""
    end: datetime.date | None = cut.valid_until
    while end is not None:
        called_off = EntryVersion.objects.filter(entry=cut.entry_id, state=VersionState.WITHDRAWN, valid_from=end)
        marks = [_mark(version) for version in called_off]
        cut = _rows_of(cut.pgh_obj).filter(pgh_id__lt=cut.pgh_id, pgh_context__reason__in=marks).last()
        if cut is None:
            return end
        end = cut.valid_until
    return None


def _rows_of(version: EntryVersion) -> Any:
    tracked: Any = EntryVersion
    return tracked.pgh_event_model.objects.filter(pgh_obj_id=version.pk).order_by("pgh_id")


def _mark(version: EntryVersion) -> str:
    return f"cut short: version {version.pk} begins"
