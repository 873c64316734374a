"""A list of many persons against as many single calls: the same question, the same rule, a line in the log for each.

Aim: 10,000 rows at least 50 times faster than 10,000 single calls over the interface.
"""

import json
import time

from django.conf import settings

from benchmarks.contest import Figures, context
from benchmarks.contract import Result
from benchmarks.delivery import peak_mb
from benchmarks.eligibility import called
from benchmarks.people import CASE, PURPOSE, ask_by_statute, name_of, number_of, put_on_file
from creditplatform.wsgi import application
from records.enums import BatchCheckState
from records.models import BatchCheck, Purpose
from records.queries.batch import AskedRow
from records.services import batch_checks

ROWS, SINGLE, TURNS, AIM = 10_000, 500, 3, 50.0


def run(rows: int | None) -> Result:
    """The list taken in and worked off, from the rows to the answers; single calls for a part of it, by turns."""
    settings.API_CALLS_PER_MINUTE = 10**9
    count = rows or ROWS
    agency, token = ask_by_statute()
    put_on_file(agency, 0, count)
    people = [AskedRow(place + 1, name_of(place), number_of(place)) for place in range(count)]
    statute = Purpose.objects.get(pk=PURPOSE).legal_basis_id
    words = {"purpose": PURPOSE, "authority": "statute", "reference": statute, "case_number": CASE}
    single = min(SINGLE, count)
    bodies = [json.dumps({**words, "name": one.name, "number": one.number}).encode() for one in people[:single]]
    client = agency.api_clients.get()
    figures = Figures()
    for _turn in range(TURNS):
        started = time.perf_counter()
        with context():
            batch, _new = batch_checks.submit_list(
                agency=agency, client=client, purpose=PURPOSE, case_number=CASE, people=people
            )
        done = batch_checks.work_off(BatchCheck.objects.get(pk=batch.pk))
        figures.note("ours", count, time.perf_counter() - started)
        if (done.state, done.checked) != (BatchCheckState.DONE, count):
            raise RuntimeError(f"Of {count} rows {done.checked} were checked.")
        figures.note("single_calls", single, called(application, "/api/v1/eligibility/", token, bodies))
    figures.peak_mb = peak_mb()
    return figures.result("batch_check", {"single_calls": AIM})
