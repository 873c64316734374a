"""For every named constraint of reports one act that offends it, past every form."""

from typing import Any

from django.utils import timezone

from creditplatform.core.models import Site
from records.models import CreditReport
from tests.records.provocations import provokes
from tests.records.world import DAY, World


def report(w: World, **values: Any) -> CreditReport:
    words = {
        "subject": w.person, "site": Site.objects.all()[0], "kind": "full", "as_of": DAY, "cut_off_at": timezone.now(),
        "content": "{}", "data_digest": "0", "pdf_digest": "0", "signed_digest": "0", **values,
    }  # fmt: skip
    return CreditReport.objects.create(**words)


@provokes("credit_report_revoked_is_dated")
def _(w: World) -> None:
    report(w, state="revoked")


@provokes("credit_report_period_in_order")
def _(w: World) -> None:
    report(w, period_from=DAY, period_until=DAY.replace(year=2025))


@provokes("credit_report_complete")
def _(w: World) -> None:
    report(w, signed_digest="")
