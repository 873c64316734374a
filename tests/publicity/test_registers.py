"""Registers: what stands in them today, in which order, how it is counted and leafed through."""

import datetime
import re
from typing import Any

import pytest
import time_machine
from django.core.cache.backends.base import BaseCache
from django.test import Client

from creditplatform.core.models import Site
from publicity.selectors import registers
from publicity.selectors.keyset import cursor_of, page_of, read_cursor
from publicity.selectors.registers import Count, listed, overview
from records.models import CreditRecord
from tests.deliveries import person_penalty
from tests.publicity.world import (
    GANSU_FEED,
    PERSON_NAME,
    PERSON_NUMBER,
    company,
    days_ago,
    defaulter,
    dishonest_shop,
    penalty,
    taken_in,
)

PENALTIES = "/huizhou/registers/administrative-penalty/"
pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def huizhou() -> Site:
    return Site.objects.get(code="huizhou")


def tokens(html: str) -> list[str]:
    return re.findall(r'href="/\w+/records/(\w{26})/"', html)


def shown(client: Client, address: str = PENALTIES) -> list[str]:
    return tokens(client.get(address).content.decode())


def test_newest_decision_first(client: Client) -> None:
    old, new, middle = taken_in(*(penalty(n, CF_JDRQ=days_ago(days)) for n, days in ((1, 50), (2, 10), (3, 30))))
    assert shown(client) == [new.token, middle.token, old.token]


def test_only_the_own_site_and_only_this_register(client: Client) -> None:
    own = taken_in(penalty(1))[0]
    taken_in(penalty(2), feed=GANSU_FEED)
    dishonest_shop()
    assert shown(client) == [own.token]


def test_persons_stand_in_no_register(client: Client) -> None:
    taken_in(person_penalty(3, PERSON_NAME, PERSON_NUMBER))
    defaulter()
    for address in (PENALTIES, "/gansu/registers/judgment-defaulter/"):
        html = client.get(address).content.decode()
        assert tokens(html) == []
        assert "马" not in html


@pytest.mark.parametrize("change", [{"withheld": True}, {"state": "revoked"}, {"state": "repaired"}])
def test_what_is_withheld_repaired_or_revoked_is_not_shown(client: Client, change: dict[str, Any]) -> None:
    gone, kept = taken_in(penalty(1), penalty(2))
    CreditRecord.objects.filter(pk=gone.pk).update(**change)
    assert shown(client) == [kept.token]


def test_minor_matters_are_not_shown(client: Client) -> None:
    taken_in(penalty(1, CF_CFLB="警告", CF_NR_FK=""))
    assert shown(client) == []


def test_a_record_leaves_on_its_day_with_no_worker_running(client: Client) -> None:
    record = taken_in(penalty(1))[0]
    end = record.publish_until
    assert end is not None
    noon = datetime.time(4, tzinfo=datetime.UTC)  # 12:00 in Shanghai
    with time_machine.travel(datetime.datetime.combine(end - datetime.timedelta(days=1), noon)):
        assert shown(client) == [record.token]
    with time_machine.travel(datetime.datetime.combine(end, noon)):
        assert shown(client) == []
    record.refresh_from_db()
    assert record.state == "in_force"


def test_filters_narrow_and_stay_on_the_next_page(client: Client) -> None:
    taken_in(penalty(1))
    taken_in(penalty(2, CF_CFLB="吊销许可证件", CF_NR_FK="", CF_NR_ZKDX="食品经营许可证"))
    taken_in(*(penalty(n) for n in range(10, 35)), feed="hz-food-penalty")
    assert len(shown(client, PENALTIES + "?tier=serious")) == 1
    assert len(shown(client, PENALTIES + "?field=product_quality")) == 2
    assert shown(client, PENALTIES + "?agency=hz-eco") == []
    html = client.get(PENALTIES + "?field=food_drugs&tier=&agency=hz-market").content.decode()
    onward = re.search(r'rel="next" href="([^"]+)"', html)
    assert onward and "field=food_drugs" in onward.group(1) and "agency=hz-market" in onward.group(1)
    assert len(shown(client, PENALTIES + onward.group(1).replace("&amp;", "&"))) == 5


def test_a_choice_that_does_not_exist_is_said_beside_its_field(client: Client) -> None:
    taken_in(penalty(1))
    html = client.get(PENALTIES + "?tier=worst").content.decode()
    assert tokens(html) == []
    assert 'class="field wrong"' in html and 'id="id_tier_error"' in html


def test_a_register_without_tiers_offers_none(client: Client) -> None:
    assert b'name="tier"' not in client.get("/huizhou/registers/administrative-licence/").content
    assert b'name="tier"' in client.get(PENALTIES).content


