"""Editing the catalogue: entries, drafts, fields and legal bases, and the steps that lead to publication."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from creditplatform.core.errors import CreditError, Invalid
from creditplatform.core.permissions import rule
from records.desk.access import centre
from records.desk.catalogue.forms import BasisForm, FieldForm, NewEntryForm, VersionForm
from records.desk.catalogue.views import readable_version, version_page
from records.enums import Edition, VersionState
from records.models import CatalogueEntry, EntryField, EntryVersion, LegalBasis
from records.services import catalogue

PAGE_OF_VERSION = "desk:catalogue-version"


@rule(centre)
def new_entry(request: HttpRequest) -> HttpResponse:
    """A new entry with the draft of its first version."""
    user: Any = request.user
    blank = EntryVersion(valid_from=timezone.localdate(), edition=Edition.LOCAL)
    form, status = NewEntryForm(request.POST or None, instance=blank), 200
    if request.method == "POST" and form.is_valid():
        try:
            entry, version = catalogue.create_entry(user=user, version=form.values(), **form.names())
        except CreditError as error:
            status = _refuse(form, error)
        else:
            messages.success(request, _("The draft of “%s” is there; now add its fields.") % entry.label)
            return redirect(PAGE_OF_VERSION, version.pk)
    context = {"form": form, "here": _("New entry"), "entry": None, "version": None}
    return render(request, "desk/catalogue/form.html", context, status=status)


@rule(centre)
@require_POST
def new_version(request: HttpRequest, entry: str) -> HttpResponse:
    """A draft that begins as a copy of what is published."""
    user: Any = request.user
    found = get_object_or_404(CatalogueEntry, code=entry)
    try:
        version = catalogue.draft_new_version(user=user, entry=found)
    except CreditError as error:
        messages.error(request, str(error))
        return redirect("desk:catalogue-entry", found.code)
    return redirect(PAGE_OF_VERSION, version.pk)


@rule(centre)
def edit_version(request: HttpRequest, version_id: int) -> HttpResponse:
    """The attributes of a draft."""
    user: Any = request.user
    version = readable_version(request, version_id)
    if version.state != VersionState.DRAFT:
        return _no_draft(request, version)
    form, status = VersionForm(request.POST or None, instance=version), 200
    if request.method == "POST" and form.is_valid():
        try:
            catalogue.save_version(user=user, version=version, values=form.values(), seen=form.cleaned_data["seen"])
        except CreditError as error:
            status = _refuse(form, error)
        else:
            messages.success(request, _("The draft is saved."))
            return redirect(PAGE_OF_VERSION, version.pk)
    context = {"form": form, "here": _("Edit the draft"), "entry": version.entry, "version": version}
    return render(request, "desk/catalogue/form.html", context, status=status)


@rule(centre)
def edit_field(request: HttpRequest, version_id: int, field_id: int = 0) -> HttpResponse:
    """One field of a draft; without its number a new one."""
    user: Any = request.user
    version = readable_version(request, version_id)
    item = get_object_or_404(version.fields, pk=field_id) if field_id else None
    if version.state != VersionState.DRAFT:
        return _no_draft(request, version)
    others = list(version.fields.exclude(pk=field_id).order_by("position"))
    row = item or EntryField(version=version, position=len(others) + 1)
    form, status = FieldForm(request.POST or None, instance=row, others=others), 200
    if request.method == "POST" and form.is_valid():
        given = {"values": form.values(), "seen": form.cleaned_data["seen"]}
        try:
            catalogue.save_field(user=user, version=version, field=item, **given)
        except CreditError as error:
            status = _refuse(form, error)
        else:
            messages.success(request, _("The field is saved."))
            return redirect(PAGE_OF_VERSION, version.pk)
    here = _("Field “%s”") % item.label if item and item.pk else _("New field")
    context = {"form": form, "here": here, "entry": version.entry, "version": version}
    return render(request, "desk/catalogue/form.html", context, status=status)


@rule(centre)
@require_POST
def arrange_field(request: HttpRequest, version_id: int, field_id: int) -> HttpResponse:
    """Move a field up or down, or take it out of the draft."""
    user: Any = request.user
    version = readable_version(request, version_id)
    item = get_object_or_404(version.fields.select_related("version"), pk=field_id)
    act = request.POST.get("act")
    try:
        if act == "remove":
            catalogue.remove_field(user=user, field=item)
            messages.success(request, _("The field “%s” is taken out.") % item.label)
        elif act in ("up", "down"):
            catalogue.move_field(user=user, field=item, up=act == "up")
    except CreditError as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(f"{redirect(PAGE_OF_VERSION, version.pk).url}#fields")


DONE = {
    "submit": gettext_lazy("The draft is sent to review; a second person of the centre publishes it."),
    "send_back": gettext_lazy("The version is a draft again."),
    "publish": gettext_lazy("The version is published."),
    "withdraw": gettext_lazy("The draft is withdrawn."),
    "call_off": gettext_lazy("The version is called off; the one before it goes on."),
    "retire": gettext_lazy("The version is retired; from today nothing is collected under it."),
}


@rule(centre)
@require_POST
def step(request: HttpRequest, version_id: int, step: str) -> HttpResponse:
    """Take a step of the procedure; what is missing is told at once on the page of the version."""
    user: Any = request.user
    version = readable_version(request, version_id)
    if step not in DONE:
        return version_page(request, version_id, status=404)
    reason = request.POST.get("reason", "").replace("\x00", "")[:2000]
    saw: Any = {"checked": _checked(request), "seen": request.POST.get("seen", "")}
    try:
        catalogue.take_step(user=user, version=version, step=step, reason=reason, **saw)
    except Invalid as error:
        return version_page(request, version_id, error.problems, 400)
    except CreditError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, DONE[step])
    return redirect(PAGE_OF_VERSION, version.pk)


@rule(centre)
def edit_basis(request: HttpRequest, basis: str = "") -> HttpResponse:
    """Enter a legal basis, or complete one that is not confirmed."""
    user: Any = request.user
    found = get_object_or_404(LegalBasis, pk=basis) if basis else None
    form, status = BasisForm(request.POST or None, instance=found), 200
    if request.method == "POST" and form.is_valid():
        try:
            catalogue.save_basis(user=user, values=form.cleaned_data, basis=found)
        except CreditError as error:
            form.add_error(None, str(error))
            status = error.http_status
        else:
            messages.success(request, _("Saved. It counts once a second person has confirmed it."))
            return redirect("desk:catalogue-bases")
    context = {"form": form, "basis": found, "here": found.citation if found else _("New legal basis")}
    return render(request, "desk/catalogue/basis.html", context, status=status)


def _checked(request: HttpRequest) -> dict[str, str]:
    """The legal bases that were ticked, each with the mark of what stood beside the box."""
    parts = (ticked.partition(":") for ticked in request.POST.getlist("checked"))
    return {code: mark for code, _colon, mark in parts}


def _no_draft(request: HttpRequest, version: EntryVersion) -> HttpResponse:
    messages.error(request, _("This version is no longer a draft; send it back or begin a new one."))
    return redirect(PAGE_OF_VERSION, version.pk)


def _refuse(form: Any, error: CreditError) -> int:
    """Say beside the inputs what was refused; returns the status of the page."""
    if isinstance(error, Invalid):
        form.refuse(error)
        return 200
    form.add_error(None, str(error))
    return error.http_status
