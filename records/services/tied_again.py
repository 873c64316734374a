"""The tie of a single record on file, laid in anew."""

from records.models import CreditRecord, Feed
from records.services.ties import stated_by, tie


def tie_from_record(record: CreditRecord, feed: Feed) -> None:
    """Lay the tie of a record in anew; must run in an audit context and transaction."""
    tie(version=record.version, feed=feed, stated=[stated_by(record)])
