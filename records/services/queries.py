"""Queries by staff about one person: submit, approve or refuse, open the result, send it to a person.

A query is registered before anything is looked up, and answered through `records.queries.asking` alone. All of it must
run in an audit context.
"""

from dataclasses import dataclass, field, replace

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Authority, Door
from creditplatform.core.errors import Conflict, CreditError, FieldProblem, Invalid
from creditplatform.core.identity import IdentifierKind
from creditplatform.core.masking import holds_number
from creditplatform.core.models import Agency, ApiClient, User
from creditplatform.core.rules import load_rulebook
from records.enums import QueryKind, QueryState
from records.identifiers import Identifier, checked_person, identifier, name_index
from records.models import CreditRecord, HumanReview, Purpose, Query, Subject
from records.queries.answered import must_stand
from records.queries.asking import Question, ask_eligibility, ask_records, consent_for, refuse
from records.queries.disclosure import NOBODY, NONE_GIVEN, Asker, Shown, disclose, register_answer, register_refusal
from records.queries.eligibility import Criteria
from records.queries.grants import NotAuthorised, grant_again, permitted_purpose
from records.services import human_review
from records.workflows.query import QUERY

OUTSIDE_PURPOSE = _("The purpose does not cover this. Choose what it covers, or another purpose.")
RESTED_ON = ("entry", "agency", "version", "site")


@dataclass(frozen=True)
class Draft:
    """What a member of a unit, or a system of it, wants to ask, as it was typed or sent."""

    agency: Agency
    user: User | None
    purpose: str
    kind: str
    name: str
    document: str
    number: str
    case_number: str
    door: Door = Door.DESK
    client: ApiClient | None = None

    @property
    def asker(self) -> Asker:
        """Who asks; what was typed as a case number and is the number of a person goes into no log."""
        case = self.case_number.strip()
        return Asker(self.agency, self.user, self.door, "" if holds_number(case) else case[:60])


@dataclass(frozen=True)
class Result:
    """What an answered query shows: records as far as the grant opens them, or a yes or no with what it rests on."""

    query: Query
    shown: list[Shown] = field(default_factory=list)
    criteria: Criteria | None = None
    rests_on: list[CreditRecord] = field(default_factory=list)


def submit(draft: Draft, consent: str = "") -> Query:
    """Register a query; where the purpose asks for no approval it may be opened at once.

    `consent` is the number of the receipt that the answer will use; without one the usable one is found then. Raises
    PurposeNotOpen; Invalid with everything wrong at once; NotAuthorised where a consent is needed and none is there,
    in the same words whether or not anybody is on file. Whoever catches it calls `note_refused`.
    """
    purpose = permitted_purpose(draft.purpose, draft.agency)
    person = _checked(draft, purpose)
    question = Question(purpose, person, draft.name, draft.asker, consent)
    found = consent_for(question, whole=draft.kind == QueryKind.ELIGIBILITY) if purpose.needs_consent else None
    query = Query.objects.create(
        agency=draft.agency,
        asked_by=draft.user,
        client=draft.client,
        purpose=purpose,
        kind=draft.kind,
        case_number=draft.asker.case_number,
        number_index=person.blind_index,
        name_index=name_index(draft.name),
        number_sealed=f"{person.kind.value}|{person.number}",
        name_sealed=draft.name.strip(),
        authorisation=found if consent else None,
    )
    return query if purpose.needs_approval else QUERY.take("let_pass", query, user=None)


def note_refused(draft: Draft, error: CreditError) -> None:
    """Register that a question was refused: at the person where the number is one, else under nobody's name."""
    purpose = Purpose.objects.select_related("legal_basis").filter(code=draft.purpose).first()
    if purpose is None:
        return
    if isinstance(error, NotAuthorised):
        person = checked_person(draft.name, draft.document, draft.number)
        refuse(Question(purpose, person, draft.name, draft.asker))
    else:
        authority = Authority.CONSENT if purpose.needs_consent else Authority.STATUTE
        register_refusal(NOBODY, draft.asker, purpose=purpose.code, authority=authority, reference=NONE_GIVEN)


def note_refused_again(query: Query) -> None:
    """Register that an answer was not opened, for want of a consent that holds."""
    refuse(question_of(query))


def approve(*, query: Query, user: User) -> Query:
    """Let a query pass, as a second person. Raises NotPermitted, Conflict."""
    return QUERY.take("approve", query, user=user)


def turn_down(*, query: Query, user: User, words: str) -> Query:
    """Refuse a query with the reason, as a second person. Raises NotPermitted, Conflict, Invalid."""
    return QUERY.take("refuse", query, user=user, words=words)


def close(*, query: Query, user: User) -> Query:
    """End a query that is no longer needed; its result is opened no more. Raises NotPermitted, Conflict."""
    return QUERY.take("close", query, user=user)


def open_result(*, query: Query, user: User | None) -> Result:
    """Answer an approved query, or open its answer again: every time a look that is registered.

    `user` is None for a system of the unit, which opens its own queries; whoever calls has found out that it is.

    The first time takes one use of the consent; later ones take none, and show nothing once the consent has ended or
    was withdrawn. Raises NotPermitted, Conflict, Invalid (too late), NotAuthorised, PurposeNotOpen; AnswerOutdated for
    a yes or no that rests on records which have changed since.
    """
    with transaction.atomic():
        locked = Query.objects.select_for_update(of=("self",), no_key=True).select_related(
            "purpose__legal_basis", "agency__site", "authorisation"
        ).get(pk=query.pk)  # fmt: skip
        permitted_purpose(locked.purpose.code, locked.agency)
        if locked.state == QueryState.ANSWERED:
            return _opened_again(locked, user)
        return _answered(locked, user)


