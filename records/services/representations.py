"""Ask to act for another person, decide on it with the papers, end it. All of it must run in an audit context."""

import datetime
from collections.abc import Collection

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import Authority, Door
from creditplatform.core.errors import Conflict, FieldProblem, Invalid, NotPermitted
from creditplatform.core.models import User
from records import papers as store
from records.enums import OwnPurpose, RepresentationKind, RepresentationPapers
from records.identifiers import checked_person
from records.models import RealNameBinding, Representation, Subject
from records.services import after_death
from records.services.own_limits import check_representations
from records.services.representation_notices import tell_both, tell_confirmed, tell_refused
from records.window import window_of
from records.workflows.representation import ASKED, REPRESENTATION, SCOPES, STANDS, full_age_on

LONGEST_DAYS = 366  # of a power of attorney, and of the guardianship of an adult
LONGEST_OBJECTION = 1000
FITTING = {
    RepresentationKind.GUARDIAN: {RepresentationPapers.BIRTH, RepresentationPapers.COURT},
    RepresentationKind.ATTORNEY: {RepresentationPapers.ATTORNEY, RepresentationPapers.NOTARY},
    RepresentationKind.HEIR: {RepresentationPapers.KINSHIP},
}
FIELDS = {"kind": "document"}  # what the check of a number calls the kind of its document


class AskedAlready(Conflict):
    """The same is being checked (HTTP 409)."""

    default_code = "asked_already"
    default_message = _("You have asked for this already; it is being checked.")


def ask(
    *,
    user: User,
    kind: str,
    name: str,
    document: str,
    number: str,
    scope: Collection[str],
    papers: bytes,
    papers_kind: str,
    valid_until: datetime.date | None = None,
) -> Representation:
    """Ask to act for the person of this name and number; nobody is looked up before an official has the papers.

    Raises Invalid with everything that is wrong at once; Conflict for a request that is being checked already and for
    more requests than one account may have; NotPermitted for an account that is bound to nobody.
    """
    own = _own(user)
    found = problems(
        own=own, kind=kind, name=name, document=document, number=number, scope=scope, papers=papers,
        papers_kind=papers_kind, valid_until=valid_until,
    )  # fmt: skip
    if found:
        raise Invalid(found)
    wanted = checked_person(name, document, number)
    _make_way(own, wanted.blind_index, kind)
    check_representations(user)
    kept = store.keep(papers)
    try:
        with transaction.atomic():
            return Representation.objects.create(
                representative=own, kind=kind, scope=sorted(scope), valid_until=valid_until, papers=kept.name,
                papers_digest=kept.digest, papers_kind=papers_kind, asked_kind=wanted.kind.value,
                asked_number=wanted.number, asked_name=name.strip(), asked_index=wanted.blind_index, requested_by=user,
            )  # fmt: skip
    except IntegrityError as error:
        store.remove(kept.name)
        raise AskedAlready from error


def check(*, case: Representation, user: User) -> Representation:
    """The first official has compared the papers; nothing holds yet. Raises Invalid, NotPermitted, Conflict."""
    _refuse_second(case)
    return REPRESENTATION.take("check", case, user=user)


def confirm(*, case: Representation, user: User) -> Representation:
    """The papers prove it to a second official, too: from now on it holds. Both persons are told.

    With the right of an heir everything ends that the dead person can no longer want, or nothing is confirmed.
    """
    _refuse_second(case)
    with transaction.atomic():
        taken = REPRESENTATION.take("confirm", case, user=user)
        tell_confirmed(taken)
        if taken.kind == RepresentationKind.HEIR and taken.person is not None:
            after_death.close(taken.person)
    return taken


def refuse(*, case: Representation, user: User, refusal: str) -> Representation:
    """Refuse with the reason, which only the representative reads."""
    with transaction.atomic():
        taken = REPRESENTATION.take("refuse", case, user=user, refusal=refusal)
        tell_refused(taken)
    return taken


def end(*, case: Representation, user: User) -> Representation:
    """End it, or withdraw what was asked; works at once. Both persons are told where it held."""
    step = "withdraw" if case.state in ASKED else "end"
    with transaction.atomic():
        taken = REPRESENTATION.take(step, case, user=user)
        if step == "end":
            tell_both(taken, "end")
    return taken


def contest(*, case: Representation, user: User, objection: str = "") -> Representation:
    """The person says that the guardianship is not right: it opens nothing until it is decided. Both are told.

    `objection` are their words, which need not be given. Raises Invalid where they are too long; NotPermitted,
    Conflict.
    """
    if len(objection) > LONGEST_OBJECTION:
        raise Invalid.in_field("objection", "too_long", _("Please say it in fewer words."))
    with transaction.atomic():
        taken = REPRESENTATION.take("contest", case, user=user, objection=objection)
        tell_both(taken, "contest")
    return taken


def settle(*, case: Representation, user: User, stands: bool, grounds: str) -> Representation:
    """Decide, with grounds, whether what was contested stands again or ends; both are told and may read the grounds.

    Raises NotPermitted for whoever checked or confirmed it, Invalid, Conflict.
    """
    step = "uphold" if stands else "overturn"
    with transaction.atomic():
        taken = REPRESENTATION.take(step, case, user=user, grounds=grounds)
        tell_both(taken, step)
    return taken


