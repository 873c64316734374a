"""What a person says about a record that speaks against them: kept with it and carried wherever it goes.

Regulation on the Credit Reporting Industry, article 16; here for every unfavourable record.
"""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import Invalid, NotPermitted
from creditplatform.core.masking.texts import holds_number
from records.enums import ChangeKind, Polarity, RecordState
from records.models import ChangeNote, CreditRecord, Subject
from records.services.public_words import ask_to_show, end_public_words

LONGEST = 500


def write_statement(*, record: CreditRecord, subject: Subject, text: str, publicly: bool = False) -> CreditRecord:
    """Put a statement to a record, or take it back with an empty text; every peer that has the record is told.

    `publicly` has the words looked over for the public page of the record; without it that wish is over.
    Must run in an audit context. Raises NotPermitted for a record of somebody else; Invalid for one that says nothing
    against the person or is no longer used, for a text that is too long, for one that holds the number of a person, and
    where `publicly` is asked for what the public does not read or too often.
    """
    words = text.strip()
    with transaction.atomic():
        locked = CreditRecord.objects.select_for_update(no_key=True).get(pk=record.pk)
        _permit(locked, subject, words)
        if (locked.statement or "") != words:
            CreditRecord.objects.filter(pk=locked.pk).update(statement=words or None, changed_at=timezone.now())
            # The trigger looks at what units say; what the person says is told of here.
            ChangeNote.objects.create(kind=ChangeKind.CORRECTED, record_ids=[locked.pk], at=timezone.now())
            locked.statement = words or None
        if words and publicly:
            ask_to_show(locked)
        else:
            end_public_words(locked)
    return locked


def takes_statement(record: CreditRecord) -> bool:
    """Whether a statement may stand with a record: it speaks against the person and is in force."""
    return record.polarity == Polarity.NEGATIVE and record.state == RecordState.IN_FORCE


def _permit(record: CreditRecord, subject: Subject, words: str) -> None:
    if record.subject_id != subject.pk:
        raise NotPermitted
    if not takes_statement(record):
        sentence = _("A statement belongs to an unfavourable record that is in force.")
        raise Invalid.in_field("text", "no_statement_here", sentence)
    if len(words) > LONGEST:
        raise Invalid.in_field("text", "too_long", _("Please use no more than 500 characters."))
    if holds_number(words):
        sentence = _("Please leave out numbers of documents, telephones and bank cards: others will read this.")
        raise Invalid.in_field("text", "holds_number", sentence)
