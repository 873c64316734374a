"""The demonstration's words for the public: two persons wish that their own words stand on the page of a record."""

from records.enums import Polarity, SubjectKind
from records.models import CreditRecord, FeedBatch, PublicWords
from records.services.public_words import is_public
from records.services.statements import write_statement

MOST = 50
FEEDS = {
    "gs-court-defaulters": "本人正与申请执行人协商分期履行，首期款项已交至法院账户（演示）。",
    "demo-hz-court-defaulters": "本人对执行标的提出异议，法院已受理，请以法院最新文书为准（演示）。",
}


def wish() -> int:
    """One person at each place, where none has yet; the credit centre sees to it. Must run in an audit context."""
    if PublicWords.objects.exists():
        return 0
    wished = 0
    for feed, text in FEEDS.items():
        record = _public_record(feed)
        if record is not None:
            write_statement(record=record, subject=record.subject, text=text, publicly=True)
            wished += 1
    return wished


def _public_record(feed: str) -> CreditRecord | None:
    """The first record of a feed that the public reads about a person who has said nothing yet.

    Asked one by one: right after the records have come in the database knows too little about them to ask for all.
    """
    batches = list(FeedBatch.objects.filter(feed__code=feed).values_list("pk", flat=True))
    found = CreditRecord.objects.filter(
        batch__in=batches, polarity=Polarity.NEGATIVE, subject_kind=SubjectKind.PERSON, statement__isnull=True
    )
    return next((one for one in found.select_related("subject").order_by("pk")[:MOST] if is_public(one)), None)
