"""Prepared answers about who belongs where. Every look at a person is preceded by its line in the access log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from creditplatform.core.audit.access import record_disclosure, record_disclosures
from creditplatform.core.enums import AccessResult, Authority, Door, Role
from creditplatform.core.identity import IdentifierKind
from creditplatform.core.models import AccessLog, Agency, User
from records.enums import Openness, OwnPurpose, SubjectKind, VersionState
from records.identifiers import identifier
from records.models import Affiliation, Entitlement, EntryVersion, Feed, KeyGroup, KeyGroupMembership, Subject
from records.querysets import units_of
from records.selectors import log_own_look

PAGE = 50
NOBODY_ON_FILE = 0
RELATED = ("record__entry", "record__agency")


@dataclass(frozen=True)
class Group:
    """A key group: how many belong to it today, and the units that send it."""

    group: KeyGroup
    count: int
    units: list[Agency]


def _versions() -> Any:
    return EntryVersion.objects.filter(state=VersionState.IN_FORCE).exclude(key_group="")


def groups_of(user: User) -> list[KeyGroup]:
    """The key groups a member of staff sees: all for the centre, for a unit those it is entitled to send."""
    groups = KeyGroup.objects.order_by("code")
    if Role.CENTRE in user.roles:
        return list(groups)
    entries = Entitlement.objects.filter(agency__in=units_of(user)).values("entry")
    return list(groups.filter(code__in=_versions().filter(entry__in=entries).values("key_group")))


def group_figures(groups: Sequence[KeyGroup]) -> list[Group]:
    """Figures of key groups, no person named; three queries."""
    codes = [group.pk for group in groups]
    standing = KeyGroupMembership.objects.standing().filter(group__in=codes).order_by()
    counts = dict(standing.values_list("group").annotate(count=Count("pk")))
    entries = dict(_versions().filter(key_group__in=codes).values_list("entry", "key_group"))
    units: dict[str, dict[int, Agency]] = {}
    for feed in Feed.objects.filter(entry__in=entries, active=True).select_related("agency").order_by("agency"):
        units.setdefault(entries[feed.entry_id], {})[feed.agency_id] = feed.agency
    return [Group(group, counts.get(group.pk, 0), list(units.get(group.pk, {}).values())) for group in groups]


def find_member(*, user: User, group: KeyGroup, kind: str, number: str) -> list[KeyGroupMembership]:
    """What a member of staff may see of one person in a key group, found by the exact number alone.

    The look is written first, also where nothing is found: somebody asked about that person.
    """
    found = identifier(IdentifierKind(kind), number)
    subject = Subject.objects.by_number(found.blind_index).filter(kind=SubjectKind.PERSON).first()
    ties = KeyGroupMembership.objects.known().disclosed_to(user).filter(group=group, subject=subject)
    shown = list(ties.select_related("subject", "employer", *RELATED).order_by("-valid_from")) if subject else []
    record_disclosure(
        subject_ref=subject.pk if subject else NOBODY_ON_FILE,
        actor=user,
        agency=_asking_unit(user, group),
        purpose=OwnPurpose.KEY_GROUP,
        authority=Authority.DUTY,
        fields=sorted({tie.record.entry.code for tie in shown if tie.record}),
        case_number=group.pk,
        door=Door.DESK,
        result=AccessResult.SHOWN if shown else AccessResult.NOTHING,
    )
    return shown


def _asking_unit(user: User, group: KeyGroup) -> Agency | None:
    """The unit in whose name somebody asks: one that may send an entry of the group, else that of the centre."""
    held = sorted(user.memberships_in_force, key=lambda membership: membership.pk)
    entries = _versions().filter(key_group=group.pk).values("entry")
    entitled = Entitlement.objects.filter(agency__in=units_of(user), entry__in=entries).values_list("agency", flat=True)
    asking = set(entitled)
    chosen = [m.agency for m in held if m.agency_id in asking] or [m.agency for m in held if m.role == Role.CENTRE]
    return chosen[0] if chosen else None


def own_organisations(user: User) -> list[Agency]:
    """Units of the person that are known by a credit code, and so can have members of their own."""
    working = units_of(user)
    return [m.agency for m in user.memberships_in_force if m.agency_id in working and m.agency.credit_code]


def members_of(*, user: User, agency: Agency, before: int | None = None) -> list[Affiliation]:
    """One page of those whom the unit itself has put on file as its own, newest first; each look is written first.

    An association sees its members, a school its students, a volunteer body its volunteers, by their own records.
    """
    code = identifier(IdentifierKind.CREDIT_CODE, agency.credit_code)
    ties = Affiliation.objects.known().filter(organisation__number_index=code.blind_index, record__agency=agency)
    if before:
        ties = ties.filter(pk__lt=before)
    page = list(ties.select_related("person", *RELATED).order_by("-pk")[: PAGE + 1])
    record_disclosures(
        [
            AccessLog(
                subject_ref=tie.person_id, actor=user, agency=agency, purpose=OwnPurpose.OWN_MEMBERS,
                authority=Authority.DUTY, fields=["name"], door=Door.DESK, result=AccessResult.SHOWN,
            )
            for tie in page[:PAGE]
        ]
    )  # fmt: skip
    return page


@dataclass(frozen=True)
class OwnTies:
    """What a person belongs to, past and present."""

    groups: list[KeyGroupMembership]
    affiliations: list[Affiliation]

    def __bool__(self) -> bool:
        return bool(self.groups or self.affiliations)


def own_ties(user: User, subject: Subject) -> OwnTies:
    """Everything the platform keeps about where the person belongs; the look is written first."""
    groups = subject.key_groups.known().select_related("group", "employer", *RELATED).order_by("-valid_from")
    affiliations = subject.affiliations.known().select_related("organisation", *RELATED).order_by("-valid_from")
    log_own_look(user, subject, _entries([*groups, *affiliations]))
    return OwnTies(list(groups), list(affiliations))


def _entries(ties: Iterable[Any]) -> list[str]:
    return sorted({tie.record.entry.code for tie in ties if tie.record})


def openness_sentence_applies(group: KeyGroup) -> bool:
    """Whether some entry of the group is shared among authorities, so that other units' members are shown too."""
    shared = Q(person_openness__in=[Openness.SHARED, Openness.PUBLIC])
    return bool(_versions().filter(shared, key_group=group.pk).exists())
