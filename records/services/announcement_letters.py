"""Letters about announcements, and the proof of their delivery.

They go to the index of the number, so that somebody without an account finds them when binding one. None holds a name,
what is intended in the words of the unit, or what the person replied.
"""

import datetime
from collections.abc import Callable
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from creditplatform.core.models import Notice
from creditplatform.core.notices import write_notice
from creditplatform.core.wording import in_both
from records.enums import PriorNoticeState
from records.models import LegalBasis, PriorNotice, Subject

ABOUT_ANNOUNCEMENT = "announcement:"
ANNOUNCED_CODE, ENDED_CODE = "prior_notice", "prior_notice_ended"
ANNOUNCED = _(
    "%(agency)s intends to put an unfavourable record about you on file (%(entry)s), on the basis of %(basis)s. Nothing"
    " is on file or shown yet. You may read what is intended and reply until %(day)s."
)
ENDED: dict[str, Promise] = {
    PriorNoticeState.WITHDRAWN: _("%(agency)s does not pursue the record it had announced to you (%(entry)s)."),
    PriorNoticeState.LAPSED: _(
        "The record that %(agency)s had announced to you (%(entry)s) has not come. The announcement has ended."
    ),
}


class Delivery(NamedTuple):
    """When a letter was written, shown to the person and read; the proof of its delivery, and nothing of its text."""

    written_at: datetime.datetime
    shown_at: datetime.datetime | None
    read_at: datetime.datetime | None


def tell_announced(case: PriorNotice, basis: LegalBasis) -> None:
    """Tell the person who intends what on which basis, and until when to reply."""
    _tell(case, ANNOUNCED_CODE, lambda: str(ANNOUNCED) % {**_named(case), "basis": basis.citation})


def tell_ended(case: PriorNotice) -> None:
    """Tell the person that nothing comes of an announcement they were told of."""
    _tell(case, ENDED_CODE, lambda: str(ENDED[case.state]) % _named(case))


def deliveries(cases: list[PriorNotice]) -> dict[int, Delivery]:
    """The letter of each announcement by its key, without those of which none was written; one query."""
    keys = {about(case): case for case in cases}
    letters = Notice.objects.filter(
        addressee__in=[bytes(case.number_index) for case in cases], code=ANNOUNCED_CODE, subject_key__in=keys
    )
    rows = letters.values_list("addressee", "subject_key", "created_at", "delivered_at", "read_at")
    return {
        keys[key].pk: Delivery(written, shown, read)
        for addressee, key, written, shown, read in rows
        if addressee == keys[key].number_index
    }


def about(case: PriorNotice) -> str:
    """Under what the letters of an announcement are found."""
    return f"{ABOUT_ANNOUNCEMENT}{case.number}"


def _named(case: PriorNotice) -> dict[str, str]:
    return {"agency": case.agency.label, "entry": case.entry.label, "day": case.reply_until.isoformat()}


def _tell(case: PriorNotice, code: str, say: Callable[[], str]) -> None:
    """Not somebody on file under another name, since it is not them that is meant."""
    if Subject.objects.by_number(case.number_index).exclude(name_index=case.name_index).exists():
        return
    text, text_en = in_both(say)
    write_notice(addressee=bytes(case.number_index), code=code, text=text, text_en=text_en, about=about(case))
