"""Credit reports over the interface: made with a consent, fetched as files. A refusal keeps its line."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils.timezone import localtime
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from creditplatform.core.enums import Door, Scope
from creditplatform.core.errors import NotFoundHere
from creditplatform.core.unstored import unstored
from records.api.errors import KEY_USED, MISSING, NOT_COVERED, error_answers
from records.api.queries import bodies, forms, keys
from records.api.queries.answers import refused
from records.models import CreditReport
from records.own_numbers import not_of_client
from records.queries.grants import NotAuthorised
from records.querysets.queries import REPORT_KIND
from records.reports.store import JWS, PDF
from records.services import unit_reports
from records.services.reports import NoReportOfMinors, verify_address

TAGS = ["authorisations"]
REFUSALS = {400: MISSING, 403: NOT_COVERED, 409: KEY_USED}
KEY = keys.parameters(
    "Name of this call, such as a UUID. Sent again under it within some hours, the same call gets the same answer and"
    " takes no further use of the consent; another call gets 409. After the consent was withdrawn it is refused.",
    [201],
)


class ReportRequest(bodies.AboutPersons):
    """`POST /api/v1/authorisations/{number}/report/`."""

    scopes = (Scope.QUERIES_WRITE,)

    @extend_schema(
        operation_id="report_make",
        tags=TAGS,
        parameters=KEY,
        request=forms.ReportRequestForm,
        responses={201: forms.ReportForm, **error_answers(400, 401, 403, 404, 409, 415, 429, 503, but=REFUSALS)},
        examples=[
            forms.example("Make one", forms.REPORT_REQUEST, request_only=True),
            forms.example("Made", forms.REPORT, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, number: str) -> Response:
        """Make a signed credit report with a consent of the client's unit; one use of the consent is taken.

        It shows what purpose and consent open and nothing else. Every consent that does not cover a report is refused
        in the same words: another unit's, unknown, used up, withdrawn, ended, or of a purpose that shows no records or
        wants a second person. Where the answer was lost, the same call under its key gets it again without a use.
        """
        said = bodies.object_of(request)
        words = bodies.texts(said, required=("case_number",), optional=("language",))
        language = words["language"] or settings.LANGUAGE_CODE
        asking = unit_reports.Asking(self.agency, number, words["case_number"], None, Door.API, language)
        keyed = keys.Keyed.of(request, self.client)
        kept = keyed.kept()
        try:
            if kept:
                return keys.again(unit_reports.told_again(kept, self.client), kept.status)
            issued = unit_reports.issue_noted(asking, address=request.build_absolute_uri("/"))
        except (NotAuthorised, NoReportOfMinors) as error:
            unit_reports.note_refused(asking)
            return refused(error)
        return keyed.answer(_told(request, issued.report), 201, issued.access)


class ReportFile(bodies.AboutPersons):
    """A file of a report; refusals are JSON whatever kind of file was asked for."""

    scopes = (Scope.QUERIES_WRITE,)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """A client asks for the kind of the file, which no renderer makes."""
        return super().perform_content_negotiation(request, force=True)

    def fetched(self, code: str, *, signed: bool) -> HttpResponse | Response:
        """The file; the look is registered before."""
        try:
            report = unit_reports.report_of(code, [self.agency.pk])
        except NotFoundHere:
            raise not_of_client(REPORT_KIND, self.client) from None
        try:
            data = unit_reports.download(report, user=None, door=Door.API, signed=signed)
        except NotAuthorised as error:
            return refused(error)
        return unstored(HttpResponse(data, content_type=JWS if signed else PDF))


class ReportPdf(ReportFile):
    """`GET /api/v1/reports/{report}/pdf/`."""

    @extend_schema(
        operation_id="report_pdf",
        tags=TAGS,
        responses={(200, PDF): bytes, **error_answers(401, 403, 404, 429)},
    )
    def get(self, request: Request, report: str) -> HttpResponse | Response:
        """The signed PDF, as long as the consent lasts and nothing was withdrawn; each time is a look of its own."""
        return self.fetched(report, signed=False)


class ReportJson(ReportFile):
    """`GET /api/v1/reports/{report}/json/`."""

    @extend_schema(
        operation_id="report_json",
        tags=TAGS,
        responses={(200, JWS): bytes, **error_answers(401, 403, 404, 429)},
    )
    def get(self, request: Request, report: str) -> HttpResponse | Response:
        """The same content as signed JSON (JWS), under the same conditions."""
        return self.fetched(report, signed=True)


def _told(request: Request, report: CreditReport) -> dict[str, Any]:
    return {
        "report": report.code,
        "issued_at": localtime(report.issued_at).isoformat(),
        "valid_until": report.valid_until.isoformat() if report.valid_until else None,
        "verify": verify_address(report.code, request.build_absolute_uri("/")),
        "pdf": request.build_absolute_uri(reverse("api:report-pdf", args=[report.code])),
        "json": request.build_absolute_uri(reverse("api:report-json", args=[report.code])),
    }
