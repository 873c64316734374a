"""Bind an account to the person who uses it (H1.1, G6): verified once by the real-name register."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core import limits
from creditplatform.core.errors import Conflict, CreditError, FieldProblem, Invalid
from creditplatform.core.identity import IdentifierKind, facts
from creditplatform.core.models import User
from creditplatform.core.rules import load_rulebook
from records.enums import SubjectKind
from records.identifiers import Identifier, checked_person, name_index
from records.models import RealNameBinding, Subject
from records.realname import RealName, adapter, register_asked
from records.rules import is_minor
from records.services.account_letters import tell_bound

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


class NoRegister(Conflict):
    """Nobody can be confirmed by name and number here (HTTP 409)."""

    default_code = "no_register"
    default_message = _(
        "Name and number cannot be confirmed online here. Sign in by an identity platform, or come to the counter of"
        " the credit centre with your document."
    )


class ComeToTheWindow(Conflict):
    """Verified, and yet only an official with the papers before them can go on (HTTP 409)."""

    default_code = "come_to_the_window"
    default_message = _(
        "The identity platform has confirmed you, but this sign-in cannot be joined to your file: you may have another"
        " account here already. Sign in with it, or come to the counter of the credit centre with your document."
    )


class MinorAtTheWindow(CreditError):
    """Accounts of minors are bound at the window, with a guardian (HTTP 403)."""

    http_status = 403
    default_code = "minor"
    default_message = _(
        "You are not of full age yet. Come to the counter of the credit centre with a guardian; there are no"
        " unfavourable records about minors, and a guardian can see your file."
    )


def bind(*, user: User, name: str, kind: IdentifierKind | str, number: str, client: str = "") -> RealNameBinding:
    """Bind an account to the person with this name and number; makes the subject if nothing is on file yet.

    Must run in an audit context. `client` is the hidden address (`limits.client_of`), empty where there is none.
    Raises Invalid for a number that cannot be one; Conflict for an account that is bound already; Invalid
    `not_confirmed` where the register denies it and, in the same words, where the person is bound to another
    account, or number or client have been tried too often within a day; TooManyAttempts after five failures of
    the account within an hour; MinorAtTheWindow for a number whose holder is not of full age; NoRegister.
    """
    if RealNameBinding.objects.filter(user=user).exists():
        raise Conflict("already_bound", _("This account is bound to a person already."))
    if not register_asked():
        raise NoRegister
    wanted = checked_person(name, kind, number)
    refuse_minors(wanted)
    _count_attempt(user)
    if _tried_too_often(wanted, client):
        raise _not_confirmed()
    binding = _bind_confirmed(user, name, wanted)
    limits.forget(_of_account(user), _on_number(wanted))
    return binding


def bind_verified(*, user: User, person: RealName, adapter: str) -> RealNameBinding:
    """Bind an account to the person an identity platform has verified, by the number, never by name alone.

    Must run in an audit context. An account that is bound to this person stays so. Raises Invalid for a number that
    cannot be one, MinorAtTheWindow, and ComeToTheWindow where the account is another's, the person has another
    account, or the name on file under the number is another one: nobody is bound anew in silence.
    """
    wanted = checked_person(person.name, person.kind, person.number)
    refuse_minors(wanted)
    bound = RealNameBinding.objects.filter(user=user).select_related("subject").first()
    if bound is not None:
        if bytes(bound.subject.number_index) != wanted.blind_index:
            raise ComeToTheWindow
        return bound
    with transaction.atomic():
        binding = attach(user, person.name, wanted, adapter=adapter)
        tell_bound(binding)
    return binding


def attach(user: User, name: str, wanted: Identifier, **how: Any) -> RealNameBinding:
    """Bind to the person of this number, made where nothing is on file yet. Raises ComeToTheWindow."""
    subject = Subject.objects.by_number(wanted.blind_index).first()
    if subject is not None and (subject.kind != SubjectKind.PERSON or bytes(subject.name_index) != name_index(name)):
        raise ComeToTheWindow
    try:
        with transaction.atomic():
            return RealNameBinding.objects.create(user=user, subject=subject or first_seen(name, wanted), **how)
    except IntegrityError as error:
        raise ComeToTheWindow from error


def refuse_minors(wanted: Identifier) -> None:
    """Raises MinorAtTheWindow where the number tells that its holder is not of full age."""
    if minor(wanted):
        raise MinorAtTheWindow


def minor(wanted: Identifier) -> bool:
    """Whether the number tells that its holder is a minor today."""
    born = facts(wanted.kind, wanted.number).birth_date
    return born is not None and is_minor(born, timezone.localdate(), load_rulebook())


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
            person = subject or first_seen(name, wanted)
            binding = RealNameBinding.objects.create(user=user, subject=person, adapter=register.name)
            tell_bound(binding)
    except IntegrityError as error:
        raise _not_confirmed() from error
    return binding


def first_seen(name: str, wanted: Identifier) -> Subject:
    """A person of whom nothing is on file yet."""
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
