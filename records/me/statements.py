"""What I say about a record that speaks against me: written, changed and taken back by the person alone."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import Invalid
from creditplatform.core.models import User
from records import selectors
from records.me.views import bound
from records.models import Subject
from records.models.record import TOKEN_KIND
from records.own_numbers import not_theirs
from records.querysets.public_words import OPEN
from records.services.public_words import is_public, newest_words
from records.services.statements import LONGEST, takes_statement, write_statement


class StatementForm(forms.Form):
    """The person's own words; empty takes them back."""

    text = forms.CharField(
        label=gettext_lazy("What I say about it"), max_length=LONGEST, required=False,
        widget=forms.Textarea(attrs={"rows": 6, "maxlength": LONGEST}),
        help_text=gettext_lazy(
            "At most 500 characters. No numbers of documents, telephones or bank cards, and nothing about other"
            " persons."
        ),
        error_messages={"max_length": gettext_lazy("Please use no more than 500 characters.")},
    )  # fmt: skip
    publicly = forms.BooleanField(
        label=gettext_lazy("Also show it on the public page of this record"), required=False,
        help_text=gettext_lazy(
            "An official of the credit centre first looks over whether it names or harms others; whether it is true or"
            " welcome is no question there. You are told, and can take it back at any time."
        ),
    )  # fmt: skip

    def __init__(self, *args: Any, public: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if not public:
            del self.fields["publicly"]


@bound
def statement(request: HttpRequest, user: User, subject: Subject, token: str) -> HttpResponse:
    """Write, change or take back the own words about one record; not found where it takes none."""
    found = selectors.own_record(user, subject, token)
    if found is None:
        raise not_theirs(TOKEN_KIND, user)
    if not takes_statement(found[0].record):
        raise Http404
    record = found[0].record
    wish = newest_words(record)
    initial = {"text": record.statement or "", "publicly": wish is not None and wish.state in OPEN}
    form = StatementForm(request.POST or None, initial=initial, public=is_public(record))
    if request.method == "POST" and form.is_valid():
        text = "" if "take_back" in request.POST else form.cleaned_data["text"]
        publicly = form.cleaned_data.get("publicly", False)
        if not text.strip() and not record.statement:
            form.add_error("text", _("Please write what you have to say."))
            return render(request, "me/statement.html", {"form": form, "line": found[0], "record": record})
        try:
            with audit.context(actor=user, door=Door.WEB, reason="statement of the person"):
                written = write_statement(record=record, subject=subject, text=text, publicly=publicly)
        except Invalid as error:
            for problem in error.problems:
                form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        else:
            messages.success(request, _said(written.statement or ""))
            return redirect("me:record", token)
    return render(request, "me/statement.html", {"form": form, "line": found[0], "record": record})


def _said(text: str) -> str:
    if text:
        return _("Your words stand with the record now. Other systems that have the record are told.")
    return _("Your words are taken back. Other systems that have the record are told.")
