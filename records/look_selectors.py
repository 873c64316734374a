"""Who looked at a person's data, prepared for the person: who, for what, on what authority, which fields, when.

An access whose display is deferred by statute is not among them until its day has come, and then says that it was.
Officials are named by their role; which of them it was, the review of a complaint finds out.
"""

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import (
    Count,
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    OuterRef,
    Q,
    Subquery,
    Value,
)
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import AccessResult, Authority, Door, Role
from creditplatform.core.labels import Kind, labels_of
from creditplatform.core.masking import Mask, mask
from creditplatform.core.models import AccessLog, Agency, Membership
from creditplatform.core.vault import pk_of_token, public_token
from creditplatform.core.wording import bracketed, chinese
from records.enums import FieldRole, OwnPurpose, ReviewCause
from records.models import (
    AccessDeferral,
    AccessReview,
    Authorisation,
    CatalogueEntry,
    EntryField,
    Purpose,
    RealNameBinding,
    Representation,
    Subject,
)
from records.models.authorisation import AUTHORISATION_KIND
from records.models.representation import REPRESENTATION_KIND
from records.queries.disclosure import DISCLOSED, LISTED_AGAIN, REPEATED
from records.querysets.queries import deferred_case
from records.services import human_review

LOOK_KIND = "look"
PAGE, AT_A_TIME = 50, 1000
A_DAY = datetime.timedelta(days=1)
FIRST_YEAR, LAST_YEAR = 2000, 2999
PARTS = {
    FieldRole.SUBJECT_NAME.value: _("name of the person"),
    "name": _("name of the person"),
    "number": _("number of identity document"),
    "phone": _("telephone"),
    "address": _("address"),
    "looks": _("who looked at the file"),
    "authorisations": _("requests for consent, and what was allowed"),
    "papers": _("papers of a representation"),
    "prior-notice": _("announcement of a record, and the reply"),
    "credit-report": _("credit report"),
    DISCLOSED: _("whether the record is clean, yes or no"),
    REPEATED: _("the same answer once more, lost on its way"),
    LISTED_AGAIN: _("the list with the answer, fetched again"),
}
BY_LINK = _("whoever had the link and code you gave")
REPRESENTATIVE = _("a representative")
BY_REPRESENTATIVES = frozenset({OwnPurpose.REPRESENTATIVE.value, OwnPurpose.OWN_REPORT.value})
VISITOR = _("a visitor of the public site")
SYSTEM, MEMBER = _("its computer system"), _("a member of its staff")


@dataclass(frozen=True)
class Look:
    """One access to the person's data; `receipt` is the number of the consent it rests on, where it is the person's.

    `complaints` are those of the person and of whoever represents them, the newest first.

    `times` is more than one where it stands for all of a kind on one day: checks of one report, or questions of one
    unit for one purpose that were refused.
    """

    row: AccessLog
    own: bool
    who: str
    shown: list[str]
    purpose: str
    receipt: str
    deferral: AccessDeferral | None
    complaints: list[AccessReview]
    times: int = 1

    @property
    def review(self) -> AccessReview | None:
        """The last complaint about it."""
        return self.complaints[0] if self.complaints else None

    @property
    def statute(self) -> str:
        """The statute it rests on; a representative's look names a representation instead, which is none."""
        by_law = self.row.authority in (Authority.STATUTE, Authority.PUBLICATION)
        return self.row.reference if by_law and self.row.purpose not in BY_REPRESENTATIVES else ""

    @property
    def token(self) -> str:
        """The number under which the person speaks of it: 128 bits, not to be guessed."""
        return public_token(LOOK_KIND, self.row.pk)


@dataclass(frozen=True)
class Latest:
    """One of the newest accesses, as the first page names it."""

    row: AccessLog
    who: str
    purpose: str


