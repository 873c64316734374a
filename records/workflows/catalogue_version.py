"""Version of a catalogue entry: draft → in review → published → retired; sent back with a reason; withdrawn.

Edited by staff of the credit centre, published by a second person of the centre who had no hand in it. Published
means in force from its first day, which may lie ahead: validity is asked of dates, so no worker has to wake. The
version before ends on the day the new one begins, in the same transaction.
"""

import datetime

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Role
from creditplatform.core.errors import FieldProblem
from creditplatform.core.models import User
from creditplatform.core.workflow import Data, Step, Workflow
from records.catalogue import checks, ends
from records.catalogue.words import mark_of_basis
from records.enums import VersionState
from records.models import EntryVersion, LegalBasis

# --- who ---------------------------------------------------------------------------------------


def centre(version: EntryVersion, user: User | None) -> bool:
    """Staff of the credit centre."""
    return user is not None and Role.CENTRE in user.roles


def second_person(version: EntryVersion, user: User | None) -> bool:
    """Staff of the credit centre who had no hand in this version."""
    return user is not None and centre(version, user) and user.pk not in version.editors


def ended_by(version: EntryVersion, user: User | None) -> bool:
    """Staff of the credit centre, once the version has begun."""
    return centre(version, user) and version.valid_from <= timezone.localdate()


def called_off_by(version: EntryVersion, user: User | None) -> bool:
    """Staff of the credit centre, before the version has begun."""
    return centre(version, user) and version.valid_from > timezone.localdate()


# --- what must be there -------------------------------------------------------------------------


def nothing_missing(version: EntryVersion, data: Data) -> FieldProblem | None:
    """A version that is reviewed is complete."""
    problems = checks.of_draft(version)
    return problems[0] if problems else None


def bases_confirmed(version: EntryVersion, data: Data) -> FieldProblem | None:
    """Every law it rests on is confirmed, or this second person has checked it as it now stands against its text."""
    checked = data.get("checked", {})
    doubtful = [basis for basis in bases_held(version) if not basis.confirmed]
    if any(basis.pk in checked and checked[basis.pk] != mark_of_basis(basis) for basis in doubtful):
        text = _("A legal basis has changed since you opened this page; check it again before you confirm it.")
        return FieldProblem("checked", "basis_changed", text)
    if any(basis.pk not in checked for basis in doubtful):
        return FieldProblem(
            "checked", "basis", _("Confirm each legal basis against its text, or send the version back.")
        )
    return None


def bases_by_others(version: EntryVersion, data: Data) -> FieldProblem | None:
    """Nobody confirms a legal basis they wrote themselves."""
    own = [basis for basis in bases_of(version) if not basis.confirmed and basis.entered_by_id == data.get("by")]
    if own:
        return FieldProblem(
            "checked", "own_basis", _("A legal basis you wrote yourself is confirmed by somebody else.")
        )
    return None


def nothing_follows(version: EntryVersion, data: Data) -> FieldProblem | None:
    """No later version is published that this one would run into."""
    start = first_day(version)
    later = version.entry.versions.filter(state=VersionState.IN_FORCE, valid_from__gte=start)
    if version.valid_until:
        later = later.filter(valid_from__lt=version.valid_until)
    later = later.exclude(valid_from=start, valid_from__lte=timezone.localdate())
    if later.exists():
        text = _("Another version is published for a later day; call that one off, or end this one before it.")
        return FieldProblem("valid_until", "overlap", text)
    return None


def not_over_yet(version: EntryVersion, data: Data) -> FieldProblem | None:
    """It ends after the day on which it begins."""
    if version.valid_until and version.valid_until <= first_day(version):
        return FieldProblem("valid_until", "over", _("This version would end before it begins; send it back."))
    return None


# --- what happens -------------------------------------------------------------------------------


def stand_by(version: EntryVersion, user: User | None, data: Data) -> None:
    """Whoever sends it to review stands by it, delivered text or not."""
    add_editor(version, user)


def confirm_bases(version: EntryVersion, user: User | None, data: Data) -> None:
    """The second person stands by title, number and article; the first is whoever named or wrote the basis."""
    for basis in bases_of(version):
        if not basis.confirmed:
            writer = basis.entered_by_id or version.entered_by_id
            LegalBasis.objects.filter(pk=basis.pk, confirmed=False).update(
                confirmed=True, entered_by=writer, confirmed_by=user
            )


