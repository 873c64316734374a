"""Pages on which requests for consent are answered, consents seen and withdrawn, and receipts kept.

The person does all of it, and so does a representative who may answer requests.
"""

import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from creditplatform.core.enums import Authority
from creditplatform.core.errors import CreditError, Invalid
from creditplatform.core.models import AccessLog, StepEvent, User
from creditplatform.core.vault import pk_of_token
from records.enums import AuthorisationState, RepresentationScope
from records.me.acting import represented
from records.me.marks import mark, mark_of
from records.me.reports import shown_of_units
from records.models import Authorisation, Subject
from records.models.authorisation import AUTHORISATION_KIND
from records.own_numbers import not_theirs
from records.preview_selectors import name_labels, preview
from records.queries.receipts import receipt
from records.querysets.queries import AuthorisationQuerySet
from records.selectors import is_own, log_own_look
from records.services import authorisations, reports
from records.workflows.authorisation import AUTHORISATION

RELATED = ("agency__site", "purpose__legal_basis", "subject")
SHOWN_WAITING, SHOWN_HOLDING, SHOWN_ENDED, SHOWN_USES, USUAL_DAYS = 20, 200, 50, 50, 30
WAITING_SALT = "me:authorisations"


class AnswerForm(forms.Form):
    """What is allowed, until when, how often; the bounds are those of the purpose."""

    fields_allowed = forms.MultipleChoiceField(required=False, label=_("What may be seen"))
    everything = forms.BooleanField(required=False, label=_("Everything that is asked for"))

    def __init__(self, *args: Any, case: Authorisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.case = case
        self.fields["fields_allowed"].choices = [(name, name) for name in case.requested_fields]  # type: ignore[attr-defined]
        self.fields["until"] = _until_field(case.purpose.longest_days)
        self.fields["uses"] = _uses_field(case.purpose.most_uses)

    def chosen(self) -> list[str]:
        """The names allowed: all that were asked for, or those that were ticked."""
        whole = self.cleaned_data["everything"] or not self.case.purpose.gives_records
        return list(self.case.requested_fields) if whole else self.cleaned_data["fields_allowed"]

    def expires_at(self) -> datetime.datetime:
        """The end of the day chosen, but within what the purpose allows from this moment on."""
        day: datetime.date = self.cleaned_data["until"]
        midnight = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time.min)
        end = timezone.make_aware(midnight)
        latest = timezone.now() + datetime.timedelta(days=self.case.purpose.longest_days)
        return min(end, latest) if day <= timezone.localdate(latest) else end


def _until_field(longest: int) -> forms.DateField:
    today = timezone.localdate()
    last = today + datetime.timedelta(days=longest)
    bounds = _("Choose an end within the next %(days)s days.") % {"days": longest}
    return forms.DateField(
        label=_("Last day"), initial=min(last, today + datetime.timedelta(days=USUAL_DAYS)).isoformat(),
        widget=forms.DateInput(attrs={"type": "date", "min": today.isoformat(), "max": last.isoformat()}),
        help_text=_("At the latest %(day)s. You can withdraw at any time before.") % {"day": last.isoformat()},
        validators=[MinValueValidator(today, bounds), MaxValueValidator(last, bounds)],
        error_messages={"required": _("Choose the last day on which it may be used.")},
    )  # fmt: skip


def _uses_field(most: int) -> forms.IntegerField:
    bounds = ngettext("This purpose allows one look.", "This purpose allows at most %(uses)s looks.", most)
    bounds = bounds % {"uses": most}
    return forms.IntegerField(
        label=_("How often"), min_value=1, max_value=most, initial=1, help_text=bounds,
        error_messages={
            "required": _("Say how often."), "invalid": bounds, "min_value": bounds, "max_value": bounds,
        },
    )  # fmt: skip


PLACES = {"fields": "everything", "expires_at": "until", "uses_allowed": "uses"}


@represented(RepresentationScope.CONSENT)
def authorisation_list(request: HttpRequest, user: User, subject: Subject) -> HttpResponse:
    """Requests that wait for an answer, page by page; what holds now, what has ended."""
    _log_for_another(user, subject)
    rows, now = Authorisation.objects.of_person(subject).select_related(*RELATED), timezone.now()
    granted = AuthorisationState.GRANTED
    waiting = _waiting(request, rows.waiting(at=now))
    last = waiting[SHOWN_WAITING - 1] if len(waiting) > SHOWN_WAITING else None
    context = {
        "waiting": waiting[:SHOWN_WAITING],
        "after": mark(last.requested_at, last.pk, WAITING_SALT) if last else "",
        "holding": rows.filter(state=granted, expires_at__gt=now)[:SHOWN_HOLDING],
        "ended": rows.exclude(state=AuthorisationState.REQUESTED, answer_until__gt=now)
        .exclude(state=granted, expires_at__gt=now)
        .order_by("-requested_at")[:SHOWN_ENDED],
    }
    return render(request, "me/authorisations.html", context)


