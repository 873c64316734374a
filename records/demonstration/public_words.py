"""The demonstration's words for the public: two persons wish that their own words stand on the page of a record."""

from records.enums import Polarity, SubjectKind
from records.models import CreditRecord, PublicWords
from records.services.statements import write_statement

FEEDS = {
    "gs-court-defaulters": "本人正与申请执行人协商分期履行，首期款项已交至法院账户（演示）。",
    "demo-hz-court-defaulters": "本人对执行标的提出异议，法院已受理，请以法院最新文书为准（演示）。",
}


def wish() -> int:
    """One person at each place, where none has yet; the credit centre sees to it. Must run in an audit context."""
    if PublicWords.objects.exists():
        return 0
    public = CreditRecord.objects.publishable().filter(polarity=Polarity.NEGATIVE, subject_kind=SubjectKind.PERSON)
    silent = public.filter(statement__isnull=True).select_related("subject").order_by("pk")
    wished = 0
    for feed, text in FEEDS.items():
        record = silent.filter(batch__feed__code=feed).first()
        if record is not None:
            write_statement(record=record, subject=record.subject, text=text, publicly=True)
            wished += 1
    return wished
