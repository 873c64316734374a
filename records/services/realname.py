"""Bind an account to the person who uses it (H1.1, G6): verified once by the real-name register."""

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import Conflict, CreditError, FieldProblem, Invalid
from creditplatform.core.identity import IdentifierKind, check, normalise
from creditplatform.core.models import User
from records.enums import SubjectKind
from records.identifiers import Identifier, identifier, name_index
from records.models import RealNameBinding, Subject
from records.realname import adapter

ATTEMPTS = 5
ATTEMPTS_SECONDS = 3600


class TooManyAttempts(CreditError):
    """The account has guessed too often; it may try again within the hour (HTTP 429)."""

    http_status = 429
    default_code = "too_many_attempts"
    default_message = _(
        "Name and number could not be confirmed %(attempts)s times. Please try again in an hour, or come to the"
        " counter of the credit centre with your document."
    )


def bind(*, user: User, name: str, kind: IdentifierKind | str, number: str) -> RealNameBinding:
    """Bind an account to the person with this name and number; makes the subject if nothing is on file yet.

    Must run in an audit context. Raises Invalid for a number that cannot be one; Conflict for an
    account that is bound already; Invalid `not_confirmed` where the register denies it and, in the
    same words, where the person is bound to another account; TooManyAttempts after five failures
    of the account within an hour.
    """
    if RealNameBinding.objects.filter(user=user).exists():
        raise Conflict("already_bound", _("This account is bound to a person already."))
    wanted = _checked(name, kind, number)
    _count_attempt(user)
    binding = _bind_confirmed(user, name, wanted)
    cache.delete(_attempts_key(user))
    return binding


def _checked(name: str, kind: IdentifierKind | str, number: str) -> Identifier:
    """The number in its one spelling; raises Invalid with everything that is wrong."""
    problems = []
    if not name.strip():
        problems.append(FieldProblem("name", "required", _("Please enter your name as it stands on the document.")))
    if kind not in IdentifierKind.__members__.values() or not IdentifierKind(kind).personal:
        problems.append(FieldProblem("kind", "document_kind_unknown", _("Please choose the kind of your document.")))
        raise Invalid(problems)
    text = normalise(number)
    chosen = IdentifierKind(kind)
    if chosen == IdentifierKind.RESIDENT_ID and len(text) == 15:
        chosen = IdentifierKind.RESIDENT_ID_15
    if problem := check(chosen, text):
        problems.append(FieldProblem("number", problem.code, problem.message))
    if problems:
        raise Invalid(problems)
    return identifier(chosen, text)


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


def _attempts_key(user: User) -> str:
    return f"realname:{user.pk}"


def _count_attempt(user: User) -> None:
    """Count before asking, so that attempts made at the same moment are all counted. Raises TooManyAttempts."""
    key = _attempts_key(user)
    cache.add(key, 0, ATTEMPTS_SECONDS)
    try:
        made = cache.incr(key)
    except ValueError:  # the hour ended between the two calls
        cache.set(key, 1, ATTEMPTS_SECONDS)
        made = 1
    if made > ATTEMPTS:
        raise TooManyAttempts(attempts=ATTEMPTS)
