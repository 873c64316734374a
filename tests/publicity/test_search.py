"""Search: names in any spelling, whole codes, document numbers; never persons, never by a personal number."""

import re
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import structlog
from django.test import Client

from creditplatform.core.models import Site
from publicity.selectors import search
from publicity.selectors.search import Hint, find
from tests.deliveries import credit_code, person_penalty
from tests.publicity.world import (
    CASE_NUMBER,
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

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def huizhou() -> Site:
    return Site.objects.get(code="huizhou")


def names(site: Site, query: str) -> list[str]:
    return [record.subject.name for record in find(site, query).page.records]


@pytest.mark.parametrize(
    "query", ["东江", "示例（集团）", "示例(集团)", "ＡＢＣ", "abc", "  东江示例(集团)ABC贸易有限公司 "]
)
def test_a_name_is_found_in_every_spelling(huizhou: Site, query: str) -> None:
    taken_in(company(1, "东江示例（集团）ABC贸易有限公司"), company(2, "西湖酒楼"))
    assert names(huizhou, query) == ["东江示例（集团）ABC贸易有限公司"]


def test_pieces_that_do_not_stand_together_are_not_found(huizhou: Site) -> None:
    taken_in(company(1, "江东东江酒楼"), company(2, "江东江酒楼"))
    assert names(huizhou, "东江酒") == ["江东东江酒楼", "江东江酒楼"][::-1]
    assert names(huizhou, "江东江") == ["江东江酒楼"]


def test_any_whole_code_is_found_and_its_beginning_is_not(huizhou: Site) -> None:
    code = credit_code(1)
    taken_in(company(1, "东江酒楼", CF_XDR_GSZC="4413020000017"), company(2, "西湖酒楼"))
    for query in (code, code.lower(), f" {code[:8]} {code[8:]} ", "4413020000017"):
        assert names(huizhou, query) == ["东江酒楼"], query
    assert names(huizhou, code[:12]) == []


@pytest.mark.parametrize(
    "query",
    ["惠市监罚〔2026〕77号", "惠市监罚[2026]77号", "惠市监罚（2026）77 号", "惠市监罚〔2026", "惠市监罚【2026】7"],
)
def test_a_document_number_is_found_whole_or_by_its_beginning(huizhou: Site, query: str) -> None:
    taken_in(penalty(77), penalty(5, CF_WSH="惠环罚〔2026〕5号"))
    assert names(huizhou, query) == ["示例77号贸易有限公司"]


def test_a_short_beginning_of_a_document_number_means_nothing(huizhou: Site) -> None:
    taken_in(penalty(77))
    assert names(huizhou, "惠市监") == []


def test_persons_are_never_found_not_even_those_whom_a_law_publishes(huizhou: Site) -> None:
    gansu = Site.objects.get(code="gansu")
    defaulter()
    taken_in(person_penalty(3, PERSON_NAME, PERSON_NUMBER, CF_WSH="惠市监罚〔2026〕3号"))
    for query in (PERSON_NAME, CASE_NUMBER, "惠市监罚〔2026〕3号", "示例"):
        assert names(huizhou, query) == []
        assert names(gansu, query) == []


def test_each_site_finds_its_own_records_only(huizhou: Site) -> None:
    taken_in(company(1, "两地食品（惠州）有限公司"))
    taken_in(company(2, "两地食品（兰州）有限公司"), feed=GANSU_FEED)
    assert names(huizhou, "两地食品") == ["两地食品（惠州）有限公司"]
    assert names(Site.objects.get(code="gansu"), "两地食品") == ["两地食品（兰州）有限公司"]


def test_minor_matters_are_not_found(huizhou: Site) -> None:
    taken_in(company(1, "东江酒楼", CF_CFLB="警告", CF_NR_FK=""))
    assert names(huizhou, "东江") == []


def test_one_character_and_words_of_every_name_are_told(huizhou: Site) -> None:
    taken_in(company(1, "东江食品有限公司"))
    assert find(huizhou, "东").hint is Hint.TOO_SHORT
    assert find(huizhou, "有限公司").hint is Hint.TOO_COMMON
    assert names(huizhou, "有限公司") == []


def test_beyond_the_limit_the_shortest_names_are_searched(huizhou: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SUBJECT_LIMIT", 2)
    taken_in(*(company(n, "东江" + "子" * n) for n in (3, 1, 2)))
    found = find(huizhou, "东江")
    assert found.hint is Hint.TOO_MANY
    assert {record.subject.name for record in found.page.records} == {"东江子", "东江子子"}


def tokens(html: str) -> list[str]:
    """The records of a page."""
    return re.findall(r'href="/\w+/records/(\w{26})/"', html)


def posted(client: Client, query: str, after: str = "") -> tuple[list[str], str]:
    """The records of one page of a search that is not in the address, and what its button to older ones sends."""
    response = client.post("/huizhou/search/", {"q": query, "after": after})
    assert response.status_code == 200
    html = response.content.decode()
    assert "search/?" not in html and quote(query) not in html
    onward = re.search(
        r'<form method="post"><input type="hidden" name="q" value="([^"]+)"><button [^>]*name="after" value="([^"]+)"',
        html,
    )
    assert onward is None or onward[1] == query
    return tokens(html), onward[2] if onward else ""


def linked(client: Client, query: str, address: str) -> tuple[list[str], str]:
    """The same for a search whose words stand in the address."""
    html = client.get(address or "/huizhou/search/?q=" + quote(query)).content.decode()
    onward = re.search(r'rel="next" href="([^"]+)"', html)
    return tokens(html), "/huizhou/search/" + onward[1].replace("&amp;", "&") if onward else ""


@pytest.mark.parametrize(("turn", "query"), [(posted, "东江"), (linked, "东江酒店")])
def test_pages_hold_every_record_once_even_while_others_arrive(client: Client, turn: Any, query: str) -> None:
    records = taken_in(*(company(n, f"东江酒店{n}分店", CF_JDRQ=days_ago(40 + n // 3)) for n in range(1, 46)))
    first, onward = turn(client, query, "")
    taken_in(company(99, "东江酒店新店", CF_JDRQ=days_ago(1)))
    read = [first]
    while onward:
        page, onward = turn(client, query, onward)
        read.append(page)
    assert [len(page) for page in read] == [20, 20, 5]
    assert sorted(token for page in read for token in page) == sorted(record.token for record in records)


@pytest.mark.parametrize(
    "query",
    [
        PERSON_NUMBER, PERSON_NUMBER.lower(), "13800138000", f"马示例{PERSON_NUMBER}", "E12345678", "H12345678",
        f"CHN{PERSON_NUMBER}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_personal_number_is_refused_without_being_shown_kept_or_logged(
    client: Client, query: str, method: str
) -> None:
    with structlog.testing.capture_logs() as logged:
        response: Any = getattr(client, method)("/huizhou/search/", {"q": query})
        shown = client.get(response["Location"])
    assert response.status_code == 302
    assert (urlsplit(response["Location"]).path, urlsplit(response["Location"]).query) == (
        "/huizhou/search/", "refused=number",
    )  # fmt: skip
    assert 'role="alert"' in shown.content.decode()
    for text in (response.content.decode(), shown.content.decode(), repr(logged), str(client.session.items())):
        assert PERSON_NUMBER[:14] not in text
        assert query not in text
    assert any(line["event"] == "request" for line in logged)


@pytest.mark.parametrize("query", ["东江食品有限公司", credit_code(1), "663128478", "兰州市城关区人民法院"])
def test_the_form_posts_and_sends_words_of_an_organisation_on(client: Client, query: str) -> None:
    response = Client(enforce_csrf_checks=True).post("/gansu/search/", {"q": query})
    assert response.status_code == 302
    assert parse_qs(urlsplit(response["Location"]).query) == {"q": [query]}
    assert client.get(response["Location"]).status_code == 200
    assert '<form class="seek" role="search" method="post"' in client.get("/gansu/search/").content.decode()


@pytest.mark.parametrize("query", ["张三", "欧阳示例", "Zhang San", "惠市监罚〔2026〕77号", "张三 惠州示例有限公司"])
def test_what_may_be_a_person_is_answered_without_standing_in_the_address(client: Client, query: str) -> None:
    taken_in(penalty(77))
    answer = Client(enforce_csrf_checks=True).post("/huizhou/search/", {"q": query})
    assert answer.status_code == 200
    assert bool(tokens(answer.content.decode())) is ("77号" in query)
    assert "no-store" in answer["Cache-Control"]
    with structlog.testing.capture_logs() as logged:
        response = client.get("/huizhou/search/", {"q": query})
        shown = client.get(response["Location"]).content.decode()
    assert response["Location"] == "/huizhou/search/?refused=address"
    assert 'role="alert"' in shown and not tokens(shown)
    assert not any(query in text for text in (response.content.decode(), shown, repr(logged)))


@pytest.mark.parametrize(
    "query", ["\x00", "a\x00b", "%", "__", "'", "\\", "〔", "<script>alert(1)</script>", "长" * 500]
)
def test_odd_input_is_answered(client: Client, query: str) -> None:
    response = client.post("/gansu/search/", {"q": query})
    assert response.status_code == 200
    assert b"<script>alert" not in response.content
    assert client.get("/gansu/search/", {"q": query}).status_code in (200, 302)


def test_wildcards_are_no_wildcards(huizhou: Site) -> None:
    taken_in(company(1, "东江酒楼"))
    assert names(huizhou, "%江%") == names(huizhou, "__酒楼") == names(huizhou, "惠市监%") == []


def test_a_search_costs_four_queries_however_much_it_finds(client: Client, django_assert_max_num_queries: Any) -> None:
    taken_in(*(company(n, f"东江酒店{n}分店") for n in range(1, 31)))
    with django_assert_max_num_queries(4):  # site, rule values, organisations, records
        html = client.get("/huizhou/search/?q=" + quote("东江酒店")).content.decode()
    assert html.count("<tr>") == 21


def test_results_are_not_kept_and_not_indexed(client: Client) -> None:
    dishonest_shop()
    response = client.post("/gansu/search/", {"q": "示例电子"})
    assert "兰州示例电子商务有限公司" in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert '<meta name="robots" content="noindex' in response.content.decode()


def test_words_of_every_name_are_not_said_to_have_no_records(client: Client) -> None:
    client.cookies["django_language"] = "en"
    html = client.post("/huizhou/search/", {"q": "公司"}, follow=True).content.decode()
    assert "“公司” is too general, so names were not searched" in html
    assert "Nothing public for" not in html and "nothing was ever decided" not in html
