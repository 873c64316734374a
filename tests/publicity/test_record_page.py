"""The page of a record: everything it owes the reader, and nothing once it is no longer public."""

import datetime
import re
from typing import Any

import pytest
import time_machine
from django.test import Client

from creditplatform.core.models import AccessLog, RuleValue, Site
from creditplatform.core.vault import public_token
from creditplatform.core.wording import mark_translated
from publicity.selectors.records import When, record_page
from records.models import CreditRecord
from tests.deliveries import credit_code, person_penalty
from tests.publicity.world import (
    CASE_NUMBER,
    PERSON_NAME,
    PERSON_NUMBER,
    address,
    company,
    days_ago,
    defaulter,
    dishonest_shop,
    licence,
    penalty,
    taken_in,
)

KEYS = {
    "token", "site", "register", "party", "document_number", "decided_on", "dated_by_receipt", "deciding_unit",
    "source_unit", "effects", "tier", "publication", "disputed", "content", "legal_basis",
    "published_by", "statement",
}  # fmt: skip
PUBLISHED = {"CF_WFXW", "CF_SY", "CF_YJ", "CF_NR", "CF_NR_FK"}
pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def english(client: Client) -> Client:
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def fined() -> CreditRecord:
    return taken_in(company(1, "东江酒楼"))[0]


def text(client: Client, record: CreditRecord) -> str:
    response = client.get(address(record))
    assert response.status_code == 200
    return without_marks(re.sub(r"\s+", " ", response.content.decode()))


def without_marks(html: str) -> str:
    """The page with its dates as plain text."""
    return re.sub(r"<time[^>]*>(.*?)</time>", r"\1", html)


def without_token(response: Any) -> str:
    """The page without what differs from visit to visit: form tokens and its own address."""
    html = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())
    return re.sub(r'name="next" value="[^"]+"', "", html)


def test_the_page_says_who_decided_what_and_until_when(english: Client, fined: CreditRecord) -> None:
    html = text(english, fined)
    low = fined.repairable_from
    for part in (
        "<h1>东江酒楼</h1>", "惠市监罚〔2026〕1号", "<dd>Huizhou Market Regulation Bureau</dd>", "Fine",
        "《产品质量法》第四十九条", "销售的产品不符合标准", "罚款一万元", credit_code(1),
        "<dt>Fine</dt><dd>10,000 yuan</dd>",
        "shown for at least 3 and at most 12 months", f"Public until {fined.last_day_shown}", f"Possible from {low}",
        "answered within 7 working days", "An authority found that the party broke", "administrative reconsideration",
        "Guiding Opinions on Joint Incentives and Joint Discipline", "0752-",
    ):  # fmt: skip
        assert part in html, part
    assert "陈示例" not in html


def test_the_repair_day_is_said_as_past_once_it_is(english: Client) -> None:
    record = taken_in(penalty(1, CF_JDRQ=days_ago(120)))[0]
    assert f"Possible since {record.repairable_from}" in text(english, record)


def test_reconsideration_names_its_days_once_the_rule_is_on_file(english: Client, fined: CreditRecord) -> None:
    assert "reconsideration within 60 days" in text(english, fined)
    RuleValue.objects.filter(key="clock.reconsideration.apply.days").update(in_force=False)
    assert "within the time that the decision names" in text(english, fined)


def test_courts_are_not_reconsidered_and_favourable_records_not_repaired(english: Client) -> None:
    html = text(english, defaulter())
    assert "Ask for reconsideration" not in html and "Apply for credit repair" in html


def test_a_source_without_number_or_date_is_named(english: Client) -> None:
    record = dishonest_shop()
    CreditRecord.objects.filter(pk=record.pk).update(document_number="")
    html = text(english, record)
    assert "the source gave none" in html
    assert "The source gave no date of its own." in html
    assert "Received without a date of its own" in html and ">Decided<" not in html


def test_a_dispute_is_said_in_words(english: Client, fined: CreditRecord) -> None:
    assert "Disputed, being checked" not in text(english, fined)
    CreditRecord.objects.filter(pk=fined.pk).update(disputed=True)
    assert "Disputed, being checked" in text(english, fined)


