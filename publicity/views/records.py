"""The page of one public record, and the same as structured data."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from creditplatform.core.enums import Door
from creditplatform.core.permissions import anyone, rule
from publicity.selectors.records import record_page
from publicity.serializers import RecordSerializer
from publicity.services import note_disclosure
from publicity.views.sites import known_user, site_of

# Search engines keep copies that outlive the publication period; browsers and proxies may keep none at all.
FOR_ROBOTS = "noindex, noarchive, nosnippet"


@rule(anyone)
@cache_control(no_store=True)
def page(request: HttpRequest, site: str, token: str) -> HttpResponseBase:
    """A record that is public right now; for any other token one and the same answer, whatever the cause."""
    if request.GET.get("format") == "json":
        data: HttpResponseBase = RecordData.as_view()(request, site=site, token=token)
        return data
    here = site_of(request)
    shown = record_page(here, token)
    if shown is None:
        return _robots(render(request, "publicity/record_gone.html", status=404))
    note_disclosure(page=shown, user=known_user(request))
    return _robots(render(request, "publicity/record.html", {"page": shown, "record": shown.record}))


@method_decorator(cache_control(no_store=True), name="dispatch")
@rule(anyone)
class RecordData(APIView):  # type: ignore[misc]  # the framework bears no types
    """A public record as JSON: the facts of its page, and not one more."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    renderer_classes = (JSONRenderer,)

    def get(self, request: Request, site: str, token: str) -> Response:
        """The record, or 404 with the same words for every token that shows nothing today."""
        shown = record_page(site_of(request._request), token)
        if shown is None:
            raise NotFound(_("There is no public record at this address."))
        note_disclosure(page=shown, user=None, door=Door.API)
        return Response(RecordSerializer(shown).data, headers={"X-Robots-Tag": FOR_ROBOTS})


def _robots(response: HttpResponse) -> HttpResponse:
    response["X-Robots-Tag"] = FOR_ROBOTS
    return response