@dataclass(frozen=True)
class Chosen:
    """Which looks are to be seen: those of a year, of a unit, also one's own.

    `names`: each with who the representative was, for the person alone and for no other representative.
    """

    year: int | None = None
    unit: str = ""
    with_own: bool = False
    names: bool = False

    @classmethod
    def of(cls, given: Any, *, names: bool) -> "Chosen":
        """From what stands in the address; what makes no sense there chooses nothing."""
        year = given.get("year", "")
        known = year.isascii() and year.isdecimal() and len(year) == 4 and FIRST_YEAR <= int(year) <= LAST_YEAR
        unit = given.get("unit", "").replace("\x00", "")[:60]
        return cls(int(year) if known else None, unit, given.get("own") == "1", names)


def looks(
    subject: Subject, chosen: Chosen | None = None, *, before: tuple[datetime.datetime, int] | None = None
) -> list[Look]:
    """One page and one line more, newest first, after those of the page before; ten queries at most.

    All checks of one report on one day are one line, the last of them; so is what one unit was refused.
    """
    chosen = chosen or Chosen()
    rows = _one_a_day(_rows(subject, chosen))
    if before:
        at, pk = before
        rows = rows.filter(Q(at__lt=at) | Q(at=at, pk__lt=pk))
    found = _prepared(subject, rows[: PAGE + 1], names=chosen.names)
    times = _times_a_day(subject, found)
    return [replace(one, times=times.get(_kind_of(one), 1)) for one in found]


def newest(subject: Subject, *, most: int) -> tuple[list[Latest], int]:
    """The newest looks of others, and how many there are up to one more than a page; two queries."""
    named = Purpose.objects.filter(code=OuterRef("purpose")).values("name" if chinese() else "name_en")
    rows = _one_a_day(_rows(subject, Chosen())).annotate(purpose_name=Subquery(named))
    found = list(rows[: PAGE + 1])
    last = found[:most]
    ours = labels_of(Kind.PURPOSE, {row.purpose for row in last if not row.purpose_name})
    return [Latest(row, unit_that_looked(row), row.purpose_name or ours[row.purpose]) for row in last], len(found)


def all_looks(subject: Subject, chosen: Chosen) -> Iterator[Look]:
    """Every look, newest first, a thousand lines at a time."""
    before: tuple[datetime.datetime, int] | None = None
    while True:
        rows = _rows(subject, chosen)
        if before:
            rows = rows.filter(Q(at__lt=before[0]) | Q(at=before[0], pk__lt=before[1]))
        some = _prepared(subject, rows[:AT_A_TIME], names=chosen.names)
        yield from some
        if len(some) < AT_A_TIME:
            return
        before = some[-1].row.at, some[-1].row.pk


def look(subject: Subject, token: str, *, names: bool = False) -> Look | None:
    """One look at the person that may be shown today, by its number; `names` as in `Chosen`."""
    pk = pk_of_token(LOOK_KIND, token)
    rows = _rows(subject, Chosen(with_own=True)).filter(pk=pk)[:1] if pk is not None else ()
    return next(iter(_prepared(subject, rows, names=names)), None)


def years_and_units(subject: Subject) -> tuple[list[int], list[Agency]]:
    """What the looks of others can be narrowed down by; nothing of a deferred one shows here either."""
    rows = _rows(subject, Chosen()).order_by()
    years = {moment.year for moment in rows.datetimes("at", "year")}
    units = Agency.objects.filter(pk__in=rows.exclude(agency=None).values("agency")).order_by("code")
    return sorted(years, reverse=True), list(units)


def _rows(subject: Subject, chosen: Chosen) -> Any:
    hidden = AccessDeferral.objects.holding().filter(subject=subject.pk).values("access_id")
    rows = AccessLog.objects.filter(subject_ref=subject.pk).exclude(pk__in=hidden).select_related("agency")
    # Who looks again at an answer would tell of a look that is not shown yet.
    rows = rows.exclude(Q(reference=human_review.STATUTE) & deferred_case(subject))
    if not chosen.with_own:
        rows = rows.exclude(authority=Authority.SELF, actor=_account(subject))
    if chosen.year:
        first = datetime.datetime(chosen.year, 1, 1, tzinfo=timezone.get_default_timezone())
        rows = rows.filter(at__gte=first, at__lt=first.replace(year=chosen.year + 1))
    if chosen.unit:
        rows = rows.filter(agency__code=chosen.unit)
    return rows.order_by("-at", "-pk")


