"""The search page. Only words that surely are an organisation's travel in the address; all others are posted."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt

from creditplatform.core.permissions import anyone, rule
from publicity.rules import looks_personal, surely_organisation
from publicity.selectors.search import find, tidy
from publicity.views.sites import site_of

REFUSED = "refused"
NUMBER, ADDRESS = "number", "address"


@rule(anyone)
@csrf_exempt  # changes nothing; visitors without cookies may search too
@cache_control(no_store=True)
def results(request: HttpRequest, site: str) -> HttpResponse:
    """Public records for the words in `q`.

    The form posts and is answered at once, so that a name or number of a person never stands in an address,
    a history or a log; older pages are asked for by posting again. Words that surely are an organisation's are
    sent on to an address that can be kept. Others that come in an address are dropped from it unread.
    """
    here = site_of(request)
    given, posted = (request.POST, True) if request.method == "POST" else (request.GET, False)
    query = tidy(given.get("q", ""))
    if looks_personal(query):
        return _send_on(here.code, {REFUSED: NUMBER})
    harmless = surely_organisation(query)
    if query and harmless == posted:
        return _send_on(here.code, {"q": query} if harmless else {REFUSED: ADDRESS})
    context: dict[str, object] = {"query": query, "refused": request.GET.get(REFUSED, "")}
    if query:
        context |= {"posted": posted, "kept": urlencode({"q": query}) if harmless else ""}
        context["found"] = find(here, query, given.get("after", ""))
    return render(request, "publicity/search.html", context)


def _send_on(site: str, parameters: dict[str, str]) -> HttpResponse:
    return redirect(f"{reverse('publicity:search', args=[site])}?{urlencode(parameters)}")
