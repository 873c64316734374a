"""Representations for tests: asked for with papers, checked and confirmed by two officials, opened in a browser."""

import datetime
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from creditplatform.core.models import User
from records.models import Representation
from records.services import representations as service
from tests.accounts.window_world import second
from tests.cast import MINOR_NUMBER, STRANGER_NUMBER, Cast

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n%%EOF\n"
CHILD = "小示例"
TODAY = timezone.localdate()
SOON = TODAY + datetime.timedelta(days=30)


def browser(user: User) -> Client:
    one = Client()
    one.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return one


def asked(cast: Cast, **changes: Any) -> Representation:
    usual = {
        "user": cast.person, "kind": "guardian", "name": CHILD, "document": "resident_id", "number": MINOR_NUMBER,
        "scope": ["file"], "papers": PDF, "papers_kind": "birth",
    }  # fmt: skip
    return service.ask(**{**usual, **changes})


def attorney(cast: Cast, **changes: Any) -> Representation:
    usual = {
        "kind": "attorney", "name": "马示例", "number": STRANGER_NUMBER, "papers_kind": "attorney",
        "valid_until": SOON,
    }  # fmt: skip
    return asked(cast, **{**usual, **changes})


def confirmed(cast: Cast, case: Representation) -> Representation:
    """Checked by the first official, confirmed by the second."""
    return service.confirm(case=service.check(case=case, user=cast.centre), user=second())


def opened(cast: Cast, case: Representation, user: User | None = None) -> Client:
    one = browser(user or cast.person)
    first = reverse("me:home" if "file" in case.scope else "me:authorisations")
    assert one.post(reverse("me:represent-act", args=[case.token]))["Location"] == first
    return one
