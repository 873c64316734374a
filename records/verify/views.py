"""Check a report by its number. An unknown number, a mistyped one and a forged one get the same page."""

from typing import Any
from unicodedata import normalize

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control

from creditplatform.core.masking import holds_number
from creditplatform.core.permissions import anyone, rule
from records.models import CreditReport
from records.own_numbers import note_nobodys
from records.querysets.queries import REPORT_KIND
from records.reports.checking import LARGEST_FILE, Verdict, judge, report_of_file, typed
from records.verify.headings import NOT_COMPARED, of_file, of_number, state_of
from records.verify.selectors import Answer, answer_about, checked_too_often

OF_A_PERSON = _(
    "This is no number of a report but one of a document, telephone or bank card. Numbers of persons are never entered"
    " here."
)
NOT_ISSUED = _(
    "This is no file that was issued here, or it was changed afterwards. Enter the number that stands in it to see what"
    " was issued under it; do not rely on the file."
)


class NumberForm(forms.Form):
    """The number as it stands on the report."""

    code = forms.CharField(
        label=_("Report number"), max_length=80,
        help_text=_("Beside the square code on the first page; capitals, spaces and hyphens do not matter."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}),
    )  # fmt: skip

    def clean_code(self) -> str:
        """The number as its address bears it; what can be no number is told beside the field."""
        number = typed(self.cleaned_data["code"])
        if holds_number(normalize("NFKC", self.cleaned_data["code"])):
            raise ValidationError(OF_A_PERSON)
        if not (number.isascii() and number.isalnum()):
            raise ValidationError(_("A report number has letters and digits only. Type it as it stands on the report."))
        return number


class FileForm(forms.Form):
    """The file that somebody received."""

    file = forms.FileField(
        label=_("File of the report (PDF or signed JSON)"),
        help_text=_("At most 5 MB. It is compared and not kept."),
        widget=forms.ClearableFileInput(attrs={"accept": ".pdf,.jws,application/pdf"}),
    )

    def clean_file(self) -> "UploadedFile[Any]":
        """No larger than a report can be."""
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST_FILE:
            raise ValidationError(_("This file is larger than any report: at most %(most)s MB.") % {"most": 5})
        return file


@rule(anyone)
@cache_control(no_store=True)
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for the number of a report, which leads to the page about it; or for its file, where only that is at hand."""
    if request.method == "POST" and "by_file" in request.POST:
        return _by_file(request)
    form = NumberForm(request.POST or (request.GET if "code" in request.GET else None))
    if form.is_bound and form.is_valid():
        return redirect("verify:answer", form.cleaned_data["code"])
    return render(request, "verify/ask.html", {"form": form, "file_form": FileForm()})


def _by_file(request: HttpRequest) -> HttpResponse:
    """What can be said about the report of which the file is, to the last character, the one that was issued."""
    form = FileForm(request.POST, request.FILES)
    found = report_of_file(form.cleaned_data["file"].read()) if form.is_valid() else None
    if found is None:
        if form.is_valid():
            form.add_error("file", NOT_ISSUED)
        return render(request, "verify/ask.html", {"form": NumberForm(), "file_form": form})
    if checked_too_often(found):
        return render(request, "verify/too_often.html", status=429)
    return render(request, "verify/answer.html", _told(answer_about(found), form, Verdict.SAME))


@rule(anyone)
@cache_control(no_store=True)
def answer(request: HttpRequest, report: str) -> HttpResponse:
    """What can be said about the report of that number, and about a file beside it; so often a day, then 429."""
    found = CreditReport.objects.with_code(typed(report))
    if found is None:
        note_nobodys(REPORT_KIND, request)
        return render(request, "verify/unknown.html", {"form": NumberForm()}, status=404)
    if checked_too_often(found):
        return render(request, "verify/too_often.html", status=429)
    sent = request.method == "POST"
    form = FileForm(request.POST, request.FILES) if sent else FileForm()
    verdict = judge(found, form.cleaned_data["file"].read()) if sent and form.is_valid() else None
    return render(request, "verify/answer.html", _told(answer_about(found), form, verdict))


def _told(said: Answer, form: FileForm, verdict: Verdict | None) -> dict[str, Any]:
    """What the page says; where a file was given, what became of it comes first and the number after it."""
    if not form.is_bound:
        head = of_number(said)
    else:
        head = of_file(said, verdict) if verdict else NOT_COMPARED
    return {
        "said": said, "form": form, "verdict": verdict, "head": head, "state": state_of(said),
        "with_file": form.is_bound, "of_another": verdict not in (None, Verdict.SAME),
        "limited": said.limits and (not form.is_bound or verdict == Verdict.SAME),
    }  # fmt: skip