@pytest.mark.parametrize("entry", ["nothing", "star-volunteer", "credit-commitment", "environment-dishonesty"])
def test_what_is_not_public_or_not_in_force_has_no_register(client: Client, entry: str) -> None:
    assert client.get(f"/huizhou/registers/{entry}/").status_code == 404


def test_pages_are_complete_and_stable(huizhou: Site) -> None:
    records = taken_in(*(penalty(n, CF_JDRQ=days_ago(40 + n // 4)) for n in range(1, 24)))
    read, cursor = [], ""
    while True:
        page = page_of(listed(huizhou), cursor, size=5)
        read += page.records
        if len(read) == 10:  # what comes and goes meanwhile
            taken_in(penalty(99, CF_JDRQ=days_ago(1)))
            CreditRecord.objects.filter(pk=read[9].pk).update(withheld=True)
        if not page.after:
            break
        cursor = page.after
    assert [record.pk for record in read] == [
        record.pk for record in sorted(records, key=lambda r: (r.decided_on, r.pk), reverse=True)
    ]


def test_a_cursor_tells_no_key_and_bears_no_change(client: Client, huizhou: Site) -> None:
    records = taken_in(*(penalty(n) for n in range(1, 23)))
    cursor = cursor_of(records[3])
    assert read_cursor(cursor) == (records[3].decided_on, records[3].pk)
    assert records[3].token not in PENALTIES and len(cursor) > 60
    for wrong in (cursor[:-1] + ("A" if cursor[-1] != "A" else "B"), "x", "a:b:c", "\x00"):
        assert read_cursor(wrong) is None
        assert (
            len(shown(client, PENALTIES)) == 20 == len(tokens(client.get(PENALTIES, {"after": wrong}).content.decode()))
        )


def test_counts_are_of_what_is_public_today(huizhou: Site) -> None:
    taken_in(penalty(1), penalty(2), penalty(3, CF_CFLB="警告", CF_NR_FK=""))
    taken_in(person_penalty(4, PERSON_NAME, PERSON_NUMBER))
    view = overview(huizhou)
    counts = {register.entry.code: register.count for register in view.registers}
    assert counts["administrative-penalty"] == Count(2, False) == view.total
    assert [register.entry.code for register in view.filled] == ["administrative-penalty"]
    assert "star-volunteer" not in counts and "environment-dishonesty" not in counts


def test_records_that_leave_soon_are_counted(huizhou: Site) -> None:
    taken_in(penalty(1), penalty(2, CF_JDRQ=days_ago(350)))
    assert overview(huizhou).leaving == Count(1, False)


def test_counts_stop_at_a_limit_and_say_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registers, "COUNT_LIMIT", 2)
    taken_in(*(penalty(n) for n in range(1, 6)))
    assert overview(Site.objects.get(code="huizhou")).total == Count(2, True)
    client.cookies["django_language"] = "en"
    assert "more than <b>2</b> public records" in client.get("/huizhou/").content.decode()


def test_counts_are_kept_for_a_minute_but_not_over_midnight(
    huizhou: Site, own_cache: BaseCache, django_assert_num_queries: Any
) -> None:
    record = taken_in(penalty(1))[0]
    end = record.publish_until
    assert end is not None
    late = datetime.datetime.combine(end, datetime.time(0), tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
    with time_machine.travel(late - datetime.timedelta(seconds=20), tick=False):
        assert overview(huizhou).total.number == 1
        with django_assert_num_queries(1):
            assert overview(huizhou).total.number == 1
    with time_machine.travel(late + datetime.timedelta(seconds=1), tick=False):
        assert overview(huizhou).total.number == 0


def test_home_and_register_cost_a_bounded_number_of_queries(client: Client, django_assert_max_num_queries: Any) -> None:
    taken_in(*(penalty(n) for n in range(1, 31)))
    with django_assert_max_num_queries(5):  # site, rule values, registers, counts, those that leave
        client.get("/huizhou/")
    with django_assert_max_num_queries(6):  # site, version, units twice at most, rule values, records
        client.get(PENALTIES + "?agency=hz-market")


def test_a_list_reads_nothing_personal(huizhou: Site, django_assert_num_queries: Any) -> None:
    taken_in(penalty(1))
    with django_assert_num_queries(2) as asked:
        page_of(registers.for_list(listed(huizhou)), "")
    for column in ("number_sealed", "name_sealed", "phone_sealed", "address_sealed", "sealed_payload", "statement"):
        assert column not in asked[-1]["sql"]
    assert len(asked) == 2


def test_the_company_names_link_to_their_records(client: Client) -> None:
    record = taken_in(company(1, "东江酒楼"))[0]
    assert f'<a href="/huizhou/records/{record.token}/">东江酒楼</a>' in client.get(PENALTIES).content.decode()
