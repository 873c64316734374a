"""The eligibility call beside millions of records, and beside fifty thousand: the cost does not depend on them.

Aim: at 5 million records within 1.2 times of the time at 50,000.
"""

import json
from collections.abc import Iterator

from django.conf import settings

from benchmarks.contest import Figures
from benchmarks.contract import Result
from benchmarks.delivery import peak_mb
from benchmarks.eligibility import called
from benchmarks.feed_flatness import fill
from benchmarks.people import CASE, PURPOSE, ask_by_statute, name_of, number_of, put_on_file
from creditplatform.wsgi import application
from records.models import Purpose

SMALL, LARGE, CALLS, TURNS, AIM = 50_000, 5_000_000, 1000, 5, 0.83


def run(rows: int | None) -> Result:
    """Turns beside few records, then beside many; every call about another person. `rows` is the larger number."""
    settings.API_CALLS_PER_MINUTE = 10**9
    agency, token = ask_by_statute()
    put_on_file(agency, 0, SMALL, fined_every=1)
    figures, places = Figures(), iter(range(0, SMALL, 3))
    statute = str(Purpose.objects.get(pk=PURPOSE).legal_basis_id)
    for name in ("flatness", "ours"):
        if name == "ours":
            fill(rows or LARGE, times=SMALL)
        for turn in range(-1, TURNS):
            bodies = list(_bodies(places, statute, CALLS if turn >= 0 else CALLS // 10))
            seconds = called(application, "/api/v1/eligibility/", token, bodies)
            if turn >= 0:
                figures.note(name, len(bodies), seconds)
    figures.peak_mb = peak_mb()
    return figures.result("query_flatness", {"flatness": AIM})


def _bodies(places: Iterator[int], statute: str, count: int) -> Iterator[bytes]:
    words = {"purpose": PURPOSE, "authority": "statute", "reference": statute, "case_number": CASE}
    for _call in range(count):
        place = next(places)
        yield json.dumps({**words, "name": name_of(place), "number": number_of(place)}).encode()
