"""The person's own side of the clean record: the answer under the rule, answers units got, those before a person.

Whoever sees the file for the person sees these too; guardians and holders of a power of attorney may have a person
decide.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from creditplatform.core.enums import Authority
from creditplatform.core.errors import NotFoundHere, NotPermitted
from creditplatform.core.models import AccessLog, Site, User
from creditplatform.core.rules import load_rulebook
from creditplatform.core.vault import pk_of_token
from records.enums import HumanReviewState, RepresentationKind, RepresentationScope
from records.models import AccessDeferral, Authorisation, CatalogueEntry, CreditRecord, HumanReview, Purpose, Subject
from records.models.authorisation import AUTHORISATION_KIND
from records.queries.answered import answer_about, answer_of_line
from records.queries.disclosure import DISCLOSED
from records.queries.eligibility import Answer, Criteria
from records.queries.grants import grant_of_own_file
from records.querysets.queries import SURELY_KEPT
from records.selectors import is_own, log_own_look, representation_by
from records.services import human_review

SHOWN, MOST_LINES = 50, 500
OTHERS = (Authority.CONSENT, Authority.STATUTE)


@dataclass(frozen=True)
class OwnAnswer:
    """The answer at one place, over everything on file, by the criteria of that day."""

    site: Site
    answer: Answer
    criteria: Criteria
    records: list[CreditRecord]


@dataclass(frozen=True)
class UnitAnswer:
    """A unit got an answer: the line of the access log, its purpose in words, whether a person looks at it or has."""

    line: AccessLog
    purpose: str
    waiting: bool
    decided: bool = False


def own_answers(user: User, subject: Subject) -> list[OwnAnswer]:
    """The person's own answer at each place, over every kind of record; the look is registered."""
    today, rulebook = timezone.localdate(), load_rulebook()
    entries = CatalogueEntry.objects.values_list("code", flat=True)
    grant = grant_of_own_file(entries)
    found = []
    for site in Site.objects.order_by("code"):
        criteria = Criteria.on(today, rulebook, site.code)
        answer = answer_about(subject, grant, criteria)
        rows = CreditRecord.objects.filter(pk__in=answer.records).select_related("entry", "agency")
        found.append(OwnAnswer(site, answer, criteria, list(rows.order_by("-decided_on", "-pk"))))
    log_own_look(user, subject, [DISCLOSED, *{kind for one in found for kind in one.answer.kinds}])
    return found


def unit_answers(subject: Subject) -> list[UnitAnswer]:
    """Answers that units got about the person, newest first and the last one of each case; deferred ones left out."""
    found = list(_lines(subject).select_related("agency")[:MOST_LINES])[::-1]
    latest = {(line.agency_id, line.purpose, line.case_number): line for line in found}
    lines = sorted(latest.values(), key=lambda line: line.pk, reverse=True)[:SHOWN]
    names = {one.code: one.label for one in Purpose.objects.filter(code__in={line.purpose for line in lines})}
    reviews = list(HumanReview.objects.all().shown_to(subject))
    return [_unit_answer(line, names.get(line.purpose, line.purpose), _reviews_of(line, reviews)) for line in lines]


def _unit_answer(line: AccessLog, purpose: str, reviews: list[HumanReview]) -> UnitAnswer:
    states = {one.state for one in reviews}
    return UnitAnswer(line, purpose, HumanReviewState.REQUESTED in states, HumanReviewState.DECIDED in states)


def _reviews_of(line: AccessLog, reviews: Iterable[HumanReview]) -> list[HumanReview]:
    """The reviews of an answer."""
    return [
        one
        for one in reviews
        if (one.agency_id, one.purpose_id) == (line.agency_id, line.purpose)
        and _same_case(one.case_number, line.case_number)
        and one.asked_at >= line.at
    ]


def _same_case(reviewed: str, asked: str) -> bool:
    """Whether a review is of a case; of a row of a list the number of the row stands behind it, a long case is cut."""
    case, row, _number = reviewed.rpartition(" #")
    cut = len(case) >= SURELY_KEPT and asked.startswith(case)
    return reviewed == asked or (bool(row) and (case == asked or cut))


def ask_for_person(user: User, subject: Subject, access_id: int, words: str = "") -> HumanReview:
    """Have an answer that a unit got looked at by a person: what the rule says of the day on which the unit asked.

    Must run in an audit context. Raises NotPermitted for whoever may only see the file; NotFoundHere for a line that is
    no answer about this person, BeforeAPerson, DecidedByAPerson.
    """
    if not may_ask(user, subject):
        raise NotPermitted
    line = _lines(subject).select_related("agency__site", "actor").filter(pk=access_id).first()
    purpose = Purpose.objects.select_related("legal_basis").filter(code=line.purpose).first() if line else None
    if line is None or purpose is None or line.agency is None:
        raise NotFoundHere
    reviews = _reviews_of(line, HumanReview.objects.filter(subject=subject))
    if any(one.state == HumanReviewState.REQUESTED for one in reviews):
        raise human_review.BeforeAPerson
    if any(one.state == HumanReviewState.DECIDED for one in reviews):
        raise human_review.DecidedByAPerson
    found = answer_of_line(line, purpose, subject)
    return human_review.request_review(
        subject_id=subject.pk,
        number_index=bytes(subject.number_index),
        agency=line.agency,
        purpose=purpose,
        case_number=line.case_number,
        outcome=found.outcome,
        reasons=found.reasons,
        records=found.records,
        user=user,
        looked_by=line.actor,
        authorisation=_consent_of(line),
        words=words,
    )


def may_ask(user: User, subject: Subject) -> bool:
    """The person, a guardian or the holder of a power of attorney; relatives of the dead see the file alone."""
    own = is_own(user, subject)
    return own or representation_by(user, subject, RepresentationScope.FILE).kind != RepresentationKind.HEIR


def _consent_of(line: AccessLog) -> Authorisation | None:
    pk = pk_of_token(AUTHORISATION_KIND, line.reference) if line.authority == Authority.CONSENT else None
    return Authorisation.objects.filter(pk=pk).first() if pk is not None else None


def reviews_about(subject: Subject) -> list[HumanReview]:
    """Answers about the person that were put before a person, the latest first; none of a look that is deferred."""
    found = HumanReview.objects.all().shown_to(subject).select_related("agency", "purpose")
    return list(found.order_by("-asked_at", "-pk")[:SHOWN])


def _lines(subject: Subject) -> QuerySet[AccessLog]:
    deferred = AccessDeferral.objects.holding().filter(subject=subject).values("access_id")
    lines = AccessLog.objects.filter(
        subject_ref=subject.pk, fields__contains=[DISCLOSED], authority__in=OTHERS, agency__isnull=False
    )
    return lines.exclude(pk__in=deferred).exclude(reference=human_review.STATUTE).order_by("-at", "-pk")
