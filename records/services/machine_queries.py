"""Questions of business systems: answered at once, or registered where a second person of the unit has to approve."""

from collections.abc import Sequence

import msgspec

from creditplatform.core.errors import FieldProblem, Invalid
from creditplatform.core.models import AccessLog, ApiClient
from creditplatform.core.vault import pk_of_token
from records.enums import QueryKind
from records.identifiers import checked_person
from records.models import Authorisation, HumanReview, Purpose, Query, Subject
from records.models.query import QUERY_KIND, REVIEW_KIND
from records.own_numbers import not_of_client
from records.queries.asking import Answered, Question, ask_eligibility, ask_records_noted, refuse
from records.queries.disclosure import DISCLOSED, Disclosed
from records.queries.grants import NotAuthorised, grant_again, permitted_purpose
from records.services import authorisations, human_review, queries
from records.services.queries import Draft

Problems = list[FieldProblem]
ANSWER_KIND = "answer"


class Given(msgspec.Struct, frozen=True):
    """An automatic answer as it was given: the number of its look, outcome, reasons, records by their keys.

    `person` is the index of the number that was asked for.
    """

    access: int
    outcome: str
    reasons: Sequence[str]
    records: Sequence[int]
    person: bytes = b""


def purpose_of(draft: Draft) -> Purpose:
    """The purpose of a question. Raises PurposeNotOpen."""
    return permitted_purpose(draft.purpose, draft.agency)


def ask(draft: Draft, purpose: Purpose, consent: str, problems: Problems) -> Answered | Disclosed | Query:
    """The answer; a query that waits for approval where the purpose asks for one.

    `consent` is the number of a receipt, empty under a statute; `problems` is what was found wrong before. Must run in
    an audit context. Raises Invalid with everything at once, NotAuthorised, RuleMissing.
    """
    found: dict[str, FieldProblem] = {}
    for one in (*problems, *(_in_body(one) for one in queries.problems_of(draft, purpose))):
        found.setdefault(one.field, one)
    if found:
        raise Invalid(found.values())
    person = checked_person(draft.name, draft.document, draft.number)
    question = Question(purpose, person, draft.name, draft.asker, consent=consent)
    try:
        if purpose.needs_approval:
            return queries.submit(draft, consent)
        return ask_records_noted(question) if draft.kind == QueryKind.RECORDS else ask_eligibility(question)
    except NotAuthorised:
        refuse(question)
        raise


def _in_body(problem: FieldProblem) -> FieldProblem:
    """A problem under the name that its field has in a body, where nobody chooses a kind: the address says it."""
    return problem._replace(field="purpose") if problem.field == "kind" else problem


def own_query(client: ApiClient, token: str) -> Query:
    """A query of that number which this client asked. Raises NotFoundHere."""
    pk = pk_of_token(QUERY_KIND, token)
    rows = Query.objects.select_related("agency__site", "purpose__legal_basis", "authorisation")
    found = rows.filter(pk=pk, client=client).first() if pk is not None else None
    if found is None:
        raise not_of_client(QUERY_KIND, client)
    return found


def send_to_person(client: ApiClient, given: Given | None, words: str) -> HumanReview:
    """Put an answer that the client's unit got before a person of the unit, as it was given, while consent lasts.

    Must run in an audit context. Raises NotFoundHere, PurposeNotOpen, NotAuthorised, BeforeAPerson.
    """
    lines = AccessLog.objects.select_related("agency__site").filter(fields__contains=[DISCLOSED], actor=None)
    line = lines.filter(pk=given.access, agency=client.agency_id).first() if given else None
    if line is None or given is None:
        raise not_of_client(ANSWER_KIND, client)
    purpose = permitted_purpose(line.purpose, client.agency)
    consent = _consent_of(line, client) if purpose.needs_consent else None
    grant_again(purpose, client.agency, consent)
    return human_review.request_review(
        subject_id=Subject.objects.filter(pk=line.subject_ref).values_list("pk", flat=True).first(),
        number_index=given.person or None,
        agency=client.agency,
        purpose=purpose,
        case_number=line.case_number,
        outcome=given.outcome,
        reasons=given.reasons,
        records=given.records,
        client=client,
        authorisation=consent,
        words=words,
    )


def _consent_of(line: AccessLog, client: ApiClient) -> Authorisation:
    return authorisations.by_number(line.reference, client.agency)


def own_review(client: ApiClient, token: str) -> HumanReview:
    """A review of that number in the client's unit. Raises NotFoundHere."""
    pk = pk_of_token(REVIEW_KIND, token)
    found = HumanReview.objects.filter(pk=pk, agency=client.agency_id).first() if pk is not None else None
    if found is None:
        raise not_of_client(REVIEW_KIND, client)
    return found
