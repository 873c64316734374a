"""The catalogue on the desk: whatever the services refuse is said on a page, and what was ticked is what was seen."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from creditplatform.core.errors import NotPermitted
from records.catalogue.words import mark_of
from records.enums import VersionState
from records.models import EntryVersion, LegalBasis
from records.services import catalogue
from tests.cast import Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.versions import Centre

NO = "You are not permitted to do this."
WORDS = {"code": "new-law", "title": "新法", "title_en": "New law", "level": "law", "article": "第一条"}


@pytest.fixture
def centre(cast: Cast) -> Centre:
    return Centre.assemble(cast)


def browser(user: Any) -> Client:
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def page(version: EntryVersion) -> str:
    return reverse("desk:catalogue-version", args=[version.pk])


def step(user: Any, version: EntryVersion, name: str, **data: Any) -> str:
    """What the page says after a step was asked for."""
    address = reverse("desk:catalogue-step", args=[version.pk, name])
    return str(browser(user).post(address, data, follow=True).content.decode())


def test_a_law_is_confirmed_as_it_stood_on_the_page(centre: Centre) -> None:
    law = catalogue.save_basis(user=centre.one, values=WORDS)
    draft = centre.submitted(legal_basis=law)
    stale = ticked(browser(centre.two).get(page(draft)))
    catalogue.save_basis(user=centre.one, values={"article": "第九条"}, basis=law)
    data = {"checked": stale, "seen": mark_of(draft)}
    answer = browser(centre.two).post(reverse("desk:catalogue-step", args=[draft.pk, "publish"]), data)
    assert answer.status_code == 400 and "has changed since you opened this page" in answer.content.decode()
    assert not LegalBasis.objects.get(pk=law.pk).confirmed
    data |= {"checked": ticked(answer)}
    assert "The version is published." in step(centre.two, draft, "publish", **data)
    assert LegalBasis.objects.get(pk=law.pk).confirmed_by == centre.two


def test_a_version_is_published_as_it_stood_on_the_page(centre: Centre) -> None:
    draft = centre.submitted()
    seen = re.search(r'name="seen" value="(\w+)"', browser(centre.two).get(page(draft)).content.decode())
    assert seen and seen[1] == mark_of(draft)
    centre.step(draft, "send_back", centre.two, reason="x")
    centre.step(centre.change(EntryVersion.objects.get(pk=draft.pk), meaning="另一种说法。"), "submit")
    for stale in ({"seen": seen[1]}, {}):
        assert "Please look again before you go on." in step(centre.two, draft, "publish", **stale)
    draft.refresh_from_db()
    assert draft.state == VersionState.IN_REVIEW
    assert "The version is published." in step(centre.two, draft, "publish", seen=mark_of(draft))


def ticked(answer: Any) -> list[str]:
    """What the boxes of the page send."""
    return re.findall(r'name="checked" value="([^"]+)"', answer.content.decode())


def test_a_law_somebody_else_wrote_is_refused_on_its_page(centre: Centre) -> None:
    law = catalogue.save_basis(user=centre.one, values=WORDS)
    answer = browser(centre.two).post(reverse("desk:catalogue-basis", args=[law.pk]), {**WORDS, "number": "2"})
    assert answer.status_code == 403
    assert "Somebody else wrote this legal basis" in answer.content.decode()


def test_publishing_from_a_page_that_is_out_of_date_is_refused_in_words(centre: Centre) -> None:
    draft = centre.submitted()
    assert "You had a hand in this version" in step(centre.one, draft, "publish")
    draft.refresh_from_db()
    assert draft.state == VersionState.IN_REVIEW


def test_calling_off_on_the_first_day_is_refused_in_words(centre: Centre) -> None:
    version = centre.published()
    assert NO in step(centre.one, version, "call_off", reason="x")
    version.refresh_from_db()
    assert version.state == VersionState.IN_FORCE


@pytest.mark.parametrize("name", ["draft_new_version", "move_field", "create_entry"])
def test_whatever_a_service_refuses_is_said_on_a_page(
    centre: Centre, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def refuse(**given: Any) -> None:
        raise NotPermitted

    draft = centre.draft()
    monkeypatch.setattr(catalogue, name, refuse)
    way: dict[str, tuple[str, dict[str, Any]]] = {
        "draft_new_version": (reverse("desk:catalogue-draft", args=[centre.entry.code]), {}),
        "move_field": (reverse("desk:catalogue-arrange", args=[draft.pk, draft.fields.all()[0].pk]), {"act": "up"}),
        "create_entry": (reverse("desk:catalogue-new"), NEW_ENTRY),
    }
    address, data = way[name]
    assert NO in browser(centre.one).post(address, data, follow=True).content.decode()


NEW_ENTRY = {
    "code": "blood-donor", "name": "无偿献血荣誉", "name_en": "Honour for giving blood", "valid_from": "2026-01-01",
    "information_class": "honour", "polarity": "positive", "edition": "local", "openness": "authorised",
    "subject_kinds": ["person"], "rule": "none", "person_openness": "authorised",
}  # fmt: skip


@pytest.mark.parametrize("name", ["when_any", "choices", "aliases"])
def test_a_character_the_database_cannot_keep_is_refused_beside_its_lines(centre: Centre, name: str) -> None:
    draft = centre.draft()
    address = reverse("desk:catalogue-new-field", args=[draft.pk])
    seen = re.search(r'name="seen" value="([^"]+)"', browser(centre.one).get(address).content.decode())
    words = {"code": "NEW", "name": "新字段", "name_en": "New", "type": "text", "required": "never", "mask": "none"}
    answer = browser(centre.one).post(address, {**words, "seen": seen and seen[1], name: "a\x00b"})
    assert answer.status_code == 200 and f'id="id_{name}_error"' in answer.content.decode()
    assert not draft.fields.filter(code="NEW").exists()
