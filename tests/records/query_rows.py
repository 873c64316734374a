"""Rows of purposes, consent, queries, reviews, representations and reports, valid unless a test says otherwise.

`w` is whatever has a person, a cast and the market unit.
"""

import datetime
from typing import Any

from django.utils import timezone

from creditplatform.core.models import Agency, ApiClient
from records.models import (
    AccessDeferral,
    AccessReview,
    Authorisation,
    BatchCheck,
    BatchCheckRow,
    CatalogueEntry,
    CreditRecord,
    CreditReport,
    HumanReview,
    KeptAnswer,
    PriorNotice,
    PublicWords,
    Purpose,
    Query,
    Representation,
    ShareLink,
    WindowRequest,
)  # fmt: skip
from tests.deliveries import one_record

DAY = datetime.date(2026, 1, 1)
HOUR = datetime.timedelta(hours=1)
INDEX = b"0" * 16


def a_purpose(**values: Any) -> Purpose:
    words = {
        "code": "test-use", "name": "用途", "name_en": "Use", "area": "market", "explanation": "说明",
        "explanation_en": "Words", "fields": ["administrative-penalty"], "asked_by_kinds": ["department"], **values,
    }  # fmt: skip
    return Purpose.objects.create(**words)


def a_consent(w: Any, **values: Any) -> Authorisation:
    now = timezone.now()
    words = {
        "number_index": INDEX, "name_index": INDEX, "subject": w.person, "agency": w.market, "purpose_id": "loan",
        "state": "granted", "requested_fields": ["a", "b"], "granted_fields": ["a"], "requested_by": w.cast.clerk,
        "answer_until": now + HOUR, "decided_at": now, "valid_from": now, "expires_at": now + HOUR, **values,
    }  # fmt: skip
    return Authorisation.objects.create(**words)


def a_link(w: Any, **values: Any) -> ShareLink:
    words = {
        "subject": w.person, "made_by": w.cast.person, "fields": ["a"], "code_hash": "x",
        "expires_at": timezone.now() + HOUR, **values,
    }  # fmt: skip
    return ShareLink.objects.create(**words)


def _asked(w: Any) -> dict[str, Any]:
    who = {"agency": w.market, "asked_by": w.cast.clerk, "purpose_id": "loan"}
    return {**who, "kind": "records", "case_number": "1"}


def a_query(w: Any, **values: Any) -> Query:
    person = {"number_index": INDEX, "name_index": INDEX, "number_sealed": "1", "name_sealed": "n"}
    return Query.objects.create(**{**_asked(w), **person, **values})


def a_check(w: Any, **values: Any) -> BatchCheck:
    return BatchCheck.objects.create(**{**_asked(w), **values})


def a_row(w: Any, **values: Any) -> BatchCheckRow:
    check = values.pop("batch", None) or a_check(w)
    return BatchCheckRow.objects.create(**{"batch": check, "row_number": 1, "outcome": "yes", **values})


def a_human_review(w: Any, **values: Any) -> HumanReview:
    words = {"subject": w.person, "agency": w.market, "purpose_id": "loan", "case_number": "1", "outcome": "no"}
    return HumanReview.objects.create(**{**words, **values})


def a_kept_answer(client: ApiClient, **values: Any) -> KeptAnswer:
    words = {"client": client, "key": "k", "request": INDEX, "status": 200, "answer": "{}", **values}
    return KeptAnswer.objects.create(**{"keep_until": timezone.now() + HOUR, **words})


def a_review(w: Any, **values: Any) -> AccessReview:
    words = {
        "access_id": 1, "access_at": timezone.now(), "subject": w.person, "actor": w.cast.clerk, "agency": w.market,
        "cause": "sample", "due_on": DAY, **values,
    }  # fmt: skip
    return AccessReview.objects.create(**words)


def a_deferral(w: Any, **values: Any) -> AccessDeferral:
    words = {
        "access_id": 1, "access_at": timezone.now(), "subject": w.person, "legal_basis_id": "penalty-law-48",
        "until": DAY, "entered_by": w.cast.officer, **values,
    }  # fmt: skip
    return AccessDeferral.objects.create(**words)


def a_representation(w: Any, **values: Any) -> Representation:
    words = {
        "person": w.person, "representative": w.cast.stranger.real_name.subject, "kind": "guardian", "scope": ["file"],
        "valid_from": DAY, "papers_kind": "户口簿", "requested_by": w.cast.stranger, **values,
    }  # fmt: skip
    return Representation.objects.create(**words)


def a_window_request(w: Any, **values: Any) -> WindowRequest:
    words = {
        "act": "code", "user": w.cast.person, "agency": w.market, "asked_kind": "resident_id", "asked_number": "1",
        "asked_name": "n", "papers": "resident_card", "requested_by": w.cast.centre,
        "expires_at": timezone.now() + HOUR, **values,
    }  # fmt: skip
    return WindowRequest.objects.create(**words)


def at_our_window(w: Any) -> WindowRequest:
    """One that the centre's official of the cast may decide on."""
    return a_window_request(w, agency=Agency.objects.get(code="hz-drc"), requested_by=w.cast.officer)


def a_prior_notice(w: Any, **values: Any) -> PriorNotice:
    words = {
        "number_index": w.person.number_index, "name_index": w.person.name_index, "agency": w.market,
        "entry": CatalogueEntry.objects.get(code="administrative-penalty"), "intended": "拟罚款", "reply_until": DAY,
        "announced_by": w.cast.clerk, **values,
    }  # fmt: skip
    return PriorNotice.objects.create(**words)


def public_words(w: Any, **values: Any) -> PublicWords:
    record = CreditRecord.objects.order_by("pk").first() or one_record()
    return PublicWords.objects.create(**{"record": record, "text": "已缴清", **values})


def a_report(w: Any, **values: Any) -> CreditReport:
    words = {
        "subject": w.person, "site": w.market.site, "kind": "full", "as_of": DAY, "cut_off_at": timezone.now(),
        "content": "{}", "data_digest": "1", "pdf": "p", "pdf_digest": "1", "signed": "s", "signed_digest": "1",
        "certificate": "c", **values,
    }  # fmt: skip
    return CreditReport.objects.create(**words)


def one_of_each(w: Any) -> None:
    """A row in every table."""
    for make in (
        a_consent,
        a_link,
        a_query,
        a_row,
        a_human_review,
        a_review,
        a_deferral,
        a_representation,
        a_report,
        a_window_request,
        a_prior_notice,
        public_words,
    ):
        make(w)
