"""Both sites: what every page owes its visitors, the settings of a visitor, errors, accounts."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse

from creditplatform.core.models import Site
from tests.deliveries import penalty
from tests.publicity.world import address, dishonest_shop, taken_in

PAGES = [
    "/", "/huizhou/", "/gansu/", "/huizhou/search/", "/huizhou/search/?refused=number",
    "/gansu/search/?refused=address", "/gansu/search/?q=示例有限公司",
    "/gansu/registers/", "/huizhou/registers/administrative-penalty/",
    "/gansu/registers/ecommerce-dishonesty/", "/gansu/services/", "/gansu/services/report/",
    "/gansu/services/objection/", "/gansu/services/repair/", "/gansu/services/reconsideration/",
    "/gansu/purposes/", "/huizhou/purposes/",
    "/gansu/about/privacy/", "/gansu/about/accessibility/", "/gansu/about/corrections/", "/accounts/login/",
    "/accounts/signup/", "/nothing/here/", "/huizhou/records/nothing/",
]  # fmt: skip
pytestmark = pytest.mark.usefixtures("context")


class Outline(HTMLParser):
    """What a page is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def assert_well_made(html: str, language: str) -> None:
    """One language, one title, one h1, a way past the navigation, no style or script in the page itself."""
    page = Outline(html)
    assert page.all("html")[0]["lang"] == language
    title = re.search(r"<title>(.*?)</title>", html, re.S)
    assert title and title.group(1).strip(" ·\n")
    assert len(page.all("h1")) == 1
    assert len(page.all("main")) == 1 and page.all("main")[0]["id"] == "main"
    assert page.all("a")[0]["href"] == "#main"
    assert not page.all("style")
    assert not [attributes for _tag, attributes in page.elements if "style" in attributes]
    assert not [a for _tag, a in page.elements if any(name.startswith("on") for name in a)]
    assert all("src" in script for script in page.all("script"))
    for element in [*page.all("link"), *page.all("script"), *page.all("img")]:
        source = element.get("href") or element.get("src") or ""
        assert source.startswith("/"), source
    numbers = [attributes["id"] for _tag, attributes in page.elements if "id" in attributes]
    assert len(numbers) == len(set(numbers)), numbers
    assert "demo" in {attributes.get("class") for attributes in page.all("p")}


@pytest.mark.parametrize(("cookie", "language"), [("zh-hans", "zh-Hans"), ("en", "en")])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_well_made_in_both_languages(client: Client, page: str, cookie: str, language: str) -> None:
    client.cookies["django_language"] = cookie
    dishonest_shop()
    response = client.get(page)
    assert response.status_code == (404 if "nothing" in page else 200)
    assert_well_made(response.content.decode(), language)


def test_a_record_page_is_well_made(client: Client) -> None:
    for record in (dishonest_shop(), taken_in(penalty(1))[0]):
        html = client.get(address(record)).content.decode()
        assert_well_made(html, "zh-Hans")
        assert f'data-site="{record.site.code}"' in html


def test_the_door_leads_to_both_sites_and_bears_the_look_of_neither(client: Client) -> None:
    html = client.get("/").content.decode()
    assert 'href="/huizhou/"' in html and 'href="/gansu/"' in html
    assert '<body data-site="both">' in html


@pytest.mark.parametrize("code", ["huizhou", "gansu"])
def test_home_has_search_first_then_what_people_come_for(client: Client, code: str) -> None:
    site = Site.objects.get(code=code)
    html = client.get(f"/{code}/").content.decode()
    places = [
        html.index(mark)
        for mark in (
            'role="search"', 'class="card-x" href="/me/"', f'href="/{code}/services/report/"',
            f'href="/{code}/services/objection/"', f'href="/{code}/services/repair/"', 'id="registers"',
            'id="notices"', 'id="campaigns"', 'class="foot"',
        )
    ]  # fmt: skip
    assert places == sorted(places)
    assert f'<body data-site="{code}">' in html
    assert site.sponsor in html and site.phone in html and site.name in html


def test_a_third_site_does_not_exist(client: Client) -> None:
    assert client.get("/beijing/").status_code == 404
    assert reverse("publicity:home", args=["gansu"]) == "/gansu/"


