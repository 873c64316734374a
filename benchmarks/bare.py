"""The bare view that the eligibility call is measured against: the same token, one indexed SELECT, one INSERT."""

import json

from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from creditplatform.core.api import token_allows
from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import Authority, Door, Scope
from creditplatform.core.permissions import anyone, rule
from records.identifiers import IdentifierKind, identifier
from records.models import Subject


@csrf_exempt
@rule(anyone)
def bare(request: HttpRequest) -> JsonResponse:
    """Whether anybody is on file under the number; nothing else a real answer needs."""
    if not token_allows(request, [Scope.ELIGIBILITY_READ]):
        return JsonResponse({"code": "token_invalid"}, status=401)
    said = json.loads(request.body)
    index = identifier(IdentifierKind.RESIDENT_ID, said["number"]).blind_index
    subject = Subject.objects.filter(number_index=index).values_list("pk", flat=True).first()
    record_disclosure(
        subject_ref=subject or 0, actor=None, purpose=said["purpose"], authority=Authority.STATUTE,
        reference=said["reference"], case_number=said["case_number"],
        fields=["eligibility"], door=Door.API,
    )  # fmt: skip
    return JsonResponse({"on_file": subject is not None})


urlpatterns = [path("api/bare/", bare), path("", include("creditplatform.urls"))]
