"""Tell the persons concerned what became of their records; everybody else is told by the exchange."""

import datetime
from functools import partial
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from creditplatform.core import outbox, wording
from creditplatform.core.models import Agency
from creditplatform.core.notices import write_notices
from records.enums import SubjectKind
from records.models import CatalogueEntry, CreditRecord
from records.selectors import ABOUT_RECORD

WORDS: dict[str, Promise] = {
    "expired": _("The publication period of a record of %(agency)s has ended (%(entry)s, %(day)s)."),
    "withdrawn": _("%(agency)s has withdrawn a record about you (%(entry)s, %(day)s). It is no longer shown or used."),
    "reinstated": _(
        "%(agency)s has said that a record about you stands again (%(entry)s, %(day)s). Please look at it."
    ),
    "corrected": _(
        "%(agency)s has corrected a record about you (%(entry)s, %(day)s). Please look whether it is right now."
    ),
    "received": _(
        "%(agency)s has put a record about you on file (%(entry)s, %(day)s). Please look at it: it says who decided on"
        " what basis, who sees it until when, and what you can do. You may add a statement of your own."
    ),
}
RECEIVED, CORRECTED = "received", "corrected"
# News of records by which persons are told; what has come in is told with the record itself, see `records.feeds.told`.
TOPICS = {f"records.{code}": code for code in WORDS if code != RECEIVED}


def subscribe() -> None:
    """Listen to the news of records; called once when the app is ready."""
    for topic, code in TOPICS.items():
        outbox.subscribe(topic, "records.telling", partial(tell, code))


def tell(code: str, payload: dict[str, Any]) -> None:
    """Write a notice to every person whose record the news is about, once per record and piece of news."""
    records = CreditRecord.objects.filter(pk__in=payload["records"], subject_kind=SubjectKind.PERSON)
    stamp = payload.get("on") or payload.get("stamp", "")
    write_notices(
        code=code,
        messages=[
            (
                bytes(record.subject.number_index),
                f"{ABOUT_RECORD}{record.token}:{stamp}",
                *letter(code, record.agency, record.entry, record.decided_on),
            )
            for record in records.select_related("subject", "agency", "entry")
        ],
    )


def letter(code: str, agency: Agency, entry: CatalogueEntry, day: datetime.date) -> tuple[str, str]:
    """What a notice of this kind says of a decision, in Chinese and in English; it names no person."""
    return wording.in_both(partial(_text, code, agency, entry, day))


def _text(code: str, agency: Agency, entry: CatalogueEntry, day: datetime.date) -> str:
    return str(WORDS[code] % {"agency": agency.label, "entry": entry.label, "day": day.isoformat()})
