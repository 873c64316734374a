"""Put an automatic answer before a person, take that person's decision, or end it with the consent (PIPL, article 24).

The person is told of the end. Where the display of the look is deferred by statute the notice waits for its day.
"""

import datetime
from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core import audit, notices, wording
from creditplatform.core.calendars import load_calendar
from creditplatform.core.enums import Door
from creditplatform.core.errors import Conflict, Invalid
from creditplatform.core.models import Agency, ApiClient, User
from creditplatform.core.rules import load_rulebook
from records.enums import HumanReviewState, Outcome
from records.models import Authorisation, HumanReview, Purpose
from records.services.access_alarms import due_after
from records.services.expiry import moment_of
from records.workflows.human_review import HUMAN_REVIEW, consent_stands

TOLD = "human_review_decided"
TOLD_OF_END = "human_review_ended"
CLOCK = "clock.human_review.working_days"
AT_A_TIME = 1000
# What a look of whoever decides rests on.
STATUTE = "《中华人民共和国个人信息保护法》第二十四条"
DECIDED = _(
    "A person at %(unit)s has looked again at the automatic answer about you (%(purpose)s, case %(case)s) and decided:"
    " %(decision)s. The grounds stand under “My clean record”."
)
CONSENT_ENDED = _(
    "An automatic answer about you waited for a person at %(unit)s (%(purpose)s, case %(case)s). The consent it rested"
    " on has ended: nobody looks at your records for it any more, and nothing was decided."
)


class BeforeAPerson(Conflict):
    """The answer is before a person already (HTTP 409)."""

    default_code = "before_a_person"
    default_message = _("This result is before a person already; the decision is still to come.")


class DecidedByAPerson(Conflict):
    """A person has decided on that very answer (HTTP 409)."""

    default_code = "decided_by_a_person"
    default_message = _("A person has decided on this answer already; the decision stands beside it.")


def request_review(
    *,
    subject_id: int | None,
    number_index: bytes | None,
    agency: Agency,
    purpose: Purpose,
    case_number: str,
    outcome: Outcome | str,
    reasons: Iterable[str],
    records: Iterable[int],
    user: User | None = None,
    client: ApiClient | None = None,
    looked_by: User | None = None,
    authorisation: Authorisation | None = None,
    words: str = "",
    **answer: Any,
) -> HumanReview:
    """Put an automatic answer before a person of the unit; by a member of the unit, its system or the person.

    `looked_by` is who had the answer made, who does not decide either; `authorisation` the consent the answer rests on;
    `number_index` that of the number asked for, so that asking twice is the same whether or not anybody is on file;
    `answer` the answer it is of, `query` or `batch` and `row_number`, where the unit keeps it.
    Must run in an audit context. Raises BeforeAPerson where it waits for a decision already; DecidedByAPerson where a
    person has decided on that answer; RuleMissing.
    """
    same = {"agency": agency, "purpose": purpose, "case_number": case_number}
    _refuse_again(answer, same, subject_id, number_index)
    try:
        with transaction.atomic():
            return HumanReview.objects.create(
                **same, **answer,
                subject_id=subject_id,
                number_index=number_index,  # type: ignore[misc]  # None of an answer given before it was kept
                outcome=Outcome(outcome), reasons=[str(reason) for reason in reasons], records=list(records),
                asked_by=user, looked_by=looked_by, client=client,
                authorisation=authorisation, due_on=_due_on(agency), words=words.strip() or None,
            )  # fmt: skip
    except IntegrityError as error:
        raise BeforeAPerson from error


def _refuse_again(
    answer: dict[str, Any], same: dict[str, Any], subject_id: int | None, number_index: bytes | None
) -> None:
    """Raises DecidedByAPerson, BeforeAPerson."""
    if answer and HumanReview.objects.filter(**answer, state=HumanReviewState.DECIDED).exists():
        raise DecidedByAPerson
    whose = Q(number_index=number_index) if subject_id is None else Q(number_index=number_index) | Q(subject=subject_id)
    if HumanReview.objects.waiting().filter(whose, **same).exists():
        raise BeforeAPerson


def _due_on(agency: Agency) -> datetime.date:
    """The day by which a person decides. Raises RuleMissing."""
    today = timezone.localdate()
    days: int = load_rulebook().value(CLOCK, today, agency.site.code)
    return due_after(today, days, load_calendar())


def decide(*, review: HumanReview, user: User, decision: str, grounds: str) -> HumanReview:
    """Decide yes or no, with grounds; the person is told. Raises NotPermitted, Conflict, Invalid."""
    with transaction.atomic():
        decided = HUMAN_REVIEW.take("decide", review, user=user, decision=decision, grounds=grounds)
        _tell(decided, timezone.localdate())
    return decided


def end_over(*, on: datetime.date, door: Door) -> int:
    """End what waits for a person although the consent it rests on has ended; the person is told. How many."""
    at, ended = moment_of(on), 0
    due = HumanReview.objects.waiting().exclude(authorisation=None).select_related("authorisation").order_by("pk")
    for review in due.iterator(AT_A_TIME):
        if consent_stands(review, at):
            continue
        try:
            with audit.context(actor=None, door=door, reason="consent ended", agency_id=review.agency_id):
                _tell(HUMAN_REVIEW.take("consent_ended", review, user=None, at=at), on)
            ended += 1
        except (Conflict, Invalid):
            continue  # decided at this moment
    return ended


def tell_waiting(*, on: datetime.date, door: Door) -> int:
    """Write the notices that waited for the end of a deferral; how many."""
    told = 0
    ended = HumanReview.objects.filter(told_at=None).exclude(state=HumanReviewState.REQUESTED).exclude(subject=None)
    for review in ended.order_by("pk").iterator(AT_A_TIME):
        with audit.context(actor=None, door=door, reason="person told", agency_id=review.agency_id):
            told += _tell(review, on)
    return told


def _tell(review: HumanReview, on: datetime.date) -> bool:
    """Tell the person of the end, unless the look is not to be shown yet; whether it was told."""
    person = review.subject
    if person is None or not HumanReview.objects.filter(pk=review.pk).shown_to(person, on=on).exists():
        return False
    code, words = (TOLD, DECIDED) if review.decision else (TOLD_OF_END, CONSENT_ENDED)

    def ended() -> str:
        values = {"unit": review.agency.label, "purpose": review.purpose.label, "case": review.case_number}
        decision = Outcome(review.decision).label if review.decision else ""
        return str(words % {**values, "decision": decision})

    text, text_en = wording.in_both(ended)
    about, addressee = f"human-review:{review.token}", bytes(person.number_index)
    notices.write_notice(addressee=addressee, code=code, text=text, text_en=text_en, about=about)
    HumanReview.objects.filter(pk=review.pk).update(told_at=timezone.now())
    return True
