"""Errors carry a code for machines, a sentence for people and survive the way between processes."""

from __future__ import annotations

import pickle

import pytest
from django.utils.translation import gettext_lazy as _

from creditplatform.core.deadlines import YearNotAnnounced
from creditplatform.core.errors import (
    Conflict,
    CreditError,
    FieldProblem,
    Invalid,
    NotFoundHere,
    NotPermitted,
    VaultError,
)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (CreditError("x", "y"), 500, "x"),
        (NotPermitted(), 403, "not_permitted"),
        (NotFoundHere(), 404, "not_found"),
        (Conflict(), 409, "conflict"),
        (Invalid(), 400, "invalid"),
        (VaultError(), 500, "vault"),
        (YearNotAnnounced(2099), 500, "year_not_announced"),
    ],
)
def test_status_code_and_sentence(error: CreditError, status: int, code: str) -> None:
    assert (error.http_status, error.code) == (status, code)
    assert str(error) == error.message != ""


def test_placeholders_are_filled_when_the_message_is_read() -> None:
    assert CreditError("late", _("Late by %(days)s days, 100%%."), days=3).message == "Late by 3 days, 100%."
    assert CreditError("plain", "100%").message == "100%"


def test_a_subclass_takes_another_code_and_sentence() -> None:
    error = Conflict("taken", "Somebody took it.")
    assert (error.code, error.message, error.http_status) == ("taken", "Somebody took it.", 409)


def test_invalid_names_every_problem() -> None:
    error = Invalid([FieldProblem("name", "missing", "Enter a name."), FieldProblem("", "odd", "Odd.")])
    assert [problem.field for problem in error.problems] == ["name", ""]
    assert Invalid.in_field("name", "missing", "Enter a name.").problems == error.problems[:1]


@pytest.mark.parametrize(
    "error",
    [
        CreditError("late", "Late by %(days)s days.", days=3),
        NotPermitted("closed", _("You are not permitted to do this.")),
        Invalid.in_field("name", "missing", "Enter a name."),
        YearNotAnnounced(2099),
    ],
)
def test_errors_travel_between_processes(error: CreditError) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(copy), copy.code, copy.message) == (type(error), error.code, error.message)
    assert getattr(copy, "problems", None) == getattr(error, "problems", None)