@pytest.mark.parametrize("page", ["services/nothing/", "about/nothing/", "registers/nothing/"])
def test_topics_that_do_not_exist_are_said_so(client: Client, page: str) -> None:
    response = client.get("/gansu/" + page)
    assert response.status_code == 404
    assert 'data-site="gansu"' in response.content.decode()


def test_large_text_is_remembered_and_taken_back(client: Client) -> None:
    response = client.post("/size/", {"size": "large", "next": "/gansu/registers/"})
    assert response["Location"] == "/gansu/registers/"
    assert 'data-size="large"' in client.get("/gansu/").content.decode()
    client.post("/size/", {"size": "standard", "next": "/gansu/"})
    assert 'data-size="large"' not in client.get("/gansu/").content.decode()


@pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"])
def test_the_way_back_stays_on_this_site(client: Client, target: str) -> None:
    assert client.post("/size/", {"size": "large", "next": target})["Location"] == "/"


def test_size_is_changed_by_a_form_only(client: Client) -> None:
    assert client.get("/size/").status_code == 405
    assert Client(enforce_csrf_checks=True).post("/size/", {"size": "large"}).status_code == 403


def test_the_language_is_switched_on_every_page(client: Client) -> None:
    assert '<html lang="zh-Hans"' in client.get("/gansu/").content.decode()
    response = client.post("/language/", {"language": "en", "next": "/gansu/services/"})
    assert response["Location"] == "/gansu/services/"
    html = client.get("/gansu/services/").content.decode()
    assert '<html lang="en"' in html and "Credit Gansu" in html


def test_the_navigation_says_where_one_is(client: Client) -> None:
    for page in ("", "search/", "registers/", "services/"):
        html = client.get("/huizhou/" + page).content.decode()
        assert f'<a href="/huizhou/{page}" aria-current="page">' in html


def test_services_name_every_unit_with_its_telephone(client: Client) -> None:
    html = client.get("/gansu/services/").content.decode()
    for unit in Site.objects.get(code="gansu").agencies.filter(entitlements__isnull=False).distinct():
        assert unit.name in html and unit.phone in html
    assert "惠州市市场监督管理局" not in html


def test_the_pages_of_accounts_bear_our_look(client: Client) -> None:
    html = client.get("/accounts/login/?next=/me/").content.decode()
    assert 'data-site="both"' in html and "0752-" in html and "0931-" in html
    assert 'name="next" value="/me/"' in html and 'name="password"' in html
    wrong = client.post("/accounts/login/", {"login": "nobody", "password": "nothing at all"}).content.decode()
    assert 'role="alert"' in wrong


def test_a_server_error_has_a_page_without_request_or_database(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        html = render_to_string("500.html")
    assert_well_made(html, "zh-Hans")


@pytest.mark.parametrize("template", ["403.html", "403_csrf.html", "account/logout.html"])
def test_pages_of_refusal_are_well_made(template: str) -> None:
    request = RequestFactory().get("/")
    request.session, request.resolver_match, request.user = {}, None, None  # type: ignore[assignment]
    assert_well_made(render_to_string(template, request=request), "zh-Hans")


def test_a_refused_form_says_what_to_do(client: Client) -> None:
    response = Client(enforce_csrf_checks=True).post("/language/", {"language": "en"})
    assert response.status_code == 403
    assert_well_made(response.content.decode(), "zh-Hans")


@pytest.mark.parametrize(
    "page", ["/", "/gansu/", "/gansu/registers/", "/gansu/search/?q=示例电子商务有限公司", "/gansu/services/"]
)
def test_visitors_leave_no_trace_in_the_database(client: Client, page: str, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(8) as asked:
        client.get(page)
    assert all(query["sql"].startswith("SELECT") for query in asked.captured_queries)
    assert "sessionid" not in client.cookies


def test_no_page_may_be_kept_by_others(client: Client) -> None:
    for page in ("/", "/gansu/", "/gansu/registers/", "/gansu/services/", "/gansu/about/privacy/"):
        assert "private" in client.get(page)["Cache-Control"]
    for page in ("/gansu/search/", "/gansu/registers/ecommerce-dishonesty/", "/gansu/services/repair/"):
        assert client.get(page)["Cache-Control"] == "no-store"
