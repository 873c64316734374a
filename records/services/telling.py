"""Tell the persons concerned what became of their records; everybody else is told by the exchange."""

from functools import partial
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from creditplatform.core import outbox, wording
from creditplatform.core.notices import write_notices
from records.enums import SubjectKind
from records.models import CreditRecord
from records.selectors import ABOUT_RECORD

WORDS: dict[str, Promise] = {
    "records.expired": _("The publication period of a record of %(agency)s has ended (%(entry)s, %(day)s)."),
    "records.withdrawn": _(
        "%(agency)s has withdrawn a record about you (%(entry)s, %(day)s). It is no longer shown or used."
    ),
    "records.reinstated": _(
        "%(agency)s has said that a record about you stands again (%(entry)s, %(day)s). Please look at it."
    ),
    "records.corrected": _(
        "%(agency)s has corrected a record about you (%(entry)s, %(day)s). Please look whether it is right now."
    ),
}


def subscribe() -> None:
    """Listen to the news of records; called once when the app is ready."""
    for topic in WORDS:
        outbox.subscribe(topic, "records.telling", partial(tell, topic))


def tell(topic: str, payload: dict[str, Any]) -> None:
    """Write a notice to every person whose record the news is about, once per record and piece of news."""
    records = CreditRecord.objects.filter(pk__in=payload["records"], subject_kind=SubjectKind.PERSON)
    stamp = payload.get("on") or payload.get("stamp", "")
    write_notices(
        code=topic.removeprefix("records."),
        messages=[
            (
                bytes(record.subject.number_index),
                f"{ABOUT_RECORD}{record.token}:{stamp}",
                *wording.in_both(partial(_text, topic, record)),
            )
            for record in records.select_related("subject", "agency", "entry")
        ],
    )


def _text(topic: str, record: CreditRecord) -> str:
    words = {"agency": record.agency.label, "entry": record.entry.label, "day": record.decided_on.isoformat()}
    return str(WORDS[topic]) % words
