"""Links by which a person shows chosen parts of the own file once: the page of the person, and that of the reader."""

import datetime
import secrets
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control

from creditplatform.core.enums import Door
from creditplatform.core.errors import CreditError, Invalid
from creditplatform.core.masking import Mask, mask
from creditplatform.core.models import User
from creditplatform.core.permissions import anyone, rule
from creditplatform.core.vault import pk_of_token
from records.me.views import bound
from records.models import CatalogueEntry, ShareLink, Subject
from records.models.authorisation import MOST_WRONG_CODES, SHARE_KIND
from records.own_numbers import not_theirs
from records.preview_selectors import shown_record
from records.queries.disclosure import Asker, open_records, register
from records.queries.grants import grant_of_own_file
from records.services import share_links

SHOWN = 50
OFFERED = {
    "1": (datetime.timedelta(hours=1), _("one hour")),
    "24": (datetime.timedelta(days=1), _("one day")),
    "72": (datetime.timedelta(days=3), _("three days")),
    "168": (datetime.timedelta(days=7), _("one week")),
    "720": (datetime.timedelta(days=30), _("30 days")),
}
READER, LONGEST_READER = "share_reader", 40
FOR_ROBOTS = "noindex, nofollow, noarchive"


class ShareForm(forms.Form):
    """Which kinds of record, for whom, how long."""

    fields_shown = forms.MultipleChoiceField(
        label=_("What is shown"), widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one kind of record.")},
    )  # fmt: skip
    recipient = forms.CharField(
        label=_("For whom"), max_length=share_links.LONGEST_RECIPIENT, required=False,
        help_text=_("In your own words, for your own list. Kept encrypted; whoever opens the link does not see it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    lifetime = forms.ChoiceField(label=_("How long the link works"), initial="24")

    def __init__(self, *args: Any, kinds: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        allowed = share_links.bounds()
        self.fields["fields_shown"].choices = kinds  # type: ignore[attr-defined]
        self.fields["lifetime"].choices = [  # type: ignore[attr-defined]
            (key, words) for key, (time, words) in OFFERED.items() if allowed.shortest <= time <= allowed.longest
        ]


class CodeForm(forms.Form):
    """The code that was told separately."""

    code = forms.CharField(
        label=_("Code of the link"), max_length=40,
        help_text=_("Eight letters and digits, told to you apart from the link."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
        error_messages={"required": _("Enter the code.")},
    )  # fmt: skip


@bound
def share_list(request: HttpRequest, user: User, subject: Subject) -> HttpResponse:
    """Make a link, see those made, withdraw one."""
    if request.method == "POST" and request.POST.get("act") == "revoke":
        return _revoke(request, user, subject)
    form = ShareForm(request.POST or None, kinds=_kinds_on_file(subject, user))
    if request.method == "POST" and form.is_valid():
        try:
            return _made(request, user, subject, form)
        except Invalid as error:
            for problem in error.problems:
                form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
    return render(request, "me/shares.html", {"form": form, "links": _links(subject)})


def _made(request: HttpRequest, user: User, subject: Subject, form: ShareForm) -> HttpResponse:
    """The page that tells link and code, once."""
    chosen = form.cleaned_data
    link, code = share_links.make(
        user=user, subject=subject, fields=chosen["fields_shown"], recipient=chosen["recipient"],
        lifetime=OFFERED[chosen["lifetime"]][0],
    )  # fmt: skip
    address = request.build_absolute_uri(reverse("share", args=[link.token]))
    return render(request, "me/share_made.html", {"link": link, "code": f"{code[:4]} {code[4:]}", "address": address})


def _revoke(request: HttpRequest, user: User, subject: Subject) -> HttpResponse:
    pk = pk_of_token(SHARE_KIND, request.POST.get("link", ""))
    link = ShareLink.objects.filter(pk=pk, subject=subject).first() if pk is not None else None
    if link is None:
        raise not_theirs(SHARE_KIND, user)
    try:
        share_links.revoke(link=link, user=user)
        messages.success(request, _("Withdrawn. The link opens nothing now."))
    except CreditError as error:
        messages.error(request, str(error))
    return redirect("me:shares")


def _kinds_on_file(subject: Subject, user: User) -> list[tuple[str, str]]:
    """Kinds of record of which something may be shown today; to name them is a look at the own file."""
    codes = list(CatalogueEntry.objects.values_list("code", flat=True))
    grant = grant_of_own_file(codes)
    found = open_records(subject.pk, grant).order_by("entry").values_list("entry", flat=True).distinct()
    entries = list(CatalogueEntry.objects.filter(pk__in=list(found)))
    register(subject.pk, grant, Asker(None, user, Door.WEB), [one.code for one in entries])
    return [(one.code, one.label) for one in entries]


def _links(subject: Subject) -> list[tuple[ShareLink, str, list[str]]]:
    """The links of a person, newest first, each with its state and the labels of what it shows."""
    links = list(ShareLink.objects.filter(subject=subject)[:SHOWN])
    codes = {name for link in links for name in link.fields}
    labels = {one.code: one.label for one in CatalogueEntry.objects.filter(code__in=codes)}
    return [(link, _state(link), [labels.get(name, name) for name in link.fields]) for link in links]


def _state(link: ShareLink) -> str:
    if link.opened_at:
        return "opened"
    if link.revoked_at:
        return "withdrawn"
    if link.wrong_codes >= MOST_WRONG_CODES:
        return "closed"
    return "ended" if link.expires_at <= timezone.now() else "live"


@rule(anyone)
@cache_control(no_store=True, private=True)
def share(request: HttpRequest, link: str) -> HttpResponse:
    """Asks for the code, whatever the link; link and code show the content once. Looking at it uses nothing.

    A browser that has just opened it is shown it again for minutes: sent twice or loaded anew it is one reading.
    """
    reader = request.COOKIES.get(READER, "")[:LONGEST_READER]
    response = _read(request, link, reader or (drawn := secrets.token_urlsafe(16)))
    if not reader:
        response.set_cookie(
            READER, drawn, path=reverse("share", args=[link]), secure=settings.SESSION_COOKIE_SECURE, httponly=True,
            samesite="Lax",
        )  # fmt: skip
    response["X-Robots-Tag"] = FOR_ROBOTS
    return response


def _read(request: HttpRequest, link: str, reader: str) -> HttpResponse:
    form, user = CodeForm(request.POST or None), _reading_user(request)
    if again := share_links.read_on(token=link, user=user, reader=reader):
        return render(request, "share/content.html", _content(again))
    if request.method == "POST" and form.is_valid():
        try:
            opened = share_links.open_link(token=link, code=form.cleaned_data["code"], user=user, reader=reader)
            return render(request, "share/content.html", _content(opened))
        except CreditError as error:
            form.add_error("code", str(error))
            return render(request, "share/code.html", {"form": form}, status=error.http_status)
    return render(request, "share/code.html", {"form": form})


def _reading_user(request: HttpRequest) -> Any:
    return request.user if request.user.is_authenticated else None


def _content(opened: share_links.Opened) -> dict[str, Any]:
    """What the page shows: the records by kind, and so much of the name that whoever knows it can compare it."""
    link, groups = opened.link, dict[str, list[Any]]()
    labels = {one.code: one.label for one in CatalogueEntry.objects.filter(code__in=link.fields)}
    for code in link.fields:
        groups[labels.get(code, code)] = [shown_record(one) for one in opened.records if one.record.entry.code == code]
    name = mask(Mask.NAME, link.subject.name_sealed or "")
    return {"link": link, "until": opened.until, "groups": groups, "name": name}
