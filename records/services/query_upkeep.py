"""What a date brings about among queries: approvals that run out, results that are removed, reviews that are opened."""

import datetime

from django.db.models import Q
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import Conflict, Invalid
from creditplatform.core.rules import load_rulebook
from records.enums import QueryState
from records.models import Query
from records.services import access_alarms, batch_checks, human_review, kept_answers, retention
from records.workflows.query import OPEN_DAYS, QUERY

MOST = 1000
OPEN = (QueryState.SUBMITTED, QueryState.APPROVED, QueryState.ANSWERED)


def run_all(*, on: datetime.date, door: Door) -> dict[str, int]:
    """Everything that falls due on or before that day; counts by kind. Run again it finds nothing left."""
    return {
        "queries_closed": lapse_due(on=on, door=door),
        "kept_answers_removed": kept_answers.remove_due(on=on, door=door),
        "batch_results_removed": batch_checks.clear_due(on=on, door=door),
        "human_reviews_ended": human_review.end_over(on=on, door=door),
        "human_reviews_told": human_review.tell_waiting(on=on, door=door),
        **retention.run_all(on=on, door=door),
        "access_reviews_opened": access_alarms.review_last_days(today=on, door=door),
    }


def lapse_due(*, on: datetime.date, door: Door) -> int:
    """Close queries whose days have passed; nothing waits for it, since the days are asked of the dates."""
    days = load_rulebook().value(OPEN_DAYS, on)
    before = timezone.make_aware(datetime.datetime.combine(on - datetime.timedelta(days=days), datetime.time()))
    closed = 0
    over = Q(decided_at=None) | Q(decided_at__lt=before)
    for query in Query.objects.filter(over, state__in=OPEN, asked_at__lt=before).order_by("pk")[:MOST]:
        try:
            with audit.context(actor=None, door=door, reason="query lapsed", agency_id=query.agency_id):
                QUERY.take("lapse", query, user=None, on=on)
            closed += 1
        except (Conflict, Invalid):
            continue  # closed by somebody at this moment, or approved later than asked and so still open
    return closed