def open_papers(*, case: Representation, user: User) -> tuple[bytes, str]:
    """The papers with the kind of the file, for the official who decides and for the one who handed them in.

    The look of an official is written into the access log of both persons. Raises NotPermitted.
    """
    agency = window_of(user)
    binding = RealNameBinding.objects.filter(user=user, subject=case.representative_id).exists()
    if agency is None and not binding:
        raise NotPermitted
    if agency is not None and not binding:
        for person in (case.representative_id, case.person_id):
            if person is None:
                continue
            record_disclosure(
                subject_ref=person,
                actor=user,
                agency=agency,
                purpose=OwnPurpose.WINDOW,
                authority=Authority.DUTY,
                fields=["papers"],
                case_number=case.token,
                door=Door.DESK,
            )
    content = store.read(case.papers, case.papers_digest)
    return content, store.kind_of(content) or "application/octet-stream"


def problems(
    *,
    own: Subject,
    kind: str,
    name: str,
    document: str,
    number: str,
    scope: Collection[str],
    papers: bytes,
    papers_kind: str,
    valid_until: datetime.date | None,
) -> list[FieldProblem]:
    """Everything that speaks against a request, at once; nobody is looked up."""
    found = [*_problems(kind, scope, papers_kind, valid_until), *_paper_problems(papers)]
    try:
        wanted = checked_person(name, document, number)
    except Invalid as error:
        return [
            *found,
            *(problem._replace(field=FIELDS.get(problem.field, problem.field)) for problem in error.problems),
        ]
    by_court = papers_kind == RepresentationPapers.COURT
    return [*found, *_person_problems(own, kind, wanted.kind.value, wanted.number, valid_until, by_court=by_court)]


def _own(user: User) -> Subject:
    binding = RealNameBinding.objects.filter(user=user).select_related("subject").first()
    if binding is None:
        raise NotPermitted
    return binding.subject


def _problems(
    kind: str, scope: Collection[str], papers_kind: str, valid_until: datetime.date | None
) -> list[FieldProblem]:
    """What does not fit the right by which somebody wants to act."""
    if kind not in RepresentationKind.values:
        return [FieldProblem("kind", "required", _("Choose by what right you act."))]
    found, right = [], RepresentationKind(kind)
    if not scope or not set(scope) <= SCOPES[right]:
        sentence = _("Choose what you may do: near relatives see the file only, guardians get no reports.")
        found.append(FieldProblem("scope", "scope", sentence))
    if papers_kind not in FITTING[right]:
        found.append(FieldProblem("papers_kind", "papers", _("These papers do not prove this right.")))
    if right == RepresentationKind.ATTORNEY and not _within_a_year(valid_until):
        sentence = _("A power of attorney has an end, within a year from today.")
        found.append(FieldProblem("valid_until", "end", sentence))
    elif valid_until and valid_until <= timezone.localdate():
        found.append(FieldProblem("valid_until", "end", _("The end lies ahead.")))
    return found


def _person_problems(
    own: Subject, kind: str, document: str, number: str, valid_until: datetime.date | None, *, by_court: bool
) -> list[FieldProblem]:
    """What the number itself tells against it."""
    if number == own.number_sealed:
        return [FieldProblem("number", "self", _("Nobody represents themselves."))]
    if kind != RepresentationKind.GUARDIAN:
        return []
    adult = full_age_on(document, number)
    if adult is None and valid_until is None:
        return [FieldProblem("valid_until", "end", _("The number tells no age, so please give the end."))]
    return _adult_problems(valid_until, by_court=by_court) if adult and adult <= timezone.localdate() else []


def _adult_problems(valid_until: datetime.date | None, *, by_court: bool) -> list[FieldProblem]:
    """Whoever is of full age has a guardian by a court's decision alone, confirmed anew from time to time."""
    found = []
    if not by_court:
        sentence = _("The person is of full age; a guardian of an adult adds the court's decision.")
        found.append(FieldProblem("papers_kind", "full_age", sentence))
    if not _within_a_year(valid_until):
        sentence = _("For an adult a guardian gives an end, within a year from today; then it is asked for anew.")
        found.append(FieldProblem("valid_until", "end", sentence))
    return found


def _within_a_year(day: datetime.date | None) -> bool:
    today = timezone.localdate()
    return day is not None and today < day <= today + datetime.timedelta(days=LONGEST_DAYS)


def _paper_problems(papers: bytes) -> list[FieldProblem]:
    if not papers:
        return [FieldProblem("papers", "required", _("Please add the papers that prove it."))]
    if len(papers) > store.MOST_BYTES:
        return [FieldProblem("papers", "too_large", _("The file is larger than 10 MB."))]
    if store.kind_of(papers) is None:
        return [FieldProblem("papers", "wrong_kind", _("Only PDF, JPEG and PNG files can be taken; this is none."))]
    return []


def _make_way(own: Subject, index: bytes, kind: str) -> None:
    """Close what ended by its date, so that it can be asked for anew. Raises Conflict for what is being checked."""
    confirmed = Representation.objects.filter(
        representative=own, kind=kind, person__number_index=index, state__in=STANDS
    )
    for case in confirmed.filter(valid_until__lte=timezone.localdate()):
        REPRESENTATION.take("expire", case, user=None)
    if Representation.objects.filter(representative=own, kind=kind, asked_index=index).exists():
        raise AskedAlready


def _refuse_second(case: Representation) -> None:
    """Raises Conflict where the same is confirmed already; nothing tells the representative before."""
    same = Representation.objects.filter(representative=case.representative_id, kind=case.kind, state__in=STANDS)
    if case.asked_index and same.filter(person__number_index=bytes(case.asked_index)).exists():
        raise Conflict("confirmed_already", _("This representation is confirmed already; refuse the second request."))
