"""Put an automatic answer before a person, and take that person's decision (PIPL, article 24)."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from creditplatform.core import notices, wording
from creditplatform.core.errors import Conflict
from creditplatform.core.models import Agency, ApiClient, User
from records.enums import Outcome
from records.models import HumanReview, Purpose
from records.workflows.human_review import HUMAN_REVIEW

TOLD = "human_review_decided"
# What a look of whoever decides rests on.
STATUTE = "《中华人民共和国个人信息保护法》第二十四条"
DECIDED = _(
    "A person at %(unit)s has looked again at the automatic answer about you (%(purpose)s, case %(case)s) and decided:"
    " %(decision)s. The grounds stand under “My clean record”."
)


class BeforeAPerson(Conflict):
    """The answer is before a person already (HTTP 409)."""

    default_code = "before_a_person"
    default_message = _("This result is before a person already; the decision is still to come.")


def request_review(
    *,
    subject_id: int | None,
    agency: Agency,
    purpose: Purpose,
    case_number: str,
    outcome: Outcome | str,
    reasons: Iterable[str],
    records: Iterable[int],
    user: User | None = None,
    client: ApiClient | None = None,
    looked_by: User | None = None,
    words: str = "",
) -> HumanReview:
    """Put an automatic answer before a person of the unit; by a member of the unit, its system or the person.

    `looked_by` is who had the answer made, who does not decide either. Must run in an audit context. Raises
    BeforeAPerson where it waits for a decision already.
    """
    same = {"subject_id": subject_id, "agency": agency, "purpose": purpose, "case_number": case_number}
    if HumanReview.objects.waiting().filter(**same).exists():
        raise BeforeAPerson
    try:
        with transaction.atomic():
            return HumanReview.objects.create(
                **same,
                outcome=Outcome(outcome),
                reasons=[str(reason) for reason in reasons],
                records=list(records),
                asked_by=user,
                looked_by=looked_by,
                client=client,
                words=words.strip() or None,
            )
    except IntegrityError as error:
        raise BeforeAPerson from error


def decide(*, review: HumanReview, user: User, decision: str, grounds: str) -> HumanReview:
    """Decide yes or no, with grounds; the person is told. Raises NotPermitted, Conflict, Invalid."""
    with transaction.atomic():
        decided = HUMAN_REVIEW.take("decide", review, user=user, decision=decision, grounds=grounds)
        if decided.subject is not None:
            _tell(decided, decided.subject.number_index)
    return decided


def _tell(review: HumanReview, addressee: bytes) -> None:
    def decided() -> str:
        values = {
            "unit": review.agency.label,
            "purpose": review.purpose.label,
            "case": review.case_number,
            "decision": Outcome(review.decision).label,
        }
        return str(DECIDED % values)

    text, text_en = wording.in_both(decided)
    about = f"human-review:{review.token}"
    notices.write_notice(addressee=addressee, code=TOLD, text=text, text_en=text_en, about=about)
