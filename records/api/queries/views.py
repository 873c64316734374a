"""Questions about one person: whether the record is clean, and which records are open. A refusal keeps its line."""

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from creditplatform.core.enums import Scope
from creditplatform.core.errors import CreditError, FieldProblem, Invalid
from records.api.errors import KEY_USED, MISSING, NOT_COVERED, error_answers, refusal
from records.api.queries import answers, bodies, forms, keys
from records.api.queries.answers import private, refused
from records.enums import QueryKind
from records.models import Purpose, Query
from records.queries.asking import Answered
from records.queries.disclosure import Disclosed
from records.queries.grants import NotAuthorised, PurposeNotOpen
from records.services import kept_answers, machine_queries, queries
from records.services.queries import Draft, records_named

TAGS = ["queries"]
REFUSALS = error_answers(400, 401, 403, 409, 415, 429, but={400: MISSING, 403: NOT_COVERED, 409: KEY_USED})
OPENED = {
    400: refusal("unknown_field", "This call has no field of this name. Nothing was done.", "fields"),
    409: refusal(
        "answer_outdated",
        "Records have changed since this answer was given, so it is not given again. Ask anew.",
    ),
}  # fmt: skip
REVIEWED = {
    400: refusal("required", "This is missing.", "access"),
    409: refusal("before_a_person", "This result is before a person already; the decision is still to come."),
}
EXAMPLES = [
    forms.example("With the person's consent", forms.ASKED, request_only=True),
    forms.example(
        "By statute", {**forms.ASKED, "purpose": "company-officer", **forms.BY_STATUTE}, request_only=True
    ),
]  # fmt: skip
KEY = keys.parameters(
    "Name of this question, such as a UUID. Asked again under it within some hours, the same question gets the same"
    " answer and takes no further use of the consent; another question gets 409. The repetition is in the access log.",
    [200, 202],
)


class AskingView(bodies.AboutPersons):
    """An address where a person is asked for."""

    def asked(self, request: Request, kind: QueryKind, told: Callable[[Any], dict[str, Any]]) -> Response:
        """The answer in the form of this address, or where the query waits for approval; one kept under a key again."""
        draft, named, wrong = bodies.draft_of(bodies.object_of(request), kind, self.client, self.agency)
        keyed = keys.Keyed.of(request, self.client)
        kept = None if wrong else keyed.kept()
        try:
            if kept:
                return keys.again(kept_answers.repeat(kept, self.client), kept.status)
            purpose = purpose_of(draft, wrong)
            problems = [*wrong, *bodies.authority_problems(purpose, named)]
            consent = named.reference if purpose.needs_consent else ""
            found = machine_queries.ask(draft, purpose, consent, problems)
        except NotAuthorised as error:
            return refused(error)
        except CreditError as error:
            queries.note_refused(draft, error)
            return refused(error)
        status, access = (202, None) if isinstance(found, Query) else (200, found.access)
        body = answers.query(found, self.address_of(request, found)) if isinstance(found, Query) else told(found)
        return keyed.answer(body, status, access)

    def address_of(self, request: Request, found: Query) -> str:
        """Where the query can be asked for."""
        address: str = request.build_absolute_uri(reverse("api:query", args=[found.token]))
        return address