def test_the_course_is_in_order_and_knows_the_present(fined: CreditRecord) -> None:
    page = record_page(fined.site, fined.token)
    assert page is not None
    days = [step.on for step in page.steps]
    assert days == sorted(days) and len(days) == 4
    assert [step.when for step in page.steps] == [When.PAST, When.NOW, When.COMING, When.COMING]
    assert days[0] == fined.decided_on and days[-1] == fined.publish_until


def test_gone_on_its_day_with_no_worker_running(client: Client, fined: CreditRecord) -> None:
    end = fined.publish_until
    assert end is not None
    midnight = datetime.datetime.combine(end, datetime.time(0), tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
    for ending in ("/", ".json"):
        with time_machine.travel(midnight - datetime.timedelta(seconds=1), tick=False):
            assert client.get(address(fined, ending)).status_code == 200
        with time_machine.travel(midnight, tick=False):
            assert client.get(address(fined, ending)).status_code == 404


def test_every_cause_gives_the_same_answer(client: Client, fined: CreditRecord) -> None:
    minor, withheld, repaired, person = (
        taken_in(penalty(2, CF_CFLB="警告", CF_NR_FK=""))[0], *taken_in(penalty(3), penalty(4)),
        taken_in(person_penalty(5, PERSON_NAME, PERSON_NUMBER))[0],
    )  # fmt: skip
    CreditRecord.objects.filter(pk=withheld.pk).update(withheld=True)
    CreditRecord.objects.filter(pk=repaired.pk).update(state="repaired")
    never = public_token("credit-record", 2**40)
    foreign = public_token("report", fined.pk)
    tokens = [minor.token, withheld.token, repaired.token, person.token, never, foreign, "x", "a" * 26]
    answers = [client.get(f"/huizhou/records/{token}/") for token in tokens]
    elsewhere = client.get(f"/gansu/records/{fined.token}/")
    assert {answer.status_code for answer in (*answers, elsewhere)} == {404}
    assert len({without_token(answer) for answer in answers}) == 1
    data = [client.get(f"/huizhou/records/{token}.json") for token in tokens]
    assert {answer.status_code for answer in data} == {404}
    assert len({answer.content for answer in data}) == 1
    assert client.get(f"/gansu/records/{fined.token}.json").status_code == 404


def test_structured_data_has_these_keys_and_no_other(client: Client, fined: CreditRecord) -> None:
    response = client.get(address(fined, ".json"))
    data = response.json()
    assert set(data) == KEYS and len(data) == 17
    assert set(data["register"]) == {"code", "name", "name_en"}
    assert set(data["source_unit"]) == {"code", "name", "name_en", "phone"}
    assert set(data["publication"]) == {"minimum_over_on", "withdrawn_on"}
    assert data["party"] == {"kind": "organisation", "name": "东江酒楼", "codes": [credit_code(1)]}
    assert {item["code"] for item in data["content"]} == PUBLISHED
    assert all(set(item) == {"code", "name", "name_en", "value"} for item in data["content"])
    assert data["effects"] == [{"code": "fine", "name": "罚款", "name_en": "Fine"}]
    assert response["Cache-Control"] == "no-store" and "noindex" in response["X-Robots-Tag"]
    assert client.get(address(fined), {"format": "json"}).json() == data


def test_a_person_published_by_law_is_shown_masked_and_the_look_is_written_down(english: Client) -> None:
    record = defaulter()
    assert AccessLog.objects.count() == 0
    html = text(english, record)
    assert "马**" in html and CASE_NUMBER in html and "article 7" in html
    for hidden in (PERSON_NAME, PERSON_NUMBER, PERSON_NUMBER[-4:]):
        assert hidden not in html
    title = re.search(r"<title>(.*?)</title>", html)
    assert title and "马" not in title.group(1)
    assert "马" not in re.search(r"<h1>(.*?)</h1>", html).group(1)  # type: ignore[union-attr]
    assert 'name="robots" content="noindex' in html
    entry = AccessLog.objects.get()
    assert (entry.subject_ref, entry.authority, entry.actor_id) == (record.subject_id, "publication", None)
    assert "第七条" in entry.reference and "subject_name" in entry.fields


def test_numbers_of_persons_in_texts_of_earlier_days_are_not_shown(client: Client, fined: CreditRecord) -> None:
    """They came before such rows were set aside."""
    told = {**fined.payload, "CF_SY": f"法定代表人（{PERSON_NUMBER}，电话13800138000）在场"}
    CreditRecord.objects.filter(pk=fined.pk).update(payload=told)
    for ending in ("/", ".json"):
        shown = client.get(address(fined, ending)).content.decode()
        assert "法定代表人（****，电话****）在场" in shown
        assert PERSON_NUMBER not in shown and "13800138000" not in shown


def test_a_licence_is_still_there_on_its_last_valid_day(client: Client) -> None:
    last = datetime.date.today() + datetime.timedelta(days=40)
    record = taken_in(licence(1, XK_YXQZI=last.isoformat()), feed="hz-licence")[0]
    noon = datetime.datetime.combine(last, datetime.time(12), tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
    with time_machine.travel(noon, tick=False):
        assert last.isoformat() in client.get(address(record)).content.decode()
    with time_machine.travel(noon + datetime.timedelta(days=1), tick=False):
        assert client.get(address(record)).status_code == 404


def test_a_persons_structured_data_bears_no_number(client: Client) -> None:
    record = defaulter()
    response = client.get(address(record, ".json"))
    assert response.json()["party"] == {"kind": "person", "name": "马**", "codes": []}
    assert PERSON_NUMBER not in response.content.decode()
    assert AccessLog.objects.get().door == "api"


def test_a_page_about_a_company_only_reads(
    client: Client, fined: CreditRecord, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(4) as asked:  # site, rule values, record, fields
        client.get(address(fined))
    assert all(query["sql"].startswith("SELECT") for query in asked.captured_queries)
    for column in ("number_sealed", "phone_sealed", "address_sealed", "sealed_payload"):
        assert not any(column in query["sql"] for query in asked.captured_queries)
    assert AccessLog.objects.count() == 0


def test_the_number_of_an_owner_is_not_shown_with_the_business(client: Client) -> None:
    row = penalty(1, CF_XDR_LB="个体工商户", CF_XDR_MC="惠城区示例小吃店", CF_XDR_SWDJ=PERSON_NUMBER)
    record = taken_in(row)[0]
    assert PERSON_NUMBER in record.subject.codes
    html = text(client, record)
    assert credit_code(1) in html and PERSON_NUMBER not in html
    assert PERSON_NUMBER not in client.get(address(record, ".json")).content.decode()


def test_a_business_known_by_its_owners_document_shows_no_code(client: Client) -> None:
    row = penalty(
        1, CF_XDR_LB="个体工商户", CF_XDR_MC="惠城区示例小吃店", CF_XDR_SHXYM="", CF_XDR_ZJLX="身份证",
        CF_XDR_ZJHM=PERSON_NUMBER,
    )  # fmt: skip
    batch_records = taken_in(row)
    assert PERSON_NUMBER not in text(client, batch_records[0])


def test_nothing_keeps_a_copy(client: Client, fined: CreditRecord) -> None:
    for response in (client.get(address(fined)), client.get("/huizhou/records/x/")):
        assert response["Cache-Control"] == "no-store"
        assert "noindex" in response["X-Robots-Tag"] and "noarchive" in response["X-Robots-Tag"]


def test_guides_name_the_unit_of_the_record(english: Client, fined: CreditRecord) -> None:
    html = without_marks(english.get("/huizhou/services/repair/", {"record": fined.token}).content.decode())
    assert f"For this record repair is possible from {fined.repairable_from}" in html
    assert fined.agency.name_en in html and mark_translated(fined.agency.phone) in html
    elsewhere = english.get("/gansu/services/repair/", {"record": fined.token}).content.decode()
    assert mark_translated(fined.agency.phone) not in elsewhere and fined.document_number not in elsewhere


def test_every_site_shows_its_own(fined: CreditRecord) -> None:
    assert record_page(Site.objects.get(code="gansu"), fined.token) is None
    assert record_page(Site.objects.get(code="huizhou"), fined.token) is not None


def test_a_guide_that_shows_what_it_is_about_writes_the_look_too(client: Client) -> None:
    record = defaulter()
    page = client.get(f"/gansu/services/objection/?record={record.token}").content.decode()
    assert record.document_number in page
    assert AccessLog.objects.get().subject_ref == record.subject_id
    client.get("/gansu/services/objection/")
    assert AccessLog.objects.count() == 1