def send_to_person(*, query: Query, user: User, words: str = "") -> HumanReview:
    """Put the yes or no of an answered query before somebody else of the unit, while its result may be opened.

    Raises Conflict, NotPermitted, Invalid (too late), NotAuthorised where the consent has ended.
    """
    if query.kind != QueryKind.ELIGIBILITY or not query.outcome:
        raise Conflict
    QUERY.permit("open_again", query, user=user)
    grant_again(query.purpose, query.agency, query.authorisation)
    return human_review.request_review(
        subject_id=Subject.objects.by_number(query.number_index).values_list("pk", flat=True).first(),
        number_index=bytes(query.number_index),
        agency=query.agency,
        purpose=query.purpose,
        case_number=query.case_number,
        outcome=query.outcome,
        reasons=query.reasons,
        records=query.records,
        user=user,
        looked_by=query.asked_by,
        authorisation=query.authorisation,
        words=words,
        query=query,
    )


def question_of(query: Query) -> Question:
    """The question as it was asked."""
    kind, _bar, number = (query.number_sealed or "").partition("|")
    door = Door.API if query.client_id else Door.DESK
    asker = Asker(query.agency, query.asked_by, door, query.case_number)
    person = identifier(IdentifierKind(kind), number)
    named = query.authorisation.number if query.authorisation else ""
    return Question(query.purpose, person, query.name_sealed or "", asker, named)


def _checked(draft: Draft, purpose: Purpose) -> Identifier:
    """The person asked for. Raises Invalid with everything that is wrong."""
    if problems := problems_of(draft, purpose):
        raise Invalid(problems)
    return checked_person(draft.name, draft.document, draft.number)


def problems_of(draft: Draft, purpose: Purpose) -> list[FieldProblem]:
    """Everything that is wrong with a draft, field by field."""
    problems = []
    gives = {QueryKind.RECORDS.value: purpose.gives_records, QueryKind.ELIGIBILITY.value: purpose.gives_eligibility}
    if not gives.get(draft.kind):
        problems.append(FieldProblem("kind", "outside_purpose", OUTSIDE_PURPOSE))
    problems += case_problems(draft.case_number)
    try:
        checked_person(draft.name, draft.document, draft.number)
    except Invalid as error:
        names = {"kind": "document"}
        problems += [FieldProblem(names.get(one.field, one.field), one.code, one.message) for one in error.problems]
    return problems


def case_problems(case_number: str) -> list[FieldProblem]:
    """What is wrong with a case number: none given, or the number of a person in its place."""
    if not case_number.strip():
        return [FieldProblem("case_number", "required", _("Please give the number of the case this is needed for."))]
    if holds_number(case_number):
        sentence = _("This is the number of a person. Please give the number of the case.")
        return [FieldProblem("case_number", "holds_number", sentence)]
    return []


def _answered(query: Query, user: User | None) -> Result:
    """The step is permitted before anybody is asked for, and one consent is chosen for the look and for the query."""
    QUERY.permit("answer", query, user=user)
    question, consent = question_of(query), None
    if query.purpose.needs_consent:
        consent = consent_for(question, whole=query.kind == QueryKind.ELIGIBILITY)
        question = replace(question, consent=consent.number)
    if query.kind == QueryKind.RECORDS:
        shown = ask_records(question)
        return Result(QUERY.take("answer", query, user=user, authorisation=consent), shown=shown)
    found = ask_eligibility(question)
    answer = found.answer
    taken = QUERY.take(
        "answer", query, user=user, authorisation=consent, outcome=answer.outcome, reasons=answer.reasons,
        records=answer.records,
    )  # fmt: skip
    return Result(taken, criteria=found.criteria, rests_on=records_named(answer.records))


def _opened_again(query: Query, user: User | None) -> Result:
    QUERY.take("open_again", query, user=user)
    question = question_of(query)
    grant = grant_again(query.purpose, query.agency, query.authorisation)
    owner = Subject.objects.by_number(query.number_index).first()
    fits, about = bool(owner and owner.name_index == query.name_index), owner.pk if owner else NOBODY
    if query.kind == QueryKind.RECORDS:
        return Result(query, shown=disclose(owner if fits else None, grant, question.asker, about=about))
    answered_at = query.answered_at or query.asked_at
    must_stand(query.records, answered_at)
    rests_on = records_named(query.records)
    register_answer(about, grant, question.asker, {one.entry.code for one in rests_on}, seen=fits)
    day = timezone.localdate(answered_at)
    criteria = Criteria.on(day, load_rulebook(), query.agency.site.code)
    return Result(query, criteria=criteria, rests_on=rests_on)


def records_named(keys: list[int] | tuple[int, ...]) -> list[CreditRecord]:
    """Records an answer rests on that still count, newest decision first; whoever shows them registers that.

    What was repaired, withdrawn, withheld or archived since is not among them.
    """
    counting = CreditRecord.objects.counting(on=timezone.localdate()).filter(pk__in=keys)
    return list(counting.select_related(*RESTED_ON).order_by("-decided_on", "-pk"))
