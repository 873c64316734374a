"""Every address of the platform with something in the place of its parameters, and a browser for everybody."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from creditplatform.core.models import AccessLog, User
from creditplatform.core.vault import public_token
from records.look_selectors import LOOK_KIND
from records.models import (
    AccessDeferral,
    AccessReview,
    Authorisation,
    BatchCheck,
    CreditRecord,
    CreditReport,
    CrossCheck,
    Entitlement,
    EntryVersion,
    FeedBatch,
    HumanReview,
    PriorNotice,
    PublicWords,
    QuarantinedRow,
    Query,
    Representation,
    ShareLink,
    UnitNotice,
    WindowRequest,
)
from tests.cast import Cast
from tests.deliveries import ingest, penalty, person_penalty, quick_passwords  # noqa: F401

HOSTILE = ["abc", "99999999999999999999"]


@dataclass
class World:
    """What there is to be opened."""

    cast: Cast
    company: CreditRecord
    own: CreditRecord
    foreign: CreditRecord
    granted: Entitlement
    draft: Entitlement
    version: EntryVersion
    clients: dict[str, Client] = field(default_factory=dict)

    def client(self, persona: str) -> Client:
        """A browser in which this persona has signed in."""
        if persona not in self.clients:
            client = Client(raise_request_exception=False)
            if persona != "anonymous":
                client.force_login(getattr(self.cast, persona), "django.contrib.auth.backends.ModelBackend")
            self.clients[persona] = client
        return self.clients[persona]

    def user(self, persona: str) -> User:
        found: User = getattr(self.cast, persona)
        return found


def routes(resolver: URLResolver, before: str = "", names: str = "") -> Iterator[tuple[str, str]]:
    """Route and name of every page, with its parameters still in angle brackets."""
    for entry in resolver.url_patterns:
        route = before + str(entry.pattern).removeprefix("^").removesuffix("$").removesuffix("\\Z")
        if isinstance(entry, URLResolver):
            yield from routes(entry, route, f"{names}{entry.namespace}:" if entry.namespace else names)
        elif isinstance(entry, URLPattern):
            yield route, f"{names}{entry.name or ''}"


ROUTES = sorted(set(routes(get_resolver("creditplatform.urls"))))
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")


def parameters(route: str) -> list[str]:
    return [one or two for one, two in PARAMETER.findall(route)]


def values(world: World, name: str, parameter: str) -> list[str]:
    """What to put into an address: things that exist, things that do not, and nonsense."""
    records = [world.company, world.own, world.foreign]
    known: dict[str, list[Any]] = {
        "site": ["huizhou", "gansu"],
        "entry": [world.own.entry.code, "ecommerce-dishonesty", "nothing"],
        "token": [*_representations(name), *(record.token for record in records), "0" * 26, "nothing"],
        "topic": ["report", "objection", "repair", "reconsideration", "privacy", "accessibility", "corrections", "no"],
        "entitlement_id": [world.granted.pk, world.draft.pk, _foreign_entitlement(world), 0],
        "version_id": [world.version.pk, world.own.version_id, 0, HOSTILE[1]],
        "field_id": [world.version.fields.all()[0].pk, 0],
        "basis": ["draft-law", world.own.version.legal_basis_id, "nothing"],
        "step": ["submit", "send_back", "publish", "withdraw", "call_off", "retire", "nothing"],
        "feed": ["hz-market-penalty", "gs-market-penalty", "nothing"],
        "batch": [*FeedBatch.objects.values_list("pk", flat=True)[:2], 0, "99999999999999999999"],
        "batch_id": [*FeedBatch.objects.values_list("pk", flat=True)[:2], 0, "99999999999999999999"],
        "client_id": [1, 0],
        "record_id": [*(record.pk for record in records), 0],
        "words_id": [*PublicWords.objects.values_list("pk", flat=True)[:1], 0, HOSTILE[1]],
        "check_id": [*CrossCheck.objects.values_list("pk", flat=True)[:1], 0, HOSTILE[1]],
        "group_code": ["lawyers", "nothing"],
        "content_type_id": [ContentType.objects.get_for_model(User).pk, *HOSTILE],
        "app_label": ["core", "records", "auth"],
        "url": ["nothing/", "nothing"],
        "id": [world.cast.clerk.pk, *HOSTILE],
        "agency": [world.own.agency.code, world.foreign.agency.code, "nothing"],
        "month": ["2026-10", "2026-13", "nothing"],
        **{key: ["province", "nothing"] for key in ("code", "provider_id")},
        "act": ["pause", "resume", "again", "approve", "end", "nothing"],
        "row_id": [*QuarantinedRow.objects.order_by("pk").values_list("pk", flat=True), 0, HOSTILE[1]],
        **_of_consent(),
        "notice_id": [*UnitNotice.objects.values_list("pk", flat=True), 0],
    }  # fmt: skip
    known.update(_of_queries())
    if parameter == "object_id":
        return [*_keys(name), *HOSTILE]
    assert parameter in known, f"say in `values` what to put into <{parameter}> of {name}"
    return [str(value) for value in known[parameter]]


def _representations(name: str) -> list[str]:
    table = WindowRequest if "window" in name else Representation
    return [case.token for case in table.objects.all() if "window" in name or "represent" in name]


def _of_queries() -> dict[str, list[Any]]:
    tables = {"query_token": Query, "check_token": BatchCheck, "review_token": HumanReview}
    tokens = {
        name: [*(one.token for one in table.objects.order_by("pk")[:2]), "0" * 26, "nothing"]
        for name, table in tables.items()
    }
    reviews = AccessReview.objects.values_list("pk", flat=True)[:2]
    reports = [report.code for report in CreditReport.objects.order_by("pk")[:2]]
    numbers = {name: [*reports, "0" * 26, "nothing"] for name in ("report", "query", "check", "review")}
    return {**tokens, **numbers, "access_review_id": [*reviews, 0, HOSTILE[1]]}


def _foreign_entitlement(world: World) -> int:
    return Entitlement.objects.exclude(agency=world.own.agency)[0].pk


def _of_consent() -> dict[str, list[Any]]:
    """Numbers of consents, links and looks, and what is asked for."""
    return {
        "number": [*(one.number for one in Authorisation.objects.order_by("pk")), "0" * 26, "nothing"],
        "link": [*(one.token for one in ShareLink.objects.order_by("pk")), "0" * 26, "nothing"],
        "announcement": [*(one.number for one in PriorNotice.objects.order_by("pk")), "0" * 26, "nothing"],
        "look": [*(public_token(LOOK_KIND, pk) for pk in _looks()), "0" * 26, "nothing"],
        "form": ["csv", "xlsx", "json", "nothing"],
        "purpose": ["special-industry", "loan", "company-officer", "nothing"],
        "access_id": [*_looks(), 0, HOSTILE[1]],
        "deferral_id": [*AccessDeferral.objects.values_list("pk", flat=True)[:1], 0, HOSTILE[1]],
    }


def _looks() -> list[int]:
    """The first two lines of the access log: a look by duty and one by statute."""
    return list(AccessLog.objects.order_by("pk").values_list("pk", flat=True)[:2])


def _keys(name: str) -> list[str]:
    """Keys of existing rows of the table an admin page is about."""
    found = re.fullmatch(r"admin:([a-z]+)_([a-z]+)_\w+", name)
    if not found or (found[1], found[2]) == ("view", "on"):
        return ["1"]
    rows = apps.get_model(found[1], found[2])._base_manager
    if rows.model is CreditRecord:
        return [str(pk) for pk in rows.values_list("pk", flat=True)]
    return [str(pk) for pk in rows.order_by("-pk").values_list("pk", flat=True)[:2]]


def fillings(world: World, route: str, name: str) -> Iterator[tuple[str, ...]]:
    """Values for the parameters of a route: one that is right throughout, then one parameter at a time otherwise."""
    choices = [values(world, name, parameter) for parameter in parameters(route)]
    usual = tuple(choice[0] for choice in choices)
    yield usual
    for at, choice in enumerate(choices):
        yield from ((*usual[:at], other, *usual[at + 1 :]) for other in choice[1:])


def addresses(world: World, *, usual_only: bool = False) -> list[tuple[str, str]]:
    """Every address to open, with the name of its page; a single one per page where that is enough."""
    found = []
    for route, name in ROUTES:
        for chosen in itertools.islice(fillings(world, route, name), 1 if usual_only else None):
            filled = iter(chosen)
            address = PARAMETER.sub(lambda _match: next(filled), route)  # noqa: B023
            found.append((f"/{address}".replace("\\", ""), name))
    return found
