"""The eligibility call through the whole web application, beside a bare view in the same application, by turns.

Aim: 0.6 of the requests per second of a view that checks the same token and makes one indexed SELECT and one INSERT.
"""

import io
import json
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.cache import cache

from benchmarks.contest import Figures
from benchmarks.contract import Result
from benchmarks.delivery import peak_mb
from benchmarks.people import CASE, PURPOSE, ask_by_statute, name_of, number_of, put_on_file
from creditplatform.wsgi import application
from records.models import Purpose

CALLS, TURNS, WARM, ON_FILE = 1000, 5, 50, 20_000
AIM = 0.6
Application = Callable[[dict[str, Any], Callable[..., Any]], Any]


def run(rows: int | None) -> Result:
    """So many calls a turn, ours and the bare view's by turns; the best turn of each counts."""
    calls = rows or CALLS
    agency, token = ask_by_statute()
    put_on_file(agency, 0, min(ON_FILE, 20 * calls))
    statute = Purpose.objects.get(pk=PURPOSE).legal_basis_id
    return measured("eligibility", token, [body_of(place, "statute", str(statute)) for place in range(calls)])


def body_of(place: int, authority: str, reference: str) -> bytes:
    """The body of a call about the person at a place."""
    words = {"purpose": PURPOSE, "authority": authority, "reference": reference, "case_number": CASE}
    return json.dumps({**words, "name": name_of(place), "number": number_of(place)}).encode()


def measured(benchmark: str, token: str, bodies: list[bytes]) -> Result:
    """These calls and the bare view's, by turns."""
    settings.ROOT_URLCONF = "benchmarks.bare"
    settings.API_CALLS_PER_MINUTE = 10**9
    settings.DEBUG_PROPAGATE_EXCEPTIONS = True
    figures = Figures()
    for turn in range(-1, TURNS):
        for name, path in (("ours", "/api/v1/eligibility/"), ("bare_view", "/api/bare/")):
            some = bodies if turn >= 0 else bodies[:WARM]
            seconds = called(application, path, token, some)
            if turn >= 0:
                figures.note(name, len(some), seconds)
    cache.clear()
    figures.peak_mb = peak_mb()
    result = figures.result(benchmark, {"bare_view": AIM})
    return Result(**{**result.__dict__, "unit": "calls/s"})


def called(application: Application, path: str, token: str, bodies: list[bytes]) -> float:
    """Seconds for these calls, one after the other; raises RuntimeError for any answer but 200."""
    started = time.perf_counter()
    for body in bodies:
        status: list[str] = []
        answer = application(_environment(path, token, body), lambda code, *_rest, told=status: told.append(code))
        said = b"".join(answer)
        answer.close()
        if not status[0].startswith("200"):
            raise RuntimeError(f"{path} answered {status[0]}: {len(said)} bytes")
    return time.perf_counter() - started


def _environment(path: str, token: str, body: bytes) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST", "PATH_INFO": path, "SCRIPT_NAME": "", "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "HTTP_AUTHORIZATION": f"Bearer {token}",
        "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(), "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0), "wsgi.multithread": False, "wsgi.multiprocess": True, "wsgi.run_once": False,
    }  # fmt: skip
