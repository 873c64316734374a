"""Reading the catalogue: the list, an entry with its columns, a version with what changed and who has it checked."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from creditplatform.core.enums import Role
from creditplatform.core.permissions import rule
from records.admin.forms import EntryForm
from records.catalogue import checks, selectors
from records.catalogue.words import facts, mark_of, mark_of_basis
from records.desk.access import centre, working
from records.enums import VersionState
from records.models import CatalogueEntry, EntryVersion, LegalBasis
from records.querysets import PUBLISHED
from records.workflows.catalogue_version import CATALOGUE_VERSION, bases_of

LONGEST_SEARCH = 60


@rule(working)
def index(request: HttpRequest) -> HttpResponse:
    """Every entry; for units first what they may send, for the centre first what waits for a review."""
    user: Any = request.user
    words = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST_SEARCH]
    context = {
        "lines": selectors.entry_lines(user, words),
        "words": words,
        "sendings": selectors.sendings_of(user),
        "waiting": selectors.waiting_for(user),
        "edits": Role.CENTRE in user.roles,
    }
    return render(request, "desk/catalogue/index.html", context)


@rule(working)
def entry(request: HttpRequest, entry: str) -> HttpResponse:
    """One entry: what may be sent and with which columns, and every version of it."""
    user: Any = request.user
    found = get_object_or_404(CatalogueEntry, code=entry)
    versions = selectors.versions_of(found, user)
    version = selectors.shown_version(versions)
    if version is None:
        raise Http404
    own = [one for one in selectors.sendings_of(user) if one.entitlement.entry_id == found.pk]
    unfinished = (VersionState.DRAFT, VersionState.IN_REVIEW)
    context = {
        "entry": found,
        "version": version,
        "versions": versions,
        "today": timezone.localdate(),
        "fields": selectors.field_lines(version),
        "facts": facts(version),
        "sendings": own,
        "edits": Role.CENTRE in user.roles,
        "can_begin": version.state in PUBLISHED and not any(v.state in unfinished for v in versions),
    }
    return render(request, "desk/catalogue/entry.html", context)


@rule(working)
def version(request: HttpRequest, version_id: int) -> HttpResponse:
    """One version: its attributes and fields, what changed, how many records were checked against it, its steps."""
    return version_page(request, version_id)


def version_page(request: HttpRequest, version_id: int, problems: Any = (), status: int = 200) -> HttpResponse:
    """The page of a version; what a refused step lacks stands at its top."""
    user: Any = request.user
    found = readable_version(request, version_id)
    edits, changed = Role.CENTRE in user.roles, selectors.difference_to_former(found)
    reviewing = edits and found.state == VersionState.IN_REVIEW
    context = {
        "entry": found.entry,
        "version": found,
        "problems": problems,
        "facts": facts(found),
        "fields": selectors.field_lines(found),
        "former": changed[0] if changed else None,
        "difference": changed[1] if changed else None,
        "checked": selectors.checked_against(found) if found.state in PUBLISHED else None,
        "events": selectors.steps_so_far(found) if edits else [],
        "steps": CATALOGUE_VERSION.available(found, user),
        "edits": edits and found.state == VersionState.DRAFT,
        "seen": mark_of(found) if reviewing else "",
        "own_hand": reviewing and user.pk in found.editors,
        "doubtful": [(basis, mark_of_basis(basis)) for basis in bases_of(found) if edits and not basis.confirmed],
        "missing": checks.of_draft(found) if edits and found.state == VersionState.DRAFT else [],
        "today": timezone.localdate(),
    }
    return render(request, "desk/catalogue/version.html", context, status=status)


def readable_version(request: HttpRequest, version_id: int) -> EntryVersion:
    """A version this person may read, with what its page shows of it; 404 for every other."""
    user: Any = request.user
    rows = EntryVersion.objects.visible_to(user).select_related(*selectors.RELATED, "entered_by", "approved_by")
    return get_object_or_404(rows, pk=version_id)


@rule(centre)
def preview(request: HttpRequest, version_id: int) -> HttpResponse:
    """The entry form as a clerk would see it; nothing can be sent from here."""
    found = readable_version(request, version_id)
    form = EntryForm(version=found)
    for field in form.fields.values():
        field.disabled = True
    return render(request, "desk/catalogue/preview.html", {"version": found, "entry": found.entry, "form": form})


@rule(centre)
def bases(request: HttpRequest) -> HttpResponse:
    """Every legal basis, those to be confirmed first."""
    rows = LegalBasis.objects.select_related("entered_by", "confirmed_by").order_by("confirmed", "code")
    return render(request, "desk/catalogue/bases.html", {"bases": rows})