def make_room(version: EntryVersion, user: User | None, data: Data) -> None:
    """It begins on the day of publication at the earliest, and the version before it ends on that day."""
    version.valid_from = first_day(version)
    former = version.entry.versions.filter(state=VersionState.IN_FORCE).exclude(pk=version.pk)
    earlier = former.filter(valid_from__lt=version.valid_from)
    begun = version.valid_from <= timezone.localdate()
    running = earlier.exclude(valid_until__lte=version.valid_from)
    with ends.cutting_short_for(version):
        running.update(valid_until=version.valid_from, **({"state": VersionState.RETIRED} if begun else {}))
    if begun:
        # Ended on an earlier day already, or replaced on its very first day: no day of its own is left to it.
        former.filter(valid_from__lte=version.valid_from).update(state=VersionState.RETIRED)


def sign(version: EntryVersion, user: User | None, data: Data) -> None:
    """Who published it, and when."""
    version.approved_by, version.approved_at = user, timezone.now()


def end_today(version: EntryVersion, user: User | None, data: Data) -> None:
    """From today on nothing is collected under it."""
    today = timezone.localdate()
    if version.valid_from < today and (version.valid_until is None or version.valid_until > today):
        version.valid_until = today


def let_the_former_go_on(version: EntryVersion, user: User | None, data: Data) -> None:
    """The version that was cut short for this one ends when it was to end; one that ended by itself stays as it is.

    This one leaves first, since two never overlap. What was published since may end the former in its turn.
    """
    version.save(update_fields=["state"])
    in_force = version.entry.versions.filter(state=VersionState.IN_FORCE)
    for former in in_force.filter(valid_until=version.valid_from):
        cut = ends.cut_short_for(former, version)
        if cut is not None:
            _end_again(former, ends.end_before(cut), in_force.filter(valid_from__gte=version.valid_from))


def _end_again(former: EntryVersion, end: datetime.date | None, later: QuerySet[EntryVersion]) -> None:
    same, following = EntryVersion.objects.filter(pk=former.pk), later.order_by("valid_from").first()
    if following is None or (end is not None and end <= following.valid_from):
        same.update(valid_until=end)
        return
    with ends.cutting_short_for(following):
        same.update(valid_until=following.valid_from)


# --- the procedure ------------------------------------------------------------------------------


def bases_of(version: EntryVersion) -> list[LegalBasis]:
    """Every law a version rests on, each once."""
    return list(_bases(version))


def bases_held(version: EntryVersion) -> list[LegalBasis]:
    """The same, locked: nobody edits them between the look at their text and their confirmation."""
    return list(_bases(version).order_by("pk").select_for_update(of=("self",), no_key=True))


def _bases(version: EntryVersion) -> QuerySet[LegalBasis]:
    named = (version.legal_basis_id, version.publication_basis_id, version.person_publication_basis_id)
    return LegalBasis.objects.filter(pk__in=[code for code in named if code])


def add_editor(version: EntryVersion, user: User | None) -> None:
    """Note who had a hand in it; what a person has taken up is no longer the text of a release."""
    if user is None:
        return
    version.entered_by, version.delivered = user, False
    version.editors = sorted({*version.editors, user.pk})


def first_day(version: EntryVersion) -> datetime.date:
    """The day on which a version begins that is published now: never before today."""
    return max(version.valid_from, timezone.localdate())


S = VersionState
CATALOGUE_VERSION: Workflow[EntryVersion] = Workflow(
    name="catalogue_version",
    title=_("Version of a catalogue entry"),
    states=S,
    initial=S.DRAFT,
    final=frozenset({S.RETIRED, S.WITHDRAWN}),
    steps=(
        Step(
            "submit", _("Send to review"), frozenset({S.DRAFT}), S.IN_REVIEW,
            by=centre, needs=(nothing_missing,), effects=(stand_by,),
        ),
        Step(
            "send_back", _("Send back"), frozenset({S.IN_REVIEW}), S.DRAFT,
            by=centre, reason_required=True,
        ),
        Step(
            "publish", _("Publish"), frozenset({S.IN_REVIEW}), S.IN_FORCE,
            by=second_person,
            needs=(nothing_missing, bases_confirmed, bases_by_others, nothing_follows, not_over_yet),
            effects=(confirm_bases, make_room, sign),
        ),
        Step(
            "withdraw", _("Withdraw the draft"), frozenset({S.DRAFT}), S.WITHDRAWN,
            by=centre, reason_required=True,
        ),
        Step(
            "call_off", _("Call off"), frozenset({S.IN_FORCE}), S.WITHDRAWN,
            by=called_off_by, effects=(let_the_former_go_on,), reason_required=True,
        ),
        Step(
            "retire", _("Retire"), frozenset({S.IN_FORCE}), S.RETIRED,
            by=ended_by, effects=(end_today,), reason_required=True,
        ),
    ),
)  # fmt: skip
