"""Acts that offend the constraints of purposes, consent, queries, reviews, representations and reports."""

import datetime

from django.utils import timezone

from creditplatform.core.enums import Scope
from records.models import PurposeUser
from tests.machines import machine
from tests.records.provocations import provokes
from tests.records.query_rows import (
    HOUR,
    INDEX,
    a_check,
    a_consent,
    a_deferral,
    a_human_review,
    a_kept_answer,
    a_link,
    a_purpose,
    a_query,
    a_report,
    a_representation,
    a_review,
    a_row,
)  # fmt: skip
from tests.records.world import DAY, World


@provokes("purpose_has_basis")
def _(w: World) -> None:
    a_purpose(state="retired")


@provokes("purpose_has_fields")
def _(w: World) -> None:
    a_purpose(fields=[])


@provokes("purpose_gives_something")
def _(w: World) -> None:
    a_purpose(gives_records=False)


@provokes("purpose_user_once")
def _(w: World) -> None:
    for _turn in range(2):
        PurposeUser.objects.create(purpose_id="loan", agency=w.market)


@provokes("purpose_user_ends_after_start")
def _(w: World) -> None:
    PurposeUser.objects.create(purpose_id="loan", agency=w.market, valid_from=DAY, valid_until=DAY)


@provokes("authorisation_within_uses")
def _(w: World) -> None:
    a_consent(w, uses=2)


@provokes("authorisation_within_request")
def _(w: World) -> None:
    a_consent(w, granted_fields=["c"])


@provokes("authorisation_granted_is_bounded")
def _(w: World) -> None:
    a_consent(w, granted_fields=[])


@provokes("authorisation_ends_after_start")
def _(w: World) -> None:
    now = timezone.now()
    a_consent(w, valid_from=now, expires_at=now)


@provokes("authorisation_asked_by_one")
def _(w: World) -> None:
    a_consent(w, requested_by=None)


@provokes("share_link_bounded")
def _(w: World) -> None:
    a_link(w, fields=[])


@provokes("share_link_guesses")
def _(w: World) -> None:
    a_link(w, wrong_codes=6)


@provokes("share_link_opened_in_time")
def _(w: World) -> None:
    end = timezone.now() + HOUR
    a_link(w, expires_at=end, opened_at=end)


@provokes("query_has_case")
def _(w: World) -> None:
    a_query(w, case_number="")


@provokes("query_two_people")
def _(w: World) -> None:
    a_query(w, approved_by=w.cast.clerk)


@provokes("query_answered_is_dated")
def _(w: World) -> None:
    a_query(w, state="answered")


@provokes("batch_check_has_case")
def _(w: World) -> None:
    a_check(w, case_number="")


@provokes("batch_check_two_people")
def _(w: World) -> None:
    a_check(w, approved_by=w.cast.clerk)


@provokes("batch_check_key_once")
def _(w: World) -> None:
    client = machine(Scope.QUERIES_WRITE)
    for _turn in range(2):
        a_check(w, client=client, asked_by=None, key="k")


@provokes("batch_check_counts")
def _(w: World) -> None:
    a_check(w, checked=1)


@provokes("batch_check_done_is_dated")
def _(w: World) -> None:
    a_check(w, state="done")


@provokes("batch_check_row_once")
def _(w: World) -> None:
    check = a_check(w)
    a_row(w, batch=check)
    a_row(w, batch=check)


@provokes("batch_check_row_answered")
def _(w: World) -> None:
    a_row(w, outcome="")


@provokes("query_cleared_when_closed")
def _(w: World) -> None:
    a_query(w, cleared_at=timezone.now(), number_sealed=None, name_sealed=None)


@provokes("representation_cleared_when_ended")
def _(w: World) -> None:
    a_representation(w, cleared_at=timezone.now())


@provokes("kept_answer_once")
def _(w: World) -> None:
    client = machine(Scope.QUERIES_WRITE)
    for _time in range(2):
        a_kept_answer(client)


@provokes("human_review_decided_by_somebody")
def _(w: World) -> None:
    a_human_review(w, state="decided", decision="yes")


@provokes("access_review_once")
def _(w: World) -> None:
    a_review(w)
    a_review(w)


@provokes("access_review_second_person")
def _(w: World) -> None:
    a_review(w, reviewed_by=w.cast.clerk)


@provokes("access_review_ends_with_grounds")
def _(w: World) -> None:
    a_review(w, state="right")


@provokes("access_deferral_once")
def _(w: World) -> None:
    a_deferral(w)
    a_deferral(w)


@provokes("access_deferral_two_people")
def _(w: World) -> None:
    a_deferral(w, approved_by=w.cast.officer, approved_at=timezone.now())


@provokes("representation_two_persons")
def _(w: World) -> None:
    a_representation(w, representative=w.person)


@provokes("representation_has_scope")
def _(w: World) -> None:
    a_representation(w, scope=[])


@provokes("representation_ends_after_start")
def _(w: World) -> None:
    a_representation(w, valid_until=DAY)


@provokes("representation_attorney_has_end")
def _(w: World) -> None:
    a_representation(w, kind="attorney")


@provokes("representation_decided_by_somebody")
def _(w: World) -> None:
    a_representation(w, state="confirmed", checked_by=w.cast.centre, checked_at=timezone.now())


@provokes("representation_two_people")
def _(w: World) -> None:
    a_representation(w, decided_by=w.cast.stranger)


@provokes("representation_once")
def _(w: World) -> None:
    a_representation(w)
    a_representation(w)


@provokes("credit_report_revoked_is_dated")
def _(w: World) -> None:
    a_report(w, state="revoked")


@provokes("credit_report_period_in_order")
def _(w: World) -> None:
    a_report(w, period_from=DAY, period_until=DAY - datetime.timedelta(days=1))


@provokes("credit_report_complete")
def _(w: World) -> None:
    a_report(w, pdf_digest="")


@provokes("human_review_second_person")
def _(w: World) -> None:
    a_human_review(
        w, looked_by=w.cast.officer, state="decided", decision="yes", grounds="x", decided_by=w.cast.officer,
        decided_at=timezone.now(),
    )  # fmt: skip


@provokes("human_review_one_open_of_number")
def _(w: World) -> None:
    for _turn in range(2):
        a_human_review(w, subject=None, number_index=INDEX)


@provokes("human_review_one_open")
def _(w: World) -> None:
    for _turn in range(2):
        a_human_review(w)
