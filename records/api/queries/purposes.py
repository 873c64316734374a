"""For what a client may ask: the purposes open to its unit, with all that a question or a request must name."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from creditplatform.core.api import ApiView
from creditplatform.core.enums import Authority, Scope
from records.api.errors import error_answers
from records.api.queries.forms import example
from records.models import Purpose

OPEN = {
    "purposes": [
        {
            "code": "green-channel", "name": "绿色通道", "name_en": "Green channel",
            "authority": "consent", "reference": "", "legal_basis": "惠州市实施方案（三）1", "needs_consent": True,
            "needs_approval": False, "eligibility": True, "records": False, "fields": ["administrative-penalty"],
            "longest_days": 90, "most_uses": 3,
        },
        {
            "code": "company-officer", "name": "公司董事、监事、高级管理人员任职资格核对",
            "name_en": "Check of company directors, supervisors and senior managers",
            "authority": "statute", "reference": "company-law-178", "legal_basis": "《公司法》第一百七十八条",
            "needs_consent": False, "needs_approval": False, "eligibility": False, "records": True,
            "fields": ["judgment-defaulter"], "longest_days": None, "most_uses": None,
        },
    ]
}  # fmt: skip


class PurposeForm(serializers.Serializer):  # type: ignore[misc]
    """A purpose of use that is open to the client's unit today."""

    code = serializers.CharField(help_text="Name it as `purpose`.")
    name = serializers.CharField(help_text="In Chinese.")
    name_en = serializers.CharField(help_text="In English.")
    authority = serializers.ChoiceField(
        [Authority.CONSENT.value, Authority.STATUTE.value], help_text="Name it as `authority`."
    )
    reference = serializers.CharField(
        allow_blank=True,
        help_text="Code of the statute, to be named as `reference`. Under consent empty: name the person's receipt.",
    )
    legal_basis = serializers.CharField(allow_blank=True, help_text="What the purpose rests on, as it is cited.")
    needs_consent = serializers.BooleanField(help_text="Ask the person first: `POST /api/v1/authorisations/`.")
    needs_approval = serializers.BooleanField(help_text="A second person of the unit approves each question first.")
    eligibility = serializers.BooleanField(help_text="A yes or no may be asked for, alone and in lists.")
    records = serializers.BooleanField(help_text="Records may be asked for.")
    fields = serializers.ListField(
        child=serializers.CharField(), help_text="Kinds of record it covers, each as `entry` or `entry.field`."
    )
    longest_days = serializers.IntegerField(allow_null=True, help_text="A consent lasts no longer. None by statute.")
    most_uses = serializers.IntegerField(allow_null=True, help_text="A consent has no more uses. None by statute.")


class PurposesForm(serializers.Serializer):  # type: ignore[misc]
    """The purposes that are open, by code; none where the unit may ask for nothing."""

    purposes = PurposeForm(many=True)


class Purposes(ApiView):
    """`GET /api/v1/purposes/`."""

    scopes = (Scope.QUERIES_WRITE,)

    @extend_schema(
        operation_id="purposes",
        tags=["queries"],
        responses={200: PurposesForm, **error_answers(401, 403, 429)},
        examples=[example("Under consent, and by statute", OPEN, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """For what the client's unit may ask today, and what each question must name.

        Drafts, purposes that are out of force and those of other units are not among them.
        """
        found = Purpose.objects.open_to(self.agency).select_related("legal_basis").order_by("code")
        return Response({"purposes": [_told(one) for one in found]})


def _told(purpose: Purpose) -> dict[str, Any]:
    by_consent = purpose.needs_consent
    return {
        "code": purpose.code,
        "name": purpose.name,
        "name_en": purpose.name_en,
        "authority": (Authority.CONSENT if by_consent else Authority.STATUTE).value,
        "reference": "" if by_consent else purpose.legal_basis_id or "",
        "legal_basis": purpose.legal_basis.original_citation if purpose.legal_basis else "",
        "needs_consent": by_consent,
        "needs_approval": purpose.needs_approval,
        "eligibility": purpose.gives_eligibility,
        "records": purpose.gives_records,
        "fields": purpose.fields,
        "longest_days": purpose.longest_days if by_consent else None,
        "most_uses": purpose.most_uses if by_consent else None,
    }
