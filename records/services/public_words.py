"""A person's own words on the public page of a record: asked for by the person, looked over by an official."""

import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import Invalid
from creditplatform.core.models import User
from creditplatform.core.notices import write_notice
from creditplatform.core.wording import in_both
from records.enums import PublicWordsState
from records.models import CreditRecord, PublicWords
from records.querysets.public_words import OPEN
from records.workflows.public_words import PUBLIC_WORDS

TOLD = "public_words_decided"
OF_LATE, MOST_OF_LATE = datetime.timedelta(days=30), 5
SHOWN = _(
    "Your words about a record were looked over and now stand on its public page. You can take them back at any time."
)
REFUSED = _(
    "Your words about a record were looked over and are not shown on its public page. The reason stands on the page of"
    " the record. They stand with the record for whoever may see it as before."
)


def is_public(record: CreditRecord) -> bool:
    """Whether anybody can read the record on the public site today."""
    return CreditRecord.objects.publishable().filter(pk=record.pk).exists()


def newest_words(record: CreditRecord) -> PublicWords | None:
    """What became of the last wish to show words about this record; None where there was none or it was ended."""
    newest = PublicWords.objects.filter(record=record).order_by("-pk").first()
    return None if newest is None or newest.state == PublicWordsState.WITHDRAWN else newest


def ask_to_show(record: CreditRecord) -> PublicWords:
    """Have the present words about a record looked over for its public page; asked again it returns what is open.

    Must run in an audit context, with the record locked. Raises Invalid where the record is not public, or where it
    was asked too often of late.
    """
    if not is_public(record):
        sentence = _("Only words about a record that is public today can be shown to the public.")
        raise Invalid.in_field("publicly", "not_public", sentence)
    words = PublicWords.objects.filter(record=record, state__in=OPEN).first()
    if words is not None and words.text == record.statement:
        return words
    since = timezone.now() - OF_LATE
    if PublicWords.objects.filter(record=record, asked_at__gt=since).count() >= MOST_OF_LATE:
        sentence = _("These words were looked over several times of late. Please ask again in a month.")
        raise Invalid.in_field("publicly", "too_often", sentence)
    end_public_words(record)
    return PublicWords.objects.create(record=record, text=record.statement)


def end_public_words(record: CreditRecord) -> None:
    """What became of words about this record is over, since they are no longer said. Must run in an audit context."""
    for words in PublicWords.objects.filter(record=record).exclude(state=PublicWordsState.WITHDRAWN):
        PUBLIC_WORDS.take("end", words, user=None)


def show(*, words: PublicWords, user: User) -> PublicWords:
    """Let the public read the words; the person is told. Raises NotPermitted, Conflict, Invalid."""
    return _decide("show", words, user)


def refuse(*, words: PublicWords, user: User, refusal: str, grounds: str = "") -> PublicWords:
    """Keep the words from the public, with a reason; the person is told. Raises NotPermitted, Conflict, Invalid."""
    return _decide("refuse", words, user, refusal=refusal, grounds=grounds)


def public_text(record_id: int) -> str:
    """What the public reads beside a record that is public: the words as looked over, while the person says them."""
    shown = PublicWords.objects.filter(record=record_id, state=PublicWordsState.SHOWN).select_related("record")
    words = shown.only("text", "record__statement").first()
    return words.text or "" if words is not None and words.text == words.record.statement else ""


def _decide(step: str, words: PublicWords, user: User, **data: Any) -> PublicWords:
    reason, record = f"words for the public: {step}", words.record
    with audit.context(actor=user, door=Door.DESK, reason=reason, agency_id=record.agency_id), transaction.atomic():
        # The person changes the words under the same lock, so that nothing is shown that is changing now.
        CreditRecord.objects.select_for_update(no_key=True).get(pk=record.pk)
        decided = PUBLIC_WORDS.take(step, words, user=user, **data)
        sentence = SHOWN if decided.state == PublicWordsState.SHOWN else REFUSED
        text, text_en = in_both(lambda: str(sentence))
        addressee, about = bytes(record.subject.number_index), f"public-words:{words.pk}"
        write_notice(addressee=addressee, code=TOLD, text=text, text_en=text_en, about=about)
    return decided
