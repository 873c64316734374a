"""Questions of business systems: answered at once, or registered where a second person of the unit has to approve."""

from creditplatform.core.errors import FieldProblem, Invalid, NotFoundHere
from creditplatform.core.models import AccessLog, ApiClient
from creditplatform.core.vault import pk_of_token
from records.enums import QueryKind
from records.identifiers import checked_person
from records.models import HumanReview, Purpose, Query, Subject
from records.models.query import QUERY_KIND, REVIEW_KIND
from records.queries.answered import answer_of_line
from records.queries.asking import Answered, Question, ask_eligibility, ask_records, refuse
from records.queries.disclosure import DISCLOSED, Shown
from records.queries.grants import NotAuthorised, permitted_purpose
from records.services import human_review, queries
from records.services.queries import Draft

Problems = list[FieldProblem]


def purpose_of(draft: Draft) -> Purpose:
    """The purpose of a question. Raises PurposeNotOpen."""
    return permitted_purpose(draft.purpose, draft.agency)


def ask(draft: Draft, purpose: Purpose, consent: str, problems: Problems) -> Answered | list[Shown] | Query:
    """The answer; a query that waits for approval where the purpose asks for one.

    `consent` is the number of a receipt, empty under a statute; `problems` is what was found wrong before. Must run in
    an audit context. Raises Invalid with everything at once, NotAuthorised, RuleMissing.
    """
    found = [*problems, *queries.problems_of(draft, purpose)]
    if found:
        raise Invalid(found)
    if purpose.needs_approval:
        return queries.submit(draft)
    person = checked_person(draft.name, draft.document, draft.number)
    question = Question(purpose, person, draft.name, draft.asker, consent=consent)
    try:
        return ask_records(question) if draft.kind == QueryKind.RECORDS else ask_eligibility(question)
    except NotAuthorised:
        refuse(question)
        raise


def own_query(client: ApiClient, token: str) -> Query:
    """A query of that number which this client asked. Raises NotFoundHere."""
    pk = pk_of_token(QUERY_KIND, token)
    rows = Query.objects.select_related("agency__site", "purpose__legal_basis", "authorisation")
    found = rows.filter(pk=pk, client=client).first() if pk is not None else None
    if found is None:
        raise NotFoundHere
    return found


def send_to_person(client: ApiClient, access: int | None, words: str) -> HumanReview:
    """Put an answer that the client's unit got before a person of the unit, by the number of its look.

    Must run in an audit context. Raises NotFoundHere, BeforeAPerson.
    """
    lines = AccessLog.objects.select_related("agency__site").filter(fields__contains=[DISCLOSED])
    line = lines.filter(pk=access, agency=client.agency_id, actor=None).first() if access is not None else None
    purpose = Purpose.objects.select_related("legal_basis").filter(code=line.purpose).first() if line else None
    if line is None or purpose is None or line.agency is None:
        raise NotFoundHere
    subject = Subject.objects.filter(pk=line.subject_ref).first()
    found = answer_of_line(line, purpose, subject)
    return human_review.request_review(
        subject_id=found.subject,
        agency=line.agency,
        purpose=purpose,
        case_number=line.case_number,
        outcome=found.outcome,
        reasons=found.reasons,
        records=found.records,
        client=client,
        words=words,
    )


def own_review(client: ApiClient, token: str) -> HumanReview:
    """A review of that number in the client's unit. Raises NotFoundHere."""
    pk = pk_of_token(REVIEW_KIND, token)
    found = HumanReview.objects.filter(pk=pk, agency=client.agency_id).first() if pk is not None else None
    if found is None:
        raise NotFoundHere
    return found
