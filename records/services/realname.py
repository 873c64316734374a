"""Bind an account to the person who uses it (H1.1, G6): verified once by the real-name register."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from creditplatform.core import limits
from creditplatform.core.errors import Conflict, CreditError, FieldProblem, Invalid
from creditplatform.core.identity import IdentifierKind
from creditplatform.core.models import User
from records.enums import SubjectKind
from records.identifiers import Identifier, checked_person, name_index
from records.models import RealNameBinding, Subject
from records.realname import adapter

ATTEMPTS = 5
ATTEMPTS_SECONDS = 3600
# Accounts cost nothing, so guessing is counted by what cannot be multiplied too: the number and the client.
ATTEMPTS_ON_NUMBER, NUMBER_SECONDS = 10, 24 * 3600
ATTEMPTS_OF_CLIENT, CLIENT_SECONDS = 30, 24 * 3600


class TooManyAttempts(CreditError):
    """The account has guessed too often; it may try again within the hour (HTTP 429)."""

    http_status = 429
    default_code = "too_many_attempts"
    default_message = _(
        "Name and number could not be confirmed %(attempts)s times. Please try again in an hour, or come to the"
        " counter of the credit centre with your document."
    )


def bind(*, user: User, name: str, kind: IdentifierKind | str, number: str, client: str = "") -> RealNameBinding:
    """Bind an account to the person with this name and number; makes the subject if nothing is on file yet.

    Must run in an audit context. `client` is the hidden address (`limits.client_of`), empty where there is none.
    Raises Invalid for a number that cannot be one; Conflict for an account that is bound already; Invalid
    `not_confirmed` where the register denies it and, in the same words, where the person is bound to another
    account, or number or client have been tried too often within a day; TooManyAttempts after five failures of
    the account within an hour.
    """
    if RealNameBinding.objects.filter(user=user).exists():
        raise Conflict("already_bound", _("This account is bound to a person already."))
    wanted = checked_person(name, kind, number)
    _count_attempt(user)
    if _tried_too_often(wanted, client):
        raise _not_confirmed()
    binding = _bind_confirmed(user, name, wanted)
    limits.forget(_of_account(user), _on_number(wanted))
    return binding


def _bind_confirmed(user: User, name: str, wanted: Identifier) -> RealNameBinding:
    """Ask the register and whether the person is free, always both, so that the answer's time tells nothing."""
    register = adapter()
    confirmed = register.verify(name=name, kind=wanted.kind, number=wanted.number)
    subject = Subject.objects.by_number(wanted.blind_index).first()
    free = subject is None or not RealNameBinding.objects.filter(subject=subject).exists()
    if not confirmed or not free or (subject is not None and subject.kind != SubjectKind.PERSON):
        raise _not_confirmed()
    try:
        with transaction.atomic():
            person = subject or _first_seen(name, wanted)
            return RealNameBinding.objects.create(user=user, subject=person, adapter=register.name)
    except IntegrityError as error:
        raise _not_confirmed() from error


def _first_seen(name: str, wanted: Identifier) -> Subject:
    return Subject.objects.create(
        kind=SubjectKind.PERSON,
        identifier_kind=wanted.kind.value,
        number_index=wanted.blind_index,
        name_index=name_index(name),
        number_sealed=wanted.number,
        name_sealed=name.strip(),
    )


def _not_confirmed() -> Invalid:
    sentence = _(
        "This could not be confirmed. Please check name and number; if both are right, come to the counter of"
        " the credit centre with your document."
    )
    return Invalid([FieldProblem("", "not_confirmed", sentence)], code="not_confirmed", message=sentence)


def _of_account(user: User) -> str:
    return f"realname:{user.pk}"


def _on_number(wanted: Identifier) -> str:
    return f"realname-number:{limits.hidden(wanted.blind_index.hex())}"


def _count_attempt(user: User) -> None:
    """Count before asking, so that attempts made at the same moment are all counted. Raises TooManyAttempts."""
    if limits.count(_of_account(user), ATTEMPTS_SECONDS) > ATTEMPTS:
        raise TooManyAttempts(attempts=ATTEMPTS)


def _tried_too_often(wanted: Identifier, client: str) -> bool:
    """Count the attempt for the number and for the client, whichever accounts were used."""
    on_number = limits.count(_on_number(wanted), NUMBER_SECONDS)
    of_client = limits.count(f"realname-client:{client}", CLIENT_SECONDS) if client else 0
    return on_number > ATTEMPTS_ON_NUMBER or of_client > ATTEMPTS_OF_CLIENT
