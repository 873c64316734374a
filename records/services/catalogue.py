"""Write the catalogue: entries, drafts of their versions, fields, legal bases, and the steps of the procedure."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Role
from creditplatform.core.errors import Conflict, Invalid, NotPermitted
from creditplatform.core.models import User
from records.catalogue import checks
from records.catalogue.words import mark_of
from records.enums import VersionState
from records.models import CatalogueEntry, EntryField, EntryVersion, LegalBasis
from records.services.policy import next_number
from records.workflows.catalogue_version import CATALOGUE_VERSION, add_editor

UNFINISHED = (VersionState.DRAFT, VersionState.IN_REVIEW)
SEEN_ELSEWHERE = _("Somebody else has changed this draft in the meantime. Please look again before you go on.")


@transaction.atomic
def create_entry(
    *, user: User, code: str, name: str, name_en: str, version: Mapping[str, Any]
) -> tuple[CatalogueEntry, EntryVersion]:
    """A new entry with the draft of its first version; raises Invalid with every problem, NotPermitted."""
    _permit(user)
    entry = CatalogueEntry(code=code, name=name, name_en=name_en)
    draft = EntryVersion(entry=entry, number=1, **version)
    add_editor(draft, user)
    problems = [*checks.of_entry(entry), *checks.of_version(draft)]
    if problems:
        raise Invalid(problems)
    entry.save()
    draft.entry = entry
    draft.save()
    return entry, draft


@transaction.atomic
def draft_new_version(*, user: User, entry: CatalogueEntry) -> EntryVersion:
    """A draft that begins as a copy of the newest published version; raises Conflict where one is unfinished already.

    It begins today unless its editor says otherwise, and ends where nothing is said.
    """
    _permit(user)
    _lock(entry)
    if entry.versions.filter(state__in=UNFINISHED).exists():
        raise Conflict("draft_exists", _("A draft of this entry is at work already; finish or withdraw it first."))
    former = entry.versions.filter(state__in=(VersionState.IN_FORCE, VersionState.RETIRED)).order_by("-number").first()
    if former is None:
        raise Conflict("nothing_published", _("This entry has no published version to begin from."))
    return _copy(former, user, next_number(entry))


def _copy(former: EntryVersion, user: User, number: int) -> EntryVersion:
    fields = list(former.fields.order_by("position"))
    draft = EntryVersion.objects.get(pk=former.pk)
    draft.pk, draft.number, draft.state, draft.editors, draft.content_digest = None, number, VersionState.DRAFT, [], ""
    draft.valid_from, draft.valid_until = timezone.localdate(), None
    draft.approved_by, draft.approved_at = None, None
    add_editor(draft, user)
    draft.save(force_insert=True)
    for item in fields:
        item.pk, item.version = None, draft
    EntryField.objects.bulk_create(fields)
    return draft


@transaction.atomic
def save_version(*, user: User, version: EntryVersion, values: Mapping[str, Any], seen: str) -> EntryVersion:
    """Change the attributes of a draft; raises Invalid with every problem, Conflict where it has changed since."""
    draft = _open(version, user, seen)
    for name, value in values.items():
        setattr(draft, name, value)
    problems = checks.of_version(draft)
    if problems:
        raise Invalid(problems)
    draft.save()
    return draft


@transaction.atomic
def save_field(
    *, user: User, version: EntryVersion, values: Mapping[str, Any], seen: str, field: EntryField | None = None
) -> EntryField:
    """Add a field at the end of a draft, or change one; raises Invalid with every problem, Conflict."""
    draft = _open(version, user, seen)
    others = list(draft.fields.order_by("position"))
    item = field or EntryField(version=draft, position=max((f.position for f in others), default=0) + 1)
    for name, value in values.items():
        setattr(item, name, value)
    problems = checks.of_field(item, [other for other in others if other.pk != item.pk])
    if problems:
        raise Invalid(problems)
    draft.save()
    item.save()
    return item


@transaction.atomic
def remove_field(*, user: User, field: EntryField) -> None:
    """Take a field out of a draft; raises Conflict where the draft is no longer one."""
    draft = _open(field.version, user)
    draft.save()
    draft.fields.filter(pk=field.pk).delete()


@transaction.atomic
def move_field(*, user: User, field: EntryField, up: bool) -> None:
    """Change places with the field above or below; the first stays first and the last stays last."""
    draft = _open(field.version, user)
    order = list(draft.fields.order_by("position", "pk"))
    at = next((n for n, item in enumerate(order) if item.pk == field.pk), None)
    if at is None:
        raise Conflict
    to = max(0, min(len(order) - 1, at - 1 if up else at + 1))
    order.insert(to, order.pop(at))
    draft.save()
    for position, item in enumerate(order, 1):
        EntryField.objects.filter(pk=item.pk).exclude(position=position).update(position=position)


@transaction.atomic
def take_step(
    *, user: User, version: EntryVersion, step: str, reason: str = "", checked: Mapping[str, str] | None = None,
    seen: str | None = None,
) -> EntryVersion:  # fmt: skip
    """Take one step of the procedure.

    `checked` are the legal bases whose text the second person has looked up, each with the mark of what was seen;
    `seen` is that of the version which is published.
    Raises NotPermitted, Conflict, or Invalid with everything that is missing. Two people who publish versions of one
    entry at the same time come one after the other.
    """
    _lock(version.entry)
    current = EntryVersion.objects.get(pk=version.pk)
    if step == "publish" and Role.CENTRE in user.roles and user.pk in current.editors:
        raise NotPermitted(
            "second_person", _("You had a hand in this version, so a second person of the centre publishes it.")
        )
    if step == "publish" and seen is not None and seen != mark_of(current):
        raise Conflict("changed_meanwhile", SEEN_ELSEWHERE)
    if step == "submit" and current.state == VersionState.DRAFT and Role.CENTRE in user.roles:
        problems = checks.of_draft(current)
        if problems:
            raise Invalid(problems)
    return CATALOGUE_VERSION.take(step, current, user=user, reason=reason, checked=checked or {}, by=user.pk)


@transaction.atomic
def save_basis(*, user: User, values: Mapping[str, Any], basis: LegalBasis | None = None) -> LegalBasis:
    """Enter a legal basis, or complete one that nobody has confirmed; it counts once a second person confirms it.

    Raises NotPermitted, Conflict where it is confirmed already.
    """
    _permit(user)
    row = LegalBasis()
    if basis is not None:
        row = LegalBasis.objects.select_for_update(no_key=True).get(pk=basis.pk)
        if row.confirmed:
            raise Conflict("basis_confirmed", _("This legal basis is confirmed and no longer changed; enter another."))
        if row.entered_by_id not in (None, user.pk):
            raise NotPermitted(
                "other_author", _("Somebody else wrote this legal basis: they change it, you may confirm it.")
            )
    for name, value in values.items():
        setattr(row, name, value)
    row.entered_by = user
    row.save(force_insert=basis is None)
    return row


def _open(version: EntryVersion, user: User, seen: str | None = None) -> EntryVersion:
    """The locked draft, with this person among its editors."""
    _permit(user)
    draft = EntryVersion.objects.select_for_update(of=("self",), no_key=True).get(pk=version.pk)
    if draft.state != VersionState.DRAFT:
        raise Conflict("no_draft", _("This version is no longer a draft; send it back or begin a new one."))
    if seen is not None and seen != mark_of(draft):
        raise Conflict("changed_meanwhile", SEEN_ELSEWHERE)
    add_editor(draft, user)
    return draft


def _lock(entry: CatalogueEntry) -> None:
    """One at a time per entry; the code stays as it is, the lock is what counts."""
    CatalogueEntry.objects.select_for_update(no_key=True).filter(pk=entry.pk).values_list(F("pk"), flat=True).get()


def _permit(user: User) -> None:
    if Role.CENTRE not in user.roles:
        raise NotPermitted
