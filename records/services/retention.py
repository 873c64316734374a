"""What is kept no longer than needed: name and number of closed queries, papers of representations that have ended,
the words of both sides of announcements that have ended, and copies of words that the public no longer reads.

What proves the act stays: who asked or decided, when, for which purpose and case, on what authority, with what result,
and the keyed index of the number. The years are rules that the centre confirms; until then nothing is removed.
"""

import datetime
from contextlib import suppress

from django.db import transaction
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import Conflict, Invalid
from creditplatform.core.rules import RuleMissing, load_rulebook
from records import papers
from records.enums import QueryState, RepresentationState
from records.models import PriorNotice, PublicWords, Query, Representation
from records.rules import add_months
from records.workflows.public_words import PUBLIC_WORDS
from records.workflows.representation import REPRESENTATION, STANDS

QUERIES = "retention.query_numbers.years"
PAPERS = "retention.representation_papers.years"
ANNOUNCEMENTS = "retention.prior_notice_words.years"
AT_A_TIME = 1000
CLOSED = (QueryState.REFUSED, QueryState.CLOSED)


def run_all(*, on: datetime.date, door: Door) -> dict[str, int]:
    """Everything whose time is over on that day; counts by kind. Run again it finds nothing left."""
    return {
        "representations_ended": end_representations(on=on, door=door),
        "query_numbers_removed": clear_queries(on=on, door=door),
        "representation_papers_removed": clear_papers(on=on, door=door),
        "announcement_words_removed": clear_announcements(on=on, door=door),
        "public_words_ended": end_words(on=on, door=door),
    }


def end_representations(*, on: datetime.date, door: Door) -> int:
    """Close representations whose last day has passed; that they hold no longer is asked of their dates."""
    ended = 0
    due = Representation.objects.filter(state__in=STANDS, valid_until__lte=on).order_by("pk")
    for case in due[:AT_A_TIME]:
        try:
            with audit.context(actor=None, door=door, reason="representation is over"):
                REPRESENTATION.take("expire", case, user=None, on=on)
            ended += 1
        except (Conflict, Invalid):
            continue  # ended by somebody at this moment
    return ended


def clear_queries(*, on: datetime.date, door: Door) -> int:
    """Remove name and number of queries that are closed and were asked so many years before that day."""
    before, removed = _before(QUERIES, on), 0
    if before is None:
        return 0
    due = Query.objects.filter(state__in=CLOSED, cleared_at=None, asked_at__lt=before).order_by("asked_at")
    while keys := list(due.values_list("pk", flat=True)[:AT_A_TIME]):
        with audit.context(actor=None, door=door, reason="query kept long enough"):
            removed += Query.objects.filter(pk__in=keys, state__in=CLOSED, cleared_at=None).update(
                number_sealed=None, name_sealed=None, cleared_at=timezone.now()
            )
    return removed


def clear_papers(*, on: datetime.date, door: Door) -> int:
    """Remove the papers of representations that ended or were refused so many years before that day.

    The file goes first: whoever is stopped between file and row removes nothing twice and leaves no file behind.
    """
    before, removed = _before(PAPERS, on), 0
    if before is None:
        return 0
    ended = Representation.objects.filter(state=RepresentationState.ENDED, ended_at__lt=before)
    refused = Representation.objects.filter(state=RepresentationState.REFUSED, decided_at__lt=before)
    for pk in (ended | refused).filter(cleared_at=None).order_by("pk").values_list("pk", flat=True)[:AT_A_TIME]:
        with audit.context(actor=None, door=door, reason="papers kept long enough"), transaction.atomic():
            case = Representation.objects.select_for_update(of=("self",), no_key=True).get(pk=pk)
            if case.papers:
                papers.remove(case.papers)
            case.papers, case.asked_name, case.asked_number, case.cleared_at = "", None, None, timezone.now()
            case.save(update_fields=["papers", "asked_name", "asked_number", "cleared_at"])
            removed += 1
    return removed


def clear_announcements(*, on: datetime.date, door: Door) -> int:
    """Remove what was announced and replied in announcements that ended so many years before that day."""
    before, removed = _before(ANNOUNCEMENTS, on), 0
    if before is None:
        return 0
    due = PriorNotice.objects.filter(ended_at__lt=before, cleared_at=None).order_by("pk")
    while keys := list(due.values_list("pk", flat=True)[:AT_A_TIME]):
        with audit.context(actor=None, door=door, reason="announcement kept long enough"):
            removed += PriorNotice.objects.filter(pk__in=keys, cleared_at=None).update(
                intended=None, reply=None, considered=None, cleared_at=timezone.now()
            )
    return removed


def end_words(*, on: datetime.date, door: Door) -> int:
    """End what was to be shown with records that are no longer in force; the copy of the words goes with it.

    That the public page shows it no longer is asked of the record, never of this.
    """
    ended = 0
    for words in PublicWords.objects.without_record(on=on).order_by("pk")[:AT_A_TIME]:
        with suppress(Conflict), audit.context(actor=None, door=door, reason="record of the words is over"):
            PUBLIC_WORDS.take("end", words, user=None)
            ended += 1
    return ended


def _before(rule: str, on: datetime.date) -> datetime.datetime | None:
    """What came before that moment is over on that day; None while no rule says how long it is kept."""
    try:
        years: int = load_rulebook().value(rule, on)
    except RuleMissing:
        return None
    day = add_months(on, -12 * years)
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time()))