class Eligibility(AskingView):
    """`POST /api/v1/eligibility/`."""

    scopes = (Scope.ELIGIBILITY_READ,)

    @extend_schema(
        operation_id="eligibility",
        tags=TAGS,
        parameters=KEY,
        request=forms.QuestionForm,
        responses={200: forms.EligibilityForm, 202: forms.ApprovalForm, **REFUSALS},
        examples=[
            EXAMPLES[0],
            forms.example("No, with what it rests on", forms.ANSWER, response_only=True, status_codes=["200"]),
            forms.example("Waits for approval", forms.WAITING, response_only=True, status_codes=["202"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Whether a person's record is clean: yes, no, or a person decides, with rule and records; never a score.

        One use of the consent is taken, and none more where the answer was lost and is asked for again under its key.
        202 where the purpose wants a second person of the unit to approve first.
        """
        return self.asked(request, QueryKind.ELIGIBILITY, clean_or_not)


class Records(AskingView):
    """`POST /api/v1/queries/`."""

    scopes = (Scope.QUERIES_WRITE,)

    @extend_schema(
        operation_id="query",
        tags=TAGS,
        parameters=KEY,
        request=forms.QuestionForm,
        responses={200: forms.RecordsForm, 202: forms.ApprovalForm, **REFUSALS},
        examples=[
            *EXAMPLES,
            forms.example("What is open", forms.RECORDS, response_only=True, status_codes=["200"]),
            forms.example("Waits for approval", forms.WAITING, response_only=True, status_codes=["202"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Records of a person as far as purpose, consent and openness open them, with what the person says of each.

        An empty list does not say whether anybody is on file. One use of the consent is taken, and none more where the
        answer was lost and is asked for again under its key.
        """
        return self.asked(request, QueryKind.RECORDS, open_records)


class QueryView(AskingView):
    """`GET /api/v1/queries/{query}/`."""

    scopes = (Scope.QUERIES_WRITE,)

    @extend_schema(
        operation_id="query_state",
        tags=TAGS,
        responses={200: forms.ApprovalForm, **error_answers(401, 403, 404, 429)},
        examples=[forms.example("Approved", {**forms.WAITING, "state": "approved"}, response_only=True)],
    )
    def get(self, request: Request, query: str) -> Response:
        """Whether a second person has approved; nothing about the person."""
        found = machine_queries.own_query(self.client, query)
        return private(answers.query(found, self.address_of(request, found)))


class QueryResult(bodies.AboutPersons):
    """`POST /api/v1/queries/{query}/result/`."""

    scopes = (Scope.QUERIES_WRITE,)

    @extend_schema(
        operation_id="query_result",
        tags=TAGS,
        request=None,
        responses={200: forms.ResultOfQueryForm, **error_answers(400, 401, 403, 404, 409, 415, 429, but=OPENED)},
        examples=[forms.example("Records", {**forms.RECORDS, "eligibility": None}, response_only=True)],
    )
    def post(self, request: Request, query: str) -> Response:
        """Open the result of an approved query. Each time is a look that is registered; the first takes a use.

        Nothing is sent with it. 409 while nobody has approved, and once the query is closed.
        """
        bodies.nothing_of(request)
        found = machine_queries.own_query(self.client, query)
        try:
            result = queries.open_result(query=found, user=None)
        except NotAuthorised as error:
            queries.note_refused_again(found)
            return refused(error)
        body: dict[str, Any] = {"records": answers.records(result.shown), "eligibility": None}
        if result.criteria:
            asked = result.query
            body["eligibility"] = answers.eligibility(asked.outcome, asked.reasons, result.criteria, result.rests_on)
        return private(body)


class ReviewRequest(bodies.AboutPersons):
    """`POST /api/v1/eligibility/review/`."""

    scopes = (Scope.ELIGIBILITY_READ,)

    @extend_schema(
        operation_id="review_request",
        tags=TAGS,
        request=forms.ReviewRequestForm,
        responses={201: forms.ReviewForm, **error_answers(400, 401, 403, 404, 409, 415, 429, but=REVIEWED)},
        examples=[
            forms.example("Ask", {"access": forms.TOKEN, "words": "罚款已缴清。"}, request_only=True),
            forms.example("Asked for", forms.REVIEW, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Put an automatic answer before a person of the unit, who decides yes or no with grounds."""
        said = bodies.object_of(request)
        words = bodies.read(said, required=("access",), optional=("words",), others=("access",))
        if words.problems:
            raise Invalid(words.problems)
        given = answers.given_of(said["access"]) if isinstance(said["access"], str) else None
        return private(answers.review(machine_queries.send_to_person(self.client, given, words.texts["words"])), 201)


class ReviewView(bodies.AboutPersons):
    """`GET /api/v1/eligibility/review/{review}/`."""

    scopes = (Scope.ELIGIBILITY_READ,)

    @extend_schema(
        operation_id="review_state",
        tags=TAGS,
        responses={200: forms.ReviewForm, **error_answers(401, 403, 404, 429)},
        examples=[
            forms.example(
                "Decided",
                {**forms.REVIEW, "state": "decided", "decision": "yes", "grounds": "罚款已缴清，且不涉及本事项。"},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, review: str) -> Response:
        """What the person has decided."""
        return private(answers.review(machine_queries.own_review(self.client, review)))


def purpose_of(draft: Draft, wrong: list[FieldProblem]) -> Purpose:
    """The purpose a question names. Raises Invalid where more is wrong than that, PurposeNotOpen."""
    try:
        return machine_queries.purpose_of(draft)
    except PurposeNotOpen:
        if wrong:
            raise Invalid(wrong) from None
        raise


def clean_or_not(found: Answered) -> dict[str, Any]:
    """An answer at once, with the number of its look."""
    answer = found.answer
    rests_on = records_named(answer.records) if answer.records else []
    said = answers.eligibility(answer.outcome, answer.reasons, found.criteria, rests_on)
    return {**said, "access": answers.ticket_of(found)}


def open_records(found: Disclosed) -> dict[str, Any]:
    """Records at once."""
    return {"records": answers.records(found.shown)}
