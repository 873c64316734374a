"""What a record on file states about belonging, read again from its content."""

import datetime

import msgspec

from creditplatform.core.identity import normalise
from records.enums import FieldRole
from records.models import CreditRecord, Feed
from records.services.ties import Stated, tie


def tie_from_record(record: CreditRecord, feed: Feed) -> None:
    """Lay the tie of a record in anew; must run in an audit context and transaction."""
    said = _by_role(record)
    end = said.get(FieldRole.VALID_UNTIL, "")
    until = datetime.date.fromisoformat(end) + datetime.timedelta(days=1) if end and end < "2099" else None
    if ended := said.get(FieldRole.ENDED_ON, ""):
        until = min(until or datetime.date.max, datetime.date.fromisoformat(ended))
    begin = said.get(FieldRole.VALID_FROM, "")
    stated = Stated(
        record.pk,
        said.get(FieldRole.LICENCE_NUMBER) or record.document_number,
        normalise(said.get(FieldRole.BELONGS_TO_CODE, "")),
        said.get(FieldRole.BELONGS_TO_NAME, ""),
        datetime.date.fromisoformat(begin) if begin else None,
        until,
    )
    tie(version=record.version, feed=feed, stated=[stated])


def _by_role(record: CreditRecord) -> dict[str, str]:
    sealed: dict[str, str] = msgspec.json.decode(record.sealed_payload) if record.sealed_payload else {}
    content = {**record.payload, **sealed}
    fields = record.version.fields.exclude(role="").values_list("role", "code")
    return {role: content[code] for role, code in fields if content.get(code)}
