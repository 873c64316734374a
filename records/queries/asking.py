"""One question about one person, from whatever door: which authority covers it, the answer, its line in the log.

Staff and machine clients ask through here. A refusal is registered too, and says the same whether or not anybody is on
file. Must run in an audit context, since a consent that is used is counted.
"""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from creditplatform.core.enums import Authority
from creditplatform.core.models import Agency
from creditplatform.core.rules import recent_rulebook
from creditplatform.core.vault import pk_of_token, public_token
from records.enums import SubjectKind
from records.identifiers import Identifier, name_index
from records.models import Authorisation, Purpose, Subject
from records.models.authorisation import AUTHORISATION_KIND
from records.queries.disclosure import (
    NOBODY,
    NONE_GIVEN,
    Asker,
    Disclosed,
    Shown,
    disclose_noted,
    register_answer,
    register_refusal,
)
from records.queries.eligibility import Answer, Criteria, Person, answers
from records.queries.grants import (
    Grant,
    NotAuthorised,
    PurposeNotOpen,
    grant_by_consent,
    grant_by_statute,
    grant_of_purpose,
)
from records.queries.scope import FieldScope
from records.queries.uses import use, use_of_persons
from records.services import authorisations


@dataclass(frozen=True)
class Question:
    """Who asks for what about whom. `consent` is the number of a receipt; without one the usable consent is found."""

    purpose: Purpose
    person: Identifier
    name: str
    asker: Asker
    consent: str = ""

    @property
    def agency(self) -> Agency:
        """The unit that asks. Raises PurposeNotOpen where there is none, since only units ask for a purpose."""
        if self.asker.agency is None:
            raise PurposeNotOpen
        return self.asker.agency


@dataclass(frozen=True)
class Answered:
    """An automatic answer with the criteria it was given by, the number of its line in the access log, and for whom.

    `person` is the index of the number, whether or not anybody is on file under it.
    """

    answer: Answer
    criteria: Criteria
    access: int
    person: bytes


def ask_records(question: Question) -> list[Shown]:
    """The records that purpose, consent and openness open; empty where nothing is on file under number and name.

    Raises PurposeNotOpen for a purpose that shows none; NotAuthorised, see `refuse`.
    """
    return ask_records_noted(question).shown


def ask_records_noted(question: Question) -> Disclosed:
    """The same with the number of its line in the access log."""
    if not question.purpose.gives_records:
        raise PurposeNotOpen
    with transaction.atomic():
        grant = _granted(question)
        subject = Subject.objects.by_number(question.person.blind_index).filter(kind=SubjectKind.PERSON).first()
        fits = subject is not None and bytes(subject.name_index) == name_index(question.name)
        about = subject.pk if subject else NOBODY
        return disclose_noted(subject if fits else None, grant, question.asker, about=about)


def ask_eligibility(question: Question) -> Answered:
    """Whether the record is clean under the rule in force at the unit's place; three statements by statute.

    Raises PurposeNotOpen for a purpose that does not answer it; NotAuthorised, see `refuse`; RuleMissing.
    """
    if not question.purpose.gives_eligibility:
        raise PurposeNotOpen
    today = timezone.localdate()
    criteria = Criteria.on(today, recent_rulebook(), question.agency.site.code)
    with transaction.atomic():
        grant = _granted_whole(question)
        person = Person(0, question.person.blind_index, name_index(question.name))
        found = answers([person], grant, criteria)[0]
        access = register_answer(found.subject or NOBODY, grant, question.asker, found.kinds, seen=found.seen)
    return Answered(found, criteria, access, question.person.blind_index)


def refuse(question: Question) -> int:
    """Register that a question was refused, for the person to read; call it wherever NotAuthorised is answered."""
    subject = Subject.objects.by_number(question.person.blind_index).values_list("pk", flat=True).first()
    by_law = not question.purpose.needs_consent
    basis = question.purpose.legal_basis
    return register_refusal(
        subject or NOBODY,
        question.asker,
        purpose=question.purpose.code,
        authority=Authority.STATUTE if by_law else Authority.CONSENT,
        reference=basis.original_citation if by_law and basis else NONE_GIVEN,
    )


def _granted_whole(question: Question) -> Grant:
    """The grant for a yes or no, one use of a consent to everything the purpose looks at taken. Raises NotAuthorised.

    Half a look makes no record clean. Found and used in one statement, as for a list.
    """
    purpose, number, receipt = question.purpose, question.person.blind_index, None
    if not purpose.needs_consent:
        return grant_by_statute(purpose, question.agency)
    if question.consent and (receipt := pk_of_token(AUTHORISATION_KIND, question.consent)) is None:
        raise NotAuthorised
    used = use_of_persons(
        numbers=[number], names=[name_index(question.name)], agency=question.agency.pk, purpose=purpose,
        fields=FieldScope.of(purpose.fields).names, door=question.asker.door, named=receipt,
    )  # fmt: skip
    if number not in used:
        raise NotAuthorised
    return grant_of_purpose(purpose, question.agency, reference=public_token(AUTHORISATION_KIND, used[number]))


def _granted(question: Question) -> Grant:
    """The grant that covers the question, one use of a consent taken. Raises NotAuthorised."""
    if not question.purpose.needs_consent:
        return grant_by_statute(question.purpose, question.agency)
    while True:  # until no consent is left, where it is not named and others take the last use of one just found
        consent = consent_for(question, whole=False)
        grant = grant_by_consent(question.purpose, question.agency, consent)
        try:
            use(consent)
        except NotAuthorised:
            if question.consent:
                raise
        else:
            return grant


def consent_for(question: Question, *, whole: bool) -> Authorisation:
    """The consent named, or of those that cover the question the one that ends first; no use is taken yet.

    It is the person's in number and name, and with `whole` of everything the purpose looks at. Raises NotAuthorised.
    """
    number, name = question.person.blind_index, name_index(question.name)
    wanted = FieldScope.of(question.purpose.fields)
    if question.consent:
        found: Authorisation | None = authorisations.named(question.consent, question.agency)
    else:
        usable = Authorisation.objects.usable().filter(
            number_index=number, agency=question.agency, purpose=question.purpose, name_index=name
        )
        if whole:
            usable = usable.filter(granted_fields__contains=wanted.names)
        found = usable.order_by("expires_at", "pk").first()
    if found is None or bytes(found.number_index) != number or bytes(found.name_index) != name:
        raise NotAuthorised
    if found.purpose_id == question.purpose.pk:
        found.purpose = question.purpose  # at hand already; of another one it is asked, and refused
    grant = grant_by_consent(question.purpose, question.agency, found)
    if whole and not grant.scope.covers(wanted):
        raise NotAuthorised
    return found
