"""Lists of many persons over the interface: sent once under a key, worked off by a worker, answers read by page."""

from typing import Any

import msgspec
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from creditplatform.core import audit
from creditplatform.core.enums import Door, Scope
from creditplatform.core.errors import FieldProblem, Invalid
from creditplatform.core.vault import pk_of_token, public_token
from records.api.deliveries.parsing import key_of
from records.api.errors import MISSING, NO_NUMBER, error_answers, refusal
from records.api.page_size import whole_number
from records.api.queries import bodies, forms
from records.api.queries.answers import private
from records.enums import BatchCheckState
from records.models import BatchCheck, Purpose
from records.models.query import BATCH_KIND
from records.models.record import TOKEN_KIND
from records.own_numbers import not_of_client
from records.queries.batch import AskedRow
from records.queries.batch_again import RowGiven
from records.queries.grants import permitted_purpose
from records.services import batch_checks, check_results
from records.services.queries import OUTSIDE_PURPOSE
from records.tasks import queue_check

MOST, USUAL = 5000, 1000
REQUIRED, PERSON = ("purpose", "authority", "case_number", "people"), ("name", "document", "number")
TAGS = ["queries"]
KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER,
    description=(
        "Name of this list, such as a UUID: sent again under it, also after a lost answer, it is checked once; another"
        " list under it gets 409. It may be left out; then each call is a list of its own, and under consent each takes"
        " a use of every person's consent."
    ),
    examples=[OpenApiExample("A UUID", value="0b9f6d5e-6f0c-4b55-9a0e-2f8f7d1c3a41")],
)  # fmt: skip
LOCATION = OpenApiParameter(
    "Location", str, OpenApiParameter.HEADER, response=[202], description="Where to ask for progress, as `address`."
)
KEY_OF_LIST = refusal(
    "idempotency_key_reused",
    "This Idempotency-Key was used for another delivery. Send every new delivery under a new key.",
)
PAGES = [
    OpenApiParameter("after", int, description="Rows after this one."),
    OpenApiParameter("limit", int, description=f"Rows per page, 1 to {MOST}; {USUAL} where not given."),
]


