"""Who looked at me: the list, one look with what can be said against it, and everything as a file."""

import csv
import io
import json
from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from creditplatform.core.errors import CreditError, Invalid
from creditplatform.core.models import User
from creditplatform.core.staff import FORMULA_BEGINNINGS
from creditplatform.core.wording import joined
from records.enums import RepresentationScope
from records.figures.workbook import CONTENT_TYPE, table_workbook
from records.look_selectors import LOOK_KIND, PAGE, Chosen, Look, all_looks, look, looks, years_and_units
from records.me.acting import represented
from records.me.marks import mark, mark_of
from records.me.views import bound
from records.models import Purpose, Subject
from records.own_numbers import not_theirs
from records.selectors import is_own, log_looks_shown
from records.services import access_complaints

LOOKS_SALT = "me:looks"


class ComplaintForm(forms.Form):
    """What was not right, in the person's words."""

    words = forms.CharField(
        label=gettext_lazy("What was not right?"), max_length=access_complaints.LONGEST_WORDS,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("In your own words. Kept encrypted; only those who review it read it."),
        error_messages={
            "required": gettext_lazy("Please say in a few words what was not right."),
            "max_length": gettext_lazy("Please say it in fewer words."),
        },
    )  # fmt: skip


@represented(RepresentationScope.FILE)
def look_list(request: HttpRequest, user: User, subject: Subject) -> HttpResponse:
    """Who looked at my data, when, for what purpose and on what authority."""
    chosen = Chosen.of(request.GET, names=is_own(user, subject))
    log_looks_shown(user, subject)
    found = looks(subject, chosen, before=mark_of(request, LOOKS_SALT))
    page, more = found[:PAGE], len(found) > PAGE
    years, units = years_and_units(subject)
    asked = {"year": str(chosen.year or ""), "unit": chosen.unit, "own": "1" if chosen.with_own else ""}
    context = {
        "looks": page, "chosen": chosen, "years": years, "units": units,
        "asked": {name: text for name, text in asked.items() if text},
        "after": mark(page[-1].row.at, page[-1].row.pk, LOOKS_SALT) if more else "",
    }  # fmt: skip
    return render(request, "me/looks.html", context)


@represented(RepresentationScope.FILE)
def look_page(request: HttpRequest, user: User, subject: Subject, look: str) -> HttpResponse:
    """One look, the state of its review, and the way to say that it was not right.

    A representative says it in words of their own, and reads no words of others.
    """
    found, own = _found(user, subject, look), is_own(user, subject)
    said = [one for one in found.complaints if one.complainant_id == user.pk or own]
    by_me = any(one.complainant_id in (user.pk, None) for one in said)
    mine = found.own if own else found.row.actor_id == user.pk and found.row.agency_id is None
    log_looks_shown(user, subject)
    form = ComplaintForm(request.POST or None)
    purpose = Purpose.objects.filter(pk=found.row.purpose).first()
    if request.method == "POST" and not mine and form.is_valid() and _complained(request, user, subject, found, form):
        return redirect("me:look", found.token)
    context = {
        "look": found, "own": own, "mine": mine, "said": said, "may_say": not mine and not by_me, "form": form,
        "purpose": purpose,
    }  # fmt: skip
    return render(request, "me/look.html", context)


@bound
def export(request: HttpRequest, user: User, subject: Subject, form: str) -> HttpResponse:
    """Every look as CSV, XLSX or JSON, narrowed down as the list is."""
    if form not in FORMS:
        raise Http404
    content_type, write = FORMS[form]
    response = HttpResponse(write(all_looks(subject, Chosen.of(request.GET, names=True))), content_type=content_type)
    day = timezone.localdate().isoformat()
    response["Content-Disposition"] = f'attachment; filename="who-looked-{day}.{form}"'
    return response


def _found(user: User, subject: Subject, token: str) -> Look:
    found = look(subject, token, names=is_own(user, subject))
    if found is None:
        raise not_theirs(LOOK_KIND, user)
    return found


def _complained(request: HttpRequest, user: User, subject: Subject, found: Look, form: ComplaintForm) -> bool:
    try:
        access_complaints.open_complaint(user=user, subject=subject, access=found.row, words=form.cleaned_data["words"])
    except Invalid as error:
        for problem in error.problems:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        return False
    except CreditError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Thank you. A second person reviews this look; the answer will stand here."))
    return True


def _cells(one: Look) -> list[str]:
    row = one.row
    return [
        f"{timezone.localtime(row.at):%Y-%m-%d %H:%M:%S}", _("myself") if one.own else one.who, one.purpose,
        row.get_authority_display(), row.reference, row.case_number, joined(one.shown), row.get_result_display(),
        row.get_door_display(), _deferred(one), one.review.get_state_display() if one.review else "",
    ]  # fmt: skip


def _deferred(one: Look) -> str:
    if one.deferral is None:
        return ""
    words = {"day": one.deferral.until.isoformat(), "law": one.deferral.legal_basis.citation}
    return _("Shown only from %(day)s on, by %(law)s") % words


def _headers() -> list[str]:
    return [
        _("Time"), _("Who"), _("Purpose"), _("On what authority"), _("Statute or consent receipt"), _("Case number"),
        _("What was shown"), _("Result"), _("Way in"), _("Shown later"), _("Review"),
    ]  # fmt: skip


def _as_csv(found: Iterable[Look]) -> bytes:
    """With a mark of the encoding, for spreadsheets; a text that begins like a formula gets an apostrophe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(_headers())
    for one in found:
        writer.writerow([f"'{text}" if text.startswith(FORMULA_BEGINNINGS) else text for text in _cells(one)])
    return buffer.getvalue().encode("utf-8-sig")


def _as_workbook(found: Iterable[Look]) -> bytes:
    head = [(_("Who looked at me"), timezone.localdate().isoformat())]
    return table_workbook(head, _headers(), [_cells(one) for one in found])


def _as_json(found: Iterable[Look]) -> bytes:
    rows = [_entry(one) for one in found]
    return json.dumps(rows, ensure_ascii=False, indent=2).encode()


def _entry(one: Look) -> dict[str, Any]:
    row, deferral = one.row, one.deferral
    return {
        "at": timezone.localtime(row.at).isoformat(), "unit": row.agency.code if row.agency else None, "who": one.who,
        "own": one.own, "purpose": row.purpose, "purpose_name": one.purpose, "authority": row.authority,
        "reference": row.reference, "case_number": row.case_number, "fields": row.fields, "field_names": one.shown,
        "result": row.result, "door": row.door,
        "deferred": {"until": deferral.until.isoformat(), "legal_basis": deferral.legal_basis_id} if deferral else None,
        "review": one.review.state if one.review else None,
    }  # fmt: skip


FORMS: dict[str, tuple[str, Callable[[Iterable[Look]], bytes]]] = {
    "csv": ("text/csv; charset=utf-8", _as_csv),
    "xlsx": (CONTENT_TYPE, _as_workbook),
    "json": ("application/json", _as_json),
}
