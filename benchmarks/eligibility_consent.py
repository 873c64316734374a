"""The eligibility call under a person's consent, beside the same bare view: one use is taken for every answer.

Aim: 0.6 of the requests per second of the bare view, as for a call by statute.
"""

from benchmarks.contract import Result
from benchmarks.eligibility import CALLS, ON_FILE, TURNS, body_of, measured
from benchmarks.people import ask_by_statute, consents, put_on_file


def run(rows: int | None) -> Result:
    """So many calls a turn, each with the receipt of the person asked about."""
    calls = rows or CALLS
    agency, token = ask_by_statute(consent=True)
    put_on_file(agency, 0, min(ON_FILE, 20 * calls))
    receipts = consents(agency, calls, uses=2 * TURNS + 2)
    bodies = [body_of(place, "consent", receipt) for place, receipt in enumerate(receipts)]
    return measured("eligibility_consent", token, bodies)
