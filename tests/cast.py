"""The cast of every test. All persons are fictitious; their numbers are valid."""

from dataclasses import dataclass

from creditplatform.core.enums import Role
from creditplatform.core.identity import IdentifierKind
from creditplatform.core.models import Agency, Membership, User
from records.enums import SubjectKind
from records.identifiers import identifier, name_index
from records.models import RealNameBinding, Subject

PERSON_NUMBER = "441300199001011239"
STRANGER_NUMBER = "620100198506154320"
MINOR_NUMBER = "620100201203010017"
PASSWORD = "cast-of-every-test-1"


def person_subject(number: str, name: str) -> Subject:
    """A natural person on file."""
    found = identifier(IdentifierKind.RESIDENT_ID, number)
    return Subject.objects.create(
        kind=SubjectKind.PERSON,
        identifier_kind=found.kind,
        number_index=found.blind_index,
        name_index=name_index(name),
        number_sealed=found.number,
        name_sealed=name,
    )


def member(username: str, agency: Agency, role: Role) -> User:
    """A member of a unit in one role."""
    user = User.objects.create_user(username, PASSWORD, display_name=username)
    Membership.objects.create(user=user, agency=agency, role=role)
    return user


def citizen(username: str, subject: Subject) -> User:
    """A citizen whose account is bound to a person."""
    user = User.objects.create_user(username, PASSWORD)
    RealNameBinding.objects.create(user=user, subject=subject, adapter="test")
    return user


@dataclass(frozen=True)
class Cast:
    """Who plays in a test."""

    person: User
    stranger: User
    unbound: User
    clerk: User
    officer: User
    other_clerk: User
    supervisor: User
    centre: User
    auditor: User
    editor: User
    security: User
    operator: User

    @classmethod
    def assemble(cls) -> "Cast":
        """Everybody, with their units; must run in an audit context."""
        market = Agency.objects.get(code="hz-market")
        other = Agency.objects.get(code="gs-market")
        centre = Agency.objects.get(code="hz-drc")
        return cls(
            person=citizen("person", person_subject(PERSON_NUMBER, "林示例")),
            stranger=citizen("stranger", person_subject(STRANGER_NUMBER, "马示例")),
            unbound=User.objects.create_user("unbound", PASSWORD),
            clerk=member("clerk", market, Role.CLERK),
            officer=member("officer", market, Role.OFFICER),
            other_clerk=member("other-clerk", other, Role.CLERK),
            supervisor=member("supervisor", market, Role.SUPERVISOR),
            centre=member("centre", centre, Role.CENTRE),
            auditor=member("auditor", centre, Role.AUDITOR),
            editor=member("editor", centre, Role.EDITOR),
            security=member("security", centre, Role.SECURITY),
            operator=member("operator", centre, Role.OPERATOR),
        )

    def staff(self) -> dict[str, User]:
        """Members of units, by name."""
        return {name: user for name, user in vars(self).items() if name not in {"person", "stranger", "unbound"}}