def _one_a_day(rows: Any) -> Any:
    """Of what stands in one line on one day the last alone."""
    moment = ExpressionWrapper(OuterRef("at"), output_field=DateTimeField())
    within = ExpressionWrapper(moment + Value(A_DAY, DurationField()), output_field=DateTimeField())
    later = AccessLog.objects.filter(
        subject_ref=OuterRef("subject_ref"), purpose=OuterRef("purpose"), at__gte=OuterRef("at"), at__lt=within,
        at__date=TruncDate(moment), pk__gt=OuterRef("pk"),
    )  # fmt: skip
    checks = later.filter(purpose=OwnPurpose.REPORT_CHECK, reference=OuterRef("reference"))
    refusals = later.filter(result=AccessResult.REFUSED, agency=OuterRef("agency"))
    repeated = Q(purpose=OwnPurpose.REPORT_CHECK) & Exists(checks) | Q(result=AccessResult.REFUSED) & Exists(refusals)
    return rows.exclude(repeated)


def _kind_of(one: Look) -> tuple[Any, ...] | None:
    """What stands in one line on its day: checks of a report, refusals of a unit for a purpose; else None."""
    row, day = one.row, timezone.localdate(one.row.at)
    if row.purpose == OwnPurpose.REPORT_CHECK:
        return (None, row.reference, day)
    return (row.agency_id, row.purpose, day) if row.result == AccessResult.REFUSED else None


def _times_a_day(subject: Subject, found: Sequence[Look]) -> dict[tuple[Any, ...] | None, int]:
    """How often what stands in one line happened on its day; one query for each kind there is."""
    kinds = [kind for one in found if (kind := _kind_of(one))]
    if not kinds:
        return {}
    days = [kind[-1] for kind in kinds]
    rows = AccessLog.objects.filter(subject_ref=subject.pk, at__date__gte=min(days), at__date__lte=max(days))
    rows = rows.annotate(day=TruncDate("at")).order_by()
    counted: dict[tuple[Any, ...] | None, int] = {}
    if any(kind[0] is None for kind in kinds):
        checks = rows.filter(purpose=OwnPurpose.REPORT_CHECK).values_list("reference", "day")
        counted |= {(None, report, day): n for report, day, n in checks.annotate(n=Count("pk"))}
    if any(kind[0] is not None for kind in kinds):
        refused = rows.filter(result=AccessResult.REFUSED).values_list("agency", "purpose", "day")
        counted |= {(unit, purpose, day): n for unit, purpose, day, n in refused.annotate(n=Count("pk"))}
    return counted


def _account(subject: Subject) -> int:
    """The account of the person; 0 where there is none."""
    binding: RealNameBinding | None = getattr(subject, "binding", None)
    return binding.user_id if binding else 0


def _prepared(subject: Subject, rows: Iterable[AccessLog], *, names: bool) -> list[Look]:
    found = list(rows)
    keys = [row.pk for row in found]
    shown = field_labels({code for row in found for code in row.fields})
    purposes = labels_of(Kind.PURPOSE, {row.purpose for row in found})
    roles, receipts, account = _roles(found), _receipts(subject, found), _account(subject)
    representatives = _representatives(subject, found) if names else {}
    deferrals = {
        one.access_id: one
        for one in AccessDeferral.objects.filter(
            subject=subject, access_id__in=keys, approved_by__isnull=False
        ).select_related("legal_basis")
    }
    reviews: dict[int, list[AccessReview]] = {}
    complaints = AccessReview.objects.filter(subject=subject, access_id__in=keys, cause=ReviewCause.COMPLAINT)
    for one in complaints.order_by("-pk"):
        reviews.setdefault(one.access_id, []).append(one)
    return [
        Look(
            row=row,
            own=row.authority == Authority.SELF and row.actor_id == account,
            who=_who(row, roles) + representatives.get(row.reference, ""),
            shown=[shown[code] for code in row.fields],
            purpose=purposes[row.purpose],
            receipt=row.reference if row.reference in receipts else "",
            deferral=deferrals.get(row.pk),
            complaints=reviews.get(row.pk, []),
        )
        for row in found
    ]