class Checks(bodies.AboutPersons):
    """`POST /api/v1/queries/batch/`."""

    scopes = (Scope.QUERIES_WRITE,)

    @extend_schema(
        operation_id="batch_check",
        tags=TAGS,
        parameters=[KEY, LOCATION],
        request=forms.ListForm,
        responses={
            202: forms.CheckForm,
            **error_answers(400, 401, 403, 409, 413, 415, 429, but={400: MISSING, 409: KEY_OF_LIST}),
        },
        examples=[
            forms.example("A list", forms.LIST, request_only=True),
            forms.example("Taken in", forms.CHECK, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Check a list of up to 100,000 persons for a clean record; 202 with the address to ask for progress.

        A bad row never stops the others. Under consent each person's own consent is found, and one use of it is taken.
        """
        wanted, case_number, people = self._wanted(bodies.object_of(request))
        batch, new = batch_checks.submit_list(
            agency=self.agency, client=self.client, purpose=wanted.code, case_number=case_number,
            people=people, key=key_of(request),
        )  # fmt: skip
        if new and batch.state == BatchCheckState.CHECKING:
            queue_check(batch.pk)
        told = _told(request, batch)
        response = private(told, 202)
        response["Location"] = told["address"]
        return response

    def _wanted(self, said: dict[str, Any]) -> tuple[Purpose, str, list[AskedRow]]:
        """Purpose, case and persons of a list. Raises Invalid with everything wrong at once, PurposeNotOpen."""
        words = bodies.read(said, required=REQUIRED, optional=("reference",), others=("people",))
        problems = [*words.problems, *bodies.unknown(_keys_of(said.get("people")), PERSON, "people")]
        if problems:
            raise Invalid(problems)
        wanted = permitted_purpose(words.texts["purpose"], self.agency)
        if not wanted.gives_eligibility:
            raise Invalid([FieldProblem("purpose", "outside_purpose", OUTSIDE_PURPOSE)])
        named = bodies.Named(words.texts["authority"], words.texts["reference"])
        if problems := bodies.authority_problems(wanted, named):
            raise Invalid(problems)
        return wanted, words.texts["case_number"], people_of(said["people"])


class Check(bodies.AboutPersons):
    """`GET /api/v1/queries/batch/{batch}/`."""

    scopes = (Scope.QUERIES_WRITE,)

    @extend_schema(
        operation_id="batch_check_state",
        tags=TAGS,
        responses={200: forms.CheckForm, **error_answers(401, 403, 404, 429)},
        examples=[forms.example("Done", {**forms.CHECK, "state": "done", "checked": 2}, response_only=True)],
    )
    def get(self, request: Request, check: str) -> Response:
        """How far the list is worked off."""
        return private(_told(request, own_check(self, check)))


class Results(bodies.AboutPersons):
    """`GET /api/v1/queries/batch/{batch}/results/`."""

    scopes = (Scope.QUERIES_WRITE,)

    @extend_schema(
        operation_id="batch_check_results",
        tags=TAGS,
        parameters=PAGES,
        responses={200: forms.ResultsForm, **error_answers(400, 401, 403, 404, 409, 429, but={400: NO_NUMBER})},
        examples=[forms.example("A page", forms.RESULTS, response_only=True)],
    )
    def get(self, request: Request, check: str) -> Response:
        """The answers by the place of each row; that they were fetched is noted. 409 before the check is done.

        A row whose person has withdrawn the consent, or whose consent has ended, has the problem `consent_ended` and no
        answer any more; one that rests on a record which has changed since has `answer_outdated`. Rows fetched before
        are registered again, for the person to read.
        """
        own = own_check(self, check)
        limit = whole_number(request, "limit", usual=USUAL, least=1, most=MOST)
        after = whole_number(request, "after", usual=0, least=0, most=2**31 - 1)
        with audit.context(actor=None, door=Door.API, reason="batch results fetched", agency_id=own.agency_id):
            rows, more = check_results.page(own, after=after, limit=limit)
        following = None
        if more:
            page = f"{reverse('api:batch-check-results', args=[own.token])}?after={rows[-1].row_number}"
            following = request.build_absolute_uri(f"{page}&limit={limit}")
        return private({"results": [_row(row) for row in rows], "next": following})


def own_check(view: bodies.AboutPersons, token: str) -> BatchCheck:
    """The list of that number which this client sent. Raises NotFoundHere."""
    pk = pk_of_token(BATCH_KIND, token)
    rows = BatchCheck.objects.select_related("agency__site", "purpose")
    found = rows.filter(pk=pk, client=view.client).first() if pk is not None else None
    if found is None:
        raise not_of_client(BATCH_KIND, view.client)
    return found


class _Person(msgspec.Struct):
    name: str = ""
    number: str = ""
    document: str = ""


def _keys_of(people: Any) -> dict[str, None]:
    """The names of all fields of all persons of a list in their order; what is no list of objects has none."""
    persons = [one for one in people if isinstance(one, dict)] if isinstance(people, list) else []
    return dict.fromkeys(name for one in persons for name in one)


def people_of(said: Any) -> list[AskedRow]:
    """Whom a list asks for, numbered from 1. Raises Invalid where it is no list of persons."""
    try:
        people = msgspec.convert(said, list[_Person])
    except msgspec.ValidationError as error:
        sentence = _("Give a list of objects with the texts “name”, “number” and, if need be, “document”.")
        raise Invalid([FieldProblem("people", "malformed", sentence)]) from error
    return [AskedRow(place, one.name, one.number, one.document) for place, one in enumerate(people, 1)]


def _told(request: Request, batch: BatchCheck) -> dict[str, Any]:
    return {
        "batch": batch.token,
        "state": batch.state,
        "rows": batch.rows,
        "checked": batch.checked,
        "refusal": batch.refusal,
        "keep_until": batch.keep_until.isoformat() if batch.keep_until else None,
        "address": request.build_absolute_uri(reverse("api:batch-check", args=[batch.token])),
        "results": request.build_absolute_uri(reverse("api:batch-check-results", args=[batch.token])),
    }


def _row(row: RowGiven) -> dict[str, Any]:
    records = [public_token(TOKEN_KIND, pk) for pk in row.records]
    said = {"outcome": row.outcome, "problem": row.problem, "reasons": row.reasons}
    return {"row": row.row_number, **said, "records": records}
