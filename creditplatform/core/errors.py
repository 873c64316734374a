"""The errors of the platform: each has a stable code for machines and a translated sentence for people.

A message never holds a personal value; what it may hold are dates, years, counts, field names and codes.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import ClassVar, NamedTuple, TypeAlias

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text: TypeAlias = str | Promise


class FieldProblem(NamedTuple):
    """One thing wrong with one field of what was handed in; an empty `field` means the whole."""

    field: str
    code: str
    message: Text


class CreditError(Exception):
    """Something the platform refuses or cannot do.

    `code` is stable and untranslated. `message` is translated into the language active when it is read;
    `params` fill its named placeholders. Subclasses bring a code and a message of their own.
    """

    http_status: ClassVar[int] = 500
    default_code: ClassVar[str] = "error"
    default_message: ClassVar[Text] = _("This could not be done.")

    def __init__(self, code: str = "", message: Text = "", **params: object) -> None:
        super().__init__(code, message)
        self.code = code or self.default_code
        self.params = params
        self._template = message or self.default_message

    @property
    def message(self) -> str:
        """The sentence for people, in the active language."""
        text = str(self._template)
        return text % self.params if self.params else text

    def __str__(self) -> str:
        return self.message


class NotPermitted(CreditError):
    """This person may not do or see this (HTTP 403)."""

    http_status = 403
    default_code = "not_permitted"
    default_message = _("You are not permitted to do this.")


class Conflict(CreditError):
    """The state is no longer what the step needs, usually because somebody was first (HTTP 409)."""

    http_status = 409
    default_code = "conflict"
    default_message = _("This has changed in the meantime. Please look again before you go on.")


class NotFoundHere(CreditError):
    """There is nothing of that kind here that this person may know of (HTTP 404)."""

    http_status = 404
    default_code = "not_found"
    default_message = _("There is nothing here under this address.")


class Invalid(CreditError):
    """What was handed in is incomplete or wrong (HTTP 400); `problems` names everything at once."""

    http_status = 400
    default_code = "invalid"
    default_message = _("Some of what was entered is missing or wrong.")

    def __init__(
        self, problems: Iterable[FieldProblem] = (), code: str = "", message: Text = "", **params: object
    ) -> None:
        super().__init__(code, message, **params)
        self.problems = [FieldProblem(*problem) for problem in problems]
        self.args = (self.problems, code, message)  # so that a worker can send the error on

    @classmethod
    def in_field(cls, field: str, code: str, message: Text) -> Invalid:
        """An error with exactly one problem, in `field`."""
        return cls([FieldProblem(field, code, message)], code, message)


class VaultError(CreditError):
    """A sealed value, a key or the key ring cannot be used. Never says what the value was."""

    default_code = "vault"
    default_message = _("A protected value cannot be read.")


class NoRoom(CreditError):
    """A disk of the platform is full (HTTP 507); whoever asked may ask again later."""

    http_status = 507
    default_code = "no_room"
    default_message = _("The platform has no room left for this. Nothing was taken in; please try again later.")


NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
DATABASE_FULL = "53100"


def wants_room(error: BaseException | None) -> bool:
    """Whether an error, or what led to it, is a full disk, of the platform itself or of its database."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            return True
        if isinstance(error, NoRoom) or getattr(error, "pgcode", None) == DATABASE_FULL:
            return True
        error = error.__cause__ or error.__context__
    return False
