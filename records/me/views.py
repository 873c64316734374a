"""Pages of a citizen about the own file. Nothing is shown before the account is bound to a person."""

import datetime
from typing import Any

from django import forms
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from creditplatform.core import audit, limits
from creditplatform.core import notices as core_notices
from creditplatform.core.enums import Door
from creditplatform.core.errors import CreditError, Invalid
from creditplatform.core.identity import PERSON_KINDS, IdentifierKind
from creditplatform.core.models import User
from creditplatform.core.permissions import rule, signed_in
from creditplatform.core.unstored import unstored
from records import announcement_selectors, look_selectors, selectors, tie_selectors
from records.bound import subject_of
from records.enums import RepresentationScope
from records.exchange.overview import told_of
from records.me.acting import View, opened_for, represented
from records.me.marks import mark, mark_of
from records.models import Authorisation, Subject
from records.models.record import TOKEN_KIND
from records.own_numbers import not_theirs
from records.person_forms import NamesPerson
from records.realname import register_asked
from records.services import realname
from records.services.public_words import newest_words
from records.services.statements import takes_statement

RECORDS_SALT = "me:records"
NOTICES_SALT = "me:notices"
SHOWN_WAITING = 20  # requests on the first page; all of them stand on the page of consent
LONGEST_KEY = 19  # digits of a key of eight bytes


def bound(view: View) -> View:
    """Only for accounts bound to a person, and about that person alone; others are led to the binding page."""
    return opened_for(view, None)


@represented(RepresentationScope.FILE)
def home(request: HttpRequest, user: User, subject: Subject) -> HttpResponse:
    """The file at a glance: newest records, who looked last, notices."""
    lines = selectors.own_records(user, subject)
    looks, look_count = look_selectors.newest(subject, most=5)
    selectors.log_looks_shown(user, subject)
    waiting = Authorisation.objects.of_person(subject).waiting()
    asked = list(waiting.select_related("agency", "purpose")[: SHOWN_WAITING + 1])
    context = {
        "name": subject.name_sealed,
        "lines": lines[:8],
        "count": len(lines),
        "more": len(lines) > selectors.PAGE,
        "looks": looks,
        "look_count": min(look_count, look_selectors.PAGE),
        "more_looks": look_count > look_selectors.PAGE,
        "own": selectors.is_own(user, subject),
        "waiting": asked[:SHOWN_WAITING],
        "waiting_count": len(asked) if len(asked) <= SHOWN_WAITING else waiting.count(),
        "for_me": announcement_selectors.waiting_for(subject),
    }
    return render(request, "me/home.html", context)


@represented(RepresentationScope.FILE)
def records(request: HttpRequest, user: User, subject: Subject) -> HttpResponse:
    """All records, page by page."""
    lines = selectors.own_records(user, subject, before=cursor(request))
    page, more = lines[: selectors.PAGE], len(lines) > selectors.PAGE
    context = {"lines": page, "after": after(page[-1]) if more else ""}
    return render(request, "me/records.html", context)


@represented(RepresentationScope.FILE)
def record(request: HttpRequest, user: User, subject: Subject, token: str) -> HttpResponse:
    """One record: who decided, on what basis, what it means, what can be done."""
    found = selectors.own_record(user, subject, token)
    if found is None:
        raise not_theirs(TOKEN_KIND, user)
    line, contents = found
    own = selectors.is_own(user, subject)  # letters, and whether they were read, are the person's alone
    context = {
        "line": line, "record": line.record, "contents": contents, "told": told_of(line.record.pk), "own": own,
        "takes_statement": own and takes_statement(line.record),
        "words": newest_words(line.record) if own and line.record.statement else None,
        "notices": selectors.notices_about(subject, line.record) if own else [],
        "announced": announcement_selectors.before_record(subject, line.record) if own else [],
    }  # fmt: skip
    return render(request, "me/record.html", context)


@represented(RepresentationScope.FILE)
def ties(request: HttpRequest, user: User, subject: Subject) -> HttpResponse:
    """What I belong to: key groups and organisations, with who says so and until when."""
    return render(request, "me/ties.html", {"ties": tie_selectors.own_ties(user, subject)})


@bound
def notices(request: HttpRequest, user: User, subject: Subject) -> HttpResponse:
    """Letters to me, page by page; showing them is their delivery, and pressing “read” is noted."""
    unread = request.GET.get("unread") == "1"
    if request.method == "POST":
        notice = request.POST.get("notice", "")
        if notice.isascii() and notice.isdecimal() and len(notice) < LONGEST_KEY:
            core_notices.mark_read(addressee=subject.number_index, notice_id=int(notice))
        return redirect(request.get_full_path())
    with audit.context(actor=user, door=Door.WEB, reason="show notices"):
        page = core_notices.show_notices(
            addressee=subject.number_index, user=user, before=mark_of(request, NOTICES_SALT), unread=unread
        )
    last = page.letters[-1] if page.more else None
    context = {
        "letters": selectors.letters(subject, page.letters),
        "only_unread": unread,
        "unread": core_notices.count_unread(subject.number_index),
        "after": mark(last.created_at, last.pk, NOTICES_SALT) if last else "",
    }
    return render(request, "me/notices.html", context)


class BindingForm(NamesPerson):
    """Name and number as they stand on the document."""

    name = forms.CharField(label=_("Name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    kind = forms.ChoiceField(
        label=_("Document"),
        choices=[(kind.value, kind.label) for kind in IdentifierKind if kind in PERSON_KINDS],
        initial=IdentifierKind.RESIDENT_ID.value,
    )
    number = forms.CharField(
        label=_("Number of the document"), max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


@rule(signed_in)
def bind(request: HttpRequest) -> HttpResponse:
    """Real-name binding: once, by name and number; no picture of the face is asked for."""
    user: Any = request.user
    if subject_of(user):
        return redirect("me:home")
    form = BindingForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _bound_now(request, user, form):
        return redirect("me:home")
    context = {"form": form if register_asked() else None}
    return unstored(render(request, "me/bind.html", context))


def _bound_now(request: HttpRequest, user: User, form: BindingForm) -> bool:
    try:
        realname.bind(user=user, client=limits.client_of(request), **form.cleaned_data)
    except Invalid as error:
        for problem in error.problems:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
    except CreditError as error:
        form.add_error(None, str(error))
    else:
        return True
    return False


def cursor(request: HttpRequest) -> tuple[datetime.date, int] | None:
    """Where the page before ended, from a signed mark; a mark somebody changed is ignored."""
    try:
        day, pk = signing.loads(request.GET.get("after", ""), salt=RECORDS_SALT)
        return datetime.date.fromisoformat(day), int(pk)
    except (signing.BadSignature, ValueError, TypeError):
        return None


def after(line: selectors.Line) -> str:
    """The signed mark of where a page of records ends."""
    return signing.dumps((line.record.decided_on.isoformat(), line.record.pk), salt=RECORDS_SALT)