def _waiting(request: HttpRequest, rows: AuthorisationQuerySet) -> list[Authorisation]:
    """One page of the requests that wait and one more, newest first."""
    if before := mark_of(request, WAITING_SALT):
        at, pk = before
        rows = rows.filter(requested_at__lte=at).exclude(requested_at=at, pk__gte=pk)
    return list(rows[: SHOWN_WAITING + 1])


@represented(RepresentationScope.CONSENT)
def authorisation(request: HttpRequest, user: User, subject: Subject, number: str) -> HttpResponse:
    """One request with exactly what it would show, or one consent with its uses."""
    case = _own(user, subject, number)
    if request.method == "POST":
        return _act(request, user, subject, case)
    if not _waits(case):
        _log_for_another(user, subject)
        return render(request, "me/authorisation.html", _given(case, user))
    return _asked(request, user, subject, case, AnswerForm(case=case))


@represented(RepresentationScope.CONSENT)
def receipt_file(request: HttpRequest, user: User, subject: Subject, number: str) -> HttpResponse:
    """The receipt as JSON, to be kept; it names the person by no name and no number of a document."""
    case = _own(user, subject, number)
    _log_for_another(user, subject)
    response = JsonResponse(receipt(case), json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = f'attachment; filename="consent-{case.number}.json"'
    return response


def _log_for_another(user: User, subject: Subject) -> None:
    """What units asked of a person and were allowed is told to a representative only with a line in the log."""
    if not is_own(user, subject):
        log_own_look(user, subject, ["authorisations"], RepresentationScope.CONSENT)


def _own(user: User, subject: Subject, number: str) -> Authorisation:
    pk = pk_of_token(AUTHORISATION_KIND, number)
    rows = Authorisation.objects.of_person(subject).select_related(*RELATED)
    found = rows.filter(pk=pk).first() if pk is not None else None
    if found is None:
        raise not_theirs(AUTHORISATION_KIND, user)
    return found


def _waits(case: Authorisation) -> bool:
    return case.state == AuthorisationState.REQUESTED and case.answer_until > timezone.now()


def _asked(request: HttpRequest, user: User, subject: Subject, case: Authorisation, form: AnswerForm) -> HttpResponse:
    context = {"case": case, "form": form, "preview": preview(case, subject, user), "ticked": _ticked(form)}
    return render(request, "me/authorisation_answer.html", context)


def _ticked(form: AnswerForm) -> set[str]:
    return set(form.data.getlist("fields_allowed")) if form.is_bound else set()  # type: ignore[attr-defined]


def _given(case: Authorisation, user: User) -> dict[str, Any]:
    looks = AccessLog.objects.filter(
        subject_ref=case.subject_id or 0, reference=case.number, authority=Authority.CONSENT
    ).order_by("-at")
    steps = StepEvent.objects.filter(workflow=AUTHORISATION.name, case_ref=case.pk).exclude(step="use_up")
    return {
        "case": case,
        "shown": name_labels(case.granted_fields or case.requested_fields).values(),
        "reports": shown_of_units(reports.made_under(case, user)),
        "uses": looks.select_related("agency")[:SHOWN_USES],
        "steps": [(AUTHORISATION.step(step.step).label, step.at) for step in steps.order_by("at", "pk")],
        "holds": case.lasts_at(timezone.now()),
    }


def _act(request: HttpRequest, user: User, subject: Subject, case: Authorisation) -> HttpResponse:
    act = request.POST.get("act", "")
    if act == "grant":
        return _grant(request, user, subject, case)
    step = {"refuse": authorisations.refuse, "revoke": authorisations.revoke}.get(act)
    if step is None:
        return redirect("me:authorisation", case.number)
    try:
        step(authorisation=case, user=user)
        done = {
            "refuse": _("Refused. The unit sees nothing."),
            "revoke": _("Withdrawn. It opens nothing now."),
        }
        messages.success(request, done[act])
    except CreditError as error:
        messages.error(request, str(error))
    return redirect("me:authorisation", case.number)


def _grant(request: HttpRequest, user: User, subject: Subject, case: Authorisation) -> HttpResponse:
    form = AnswerForm(request.POST, case=case)
    if form.is_valid():
        try:
            authorisations.grant(
                authorisation=case, user=user, fields=form.chosen(), expires_at=form.expires_at(),
                uses_allowed=form.cleaned_data["uses"],
            )  # fmt: skip
        except Invalid as error:
            for problem in error.problems:
                form.add_error(PLACES.get(problem.field), str(problem.message))
        except CreditError as error:
            messages.error(request, str(error))
            return redirect("me:authorisation", case.number)
        else:
            messages.success(request, _("Allowed, within the bounds that were set."))
            return redirect("me:authorisation", case.number)
    elif not form.cleaned_data.get("fields_allowed") and not form.cleaned_data.get("everything"):
        form.add_error("everything", _("Choose at least one of the kinds of information asked for."))
    if not _waits(case):
        return redirect("me:authorisation", case.number)
    return _asked(request, user, subject, case, form)
