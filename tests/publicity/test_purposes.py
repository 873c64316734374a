"""The list of uses anybody can read: only what may really be used, with its basis, who may ask, what is seen."""

import datetime
import re

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from creditplatform.core.models import Agency, Site
from publicity.selectors.purposes import Use, uses_of
from records.enums import OwnPurpose, PurposeState
from records.models import LegalBasis, Purpose, PurposeUser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("policy", "context")]


def page(client: Client, site: str = "huizhou") -> str:
    client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "en"
    answer = client.get(f"/{site}/purposes/")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def uses(site: str = "huizhou") -> dict[str, Use]:
    with translation.override("en"):
        found = uses_of(Site.objects.get(code=site))
    return {use.purpose.code: use for _area, of_area in found for use in of_area}


def test_every_purpose_in_force_stands_there_with_all_that_bounds_it(client: Client) -> None:
    text = page(client)
    for use in uses().values():
        with translation.override("en"):
            words = [use.purpose.label, use.purpose.explanation_label, use.purpose.legal_basis.citation, *use.seen]
        for word in words:
            assert word.replace("'", "&#x27;") in text, (use.purpose.code, word)
    assert "only with your consent" in text and "by statute, without consent" in text
    assert all(str(label) in text.replace("&#x27;", "'") for label in OwnPurpose.labels)


def test_only_purposes_of_the_site_that_may_be_used_today(client: Client) -> None:
    assert "points-hukou" in uses() and "points-hukou" not in uses("gansu") and "loan" in uses("gansu")
    Purpose.objects.filter(code="loan").update(state=PurposeState.RETIRED)
    LegalBasis.objects.filter(code="company-law-178").update(in_force_until=timezone.localdate())
    assert not {"loan", "company-officer"} & set(uses())
    Purpose.objects.update(state=PurposeState.RETIRED)
    assert "no purpose is in force" in page(client)


def test_units_that_may_ask_today_are_named_and_no_other(client: Client) -> None:
    market = Agency.objects.get(code="hz-market")
    assert market in uses()["special-industry"].units
    yesterday = timezone.localdate() - datetime.timedelta(days=1)
    PurposeUser.objects.update(valid_from=yesterday, valid_until=timezone.localdate())
    assert uses()["special-industry"].units == []
    assert "No unit of this site may ask today." in page(client)


def test_the_page_costs_the_same_whatever_its_length(client: Client) -> None:
    site = Site.objects.get(code="huizhou")

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            uses_of(site)
        return len(asked)

    whole = cost()
    Purpose.objects.exclude(code="loan").update(state=PurposeState.RETIRED)
    assert cost() == whole <= 4


def test_it_is_found_from_the_foot_of_every_page(client: Client) -> None:
    assert 'href="/gansu/purposes/"' in client.get("/gansu/").content.decode()
