"""The search page. Words travel in the address, personal numbers never do."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt

from creditplatform.core.permissions import anyone, rule
from publicity.rules import looks_personal
from publicity.selectors.search import find, tidy
from publicity.views.sites import site_of

REFUSED = "refused"


@rule(anyone)
@csrf_exempt  # changes nothing; visitors without cookies may search too
@cache_control(no_store=True)
def results(request: HttpRequest, site: str) -> HttpResponse:
    """Public records for the words in `q`.

    The form posts, so that a personal number typed by mistake never stands in an address, a history or a
    log; harmless words are sent on to an address that can be kept. A number that comes in an address
    nevertheless is dropped from it unread.
    """
    here = site_of(request)
    query = tidy(request.POST.get("q", "") if request.method == "POST" else request.GET.get("q", ""))
    if looks_personal(query):
        return _send_on(here.code, {REFUSED: "number"})
    if request.method == "POST":
        return _send_on(here.code, {"q": query})
    context: dict[str, object] = {"query": query, "refused": REFUSED in request.GET}
    if query:
        context["kept"] = urlencode({"q": query})
        context["found"] = find(here, query, request.GET.get("after", ""))
    return render(request, "publicity/search.html", context)


def _send_on(site: str, parameters: dict[str, str]) -> HttpResponse:
    return redirect(f"{reverse('publicity:search', args=[site])}?{urlencode(parameters)}")