def unit_that_looked(row: AccessLog) -> str:
    """The unit that looked, or who else did; who of the unit it was is told on the page of the looks."""
    return row.agency.label if row.agency else _who(row, {})


def _who(row: AccessLog, roles: dict[tuple[int, int], list[Membership]]) -> str:
    """Who looked, in words: a unit with the role in it, or somebody who is no unit."""
    if row.agency is None:
        others: dict[str, Any] = {OwnPurpose.SHARE_LINK.value: BY_LINK, OwnPurpose.PUBLIC_PAGE.value: VISITOR}
        represented = row.authority == Authority.SELF or row.purpose in BY_REPRESENTATIVES
        return str(others.get(row.purpose, REPRESENTATIVE if represented else ""))
    if row.actor_id is None:
        return f"{row.agency.label}{bracketed(SYSTEM)}" if row.door == Door.API else row.agency.label
    day = timezone.localdate(row.at)
    held = [one for one in roles.get((row.actor_id, row.agency_id or 0), []) if _held(one, day)]
    return f"{row.agency.label}{bracketed(Role(held[0].role).label if held else MEMBER)}"


def _held(membership: Membership, day: datetime.date) -> bool:
    return membership.valid_from <= day and (membership.valid_until is None or membership.valid_until > day)


def _roles(rows: Sequence[AccessLog]) -> dict[tuple[int, int], list[Membership]]:
    actors = {row.actor_id for row in rows if row.actor_id and row.agency_id}
    roles: dict[tuple[int, int], list[Membership]] = {}
    for one in Membership.objects.filter(user__in=actors).order_by("pk") if actors else ():
        roles.setdefault((one.user_id, one.agency_id), []).append(one)
    return roles


def _receipts(subject: Subject, rows: Sequence[AccessLog]) -> set[str]:
    """Numbers of consents of this person among what the looks rest on."""
    named = {row.reference for row in rows if row.authority in (Authority.CONSENT, Authority.SELF)}
    keys = {pk: text for text in named if (pk := pk_of_token(AUTHORISATION_KIND, text)) is not None}
    own = Authorisation.objects.filter(pk__in=keys, subject=subject) if keys else Authorisation.objects.none()
    return {keys[pk] for pk in own.values_list("pk", flat=True)}


def _representatives(subject: Subject, rows: Sequence[AccessLog]) -> dict[str, str]:
    """Whose representation a look rests on, in brackets, with so much of the name that the person knows who it is."""
    named = {row.reference for row in rows if row.agency_id is None and row.purpose in BY_REPRESENTATIVES}
    keys = [pk for text in named if (pk := pk_of_token(REPRESENTATION_KIND, text)) is not None]
    found = Representation.objects.filter(pk__in=keys, person=subject) if keys else Representation.objects.none()
    return {
        one.token: bracketed(mask(Mask.NAME, one.representative.name_sealed or ""))
        for one in found.select_related("representative")
    }


def field_labels(codes: set[str]) -> dict[str, str]:
    """Words for the fields of a disclosure: parts of the identity, kinds of record, or single fields of a record."""
    labels = {code: str(PARTS[code]) for code in codes if code in PARTS}
    labels |= {one.code: one.label for one in CatalogueEntry.objects.filter(code__in=codes)}
    if rest := codes - set(labels):
        labels |= {one.code: one.label for one in EntryField.objects.filter(code__in=rest).order_by("version_id")}
    return {code: labels.get(code, code) for code in codes}
