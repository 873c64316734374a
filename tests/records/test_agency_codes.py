"""The codes of the deciding and the sending unit: sound, known, entitled; and said where it could not be asked."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from creditplatform.core.identity import make_credit_code
from creditplatform.core.models import Agency
from records.models import FeedBatch
from tests.cast import Cast
from tests.deliveries import penalty, quick_passwords  # noqa: F401
from tests.records.feedfiles import counts, deliver, problems_of

OURS = make_credit_code("11441300", "MB000001")
WARNING = "No credit code of the unit is on file"


@pytest.fixture(autouse=True)
def people(cast: Cast) -> None:
    """Every test has the staff of the units."""


def by(code: str, number: int = 1) -> dict[str, str]:
    return penalty(number, CF_CFJGDM=code, CF_SJLYDM=code)


def page(user: Any, address: str) -> str:
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client.get(address).content.decode()


@pytest.mark.parametrize(
    ("code", "problem"),
    [(OURS[:-1] + "?", "wrong_characters"), (OURS[:-1], "wrong_length"), ("0" * 17 + "X", "placeholder")],
)
def test_a_code_of_a_unit_that_cannot_be_one_is_set_aside_even_while_none_is_on_file(code: str, problem: str) -> None:
    assert not Agency.objects.exclude(credit_code="").exists()
    assert problems_of(deliver(by(code))) == [[("CF_SJLYDM", problem), ("CF_CFJGDM", problem)]]


def test_a_receipt_says_that_it_could_not_be_asked_who_may_send(cast: Cast) -> None:
    batch = deliver(by(OURS))
    assert counts(batch) == {"received": 1, "accepted": 1}
    assert WARNING in page(cast.clerk, f"/desk/deliveries/{batch.pk}/")
    assert WARNING in page(cast.centre, "/desk/figures/units/hz-market/")


def test_it_says_so_no_longer_once_the_code_is_on_file(cast: Cast) -> None:
    Agency.objects.filter(code="hz-market").update(credit_code=OURS)
    batch: FeedBatch = deliver(by(OURS), by(make_credit_code("11441300", "MB000002"), 2))
    assert counts(batch) == {"received": 2, "accepted": 1, "quarantined": 1}
    assert {code for _field, code in problems_of(batch)[0]} == {"agency_unknown"}
    assert WARNING not in page(cast.clerk, f"/desk/deliveries/{batch.pk}/")
    assert WARNING not in page(cast.centre, "/desk/figures/units/hz-market/")
