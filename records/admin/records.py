"""Entering, correcting and withdrawing credit records in the staff admin."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import Authority, Door, Role
from creditplatform.core.errors import CreditError, Invalid
from creditplatform.core.models import User
from creditplatform.core.staff import RoleAdmin
from records.admin.forms import SEEN, CorrectionForm, EntryForm
from records.enums import OwnPurpose, SubjectKind
from records.exchange.overview import told_of
from records.feeds.plan import NotCollected, version_in_force
from records.models import CreditRecord, Entitlement, EntryVersion
from records.services.correction import REASON, correct_record, corrections_of
from records.services.entitlements import entitlements_of, may_enter
from records.services.entry import enter_record, form_feeds
from records.workflows.credit_record import CREDIT_RECORD


@admin.register(CreditRecord)
class CreditRecordAdmin(RoleAdmin):
    """Records of one's own units. The form is drawn from the catalogue; nothing is deleted."""

    viewers = (Role.CLERK, Role.OFFICER, Role.SUPERVISOR)
    list_display = ("entry", "document_number", "whom", "decided_on", "tier", "state", "mark", "publish_until")
    list_filter = ("state", "tier", "field", "disputed")
    list_select_related = ("entry", "subject")
    search_fields = ("document_number__startswith",)
    search_help_text = _("Number of the decision, from its beginning")
    ordering = ("-decided_on", "-pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CreditRecord]:
        """Records of one's own units only."""
        user: Any = request.user
        return CreditRecord.objects.visible_to(user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever was given at least one entry."""
        user: Any = request.user
        return self.has_view_permission(request) and bool(entitlements_of(user))

    @admin.display(description=_("About"))
    def whom(self, record: CreditRecord) -> str:
        """An organisation by name; of a person the list says only that it is one."""
        return record.subject.name or str(SubjectKind(record.subject_kind).label)

    @admin.display(description=_("Mark"))
    def mark(self, record: CreditRecord) -> str:
        """A dispute is said in words."""
        return str(_("▲ disputed")) if record.disputed else ""

    def get_urls(self) -> list[URLPattern]:
        """Entering per entry, and withdrawing, beside the stock pages."""
        view = self.admin_site.admin_view
        return [
            path("enter/<int:entitlement_id>/", view(self.enter), name="records_creditrecord_enter"),
            path("<int:record_id>/withdraw/", view(self.withdraw), name="records_creditrecord_withdraw"),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """First: which kind of record, for which unit."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        user: Any = request.user
        context = {
            **self.admin_site.each_context(request),
            "title": _("What would you like to record?"),
            "entitlements": entitlements_of(user),
        }
        return TemplateResponse(request, "admin/records/choose_entry.html", context)

    def enter(self, request: HttpRequest, entitlement_id: int) -> HttpResponse:
        """Then: the form of that entry."""
        user: Any = request.user
        entitlement = get_object_or_404(Entitlement.objects.select_related("agency", "entry"), pk=entitlement_id)
        if not may_enter(user, entitlement):
            raise PermissionDenied
        try:
            version = version_in_force(entitlement.entry, timezone.localdate())
        except NotCollected as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:records_creditrecord_add"))
        form, status = EntryForm(request.POST or None, version=version, feeds=form_feeds(entitlement)), 200
        if request.method == "POST" and form.is_valid():
            try:
                record = enter_record(user=user, entitlement=entitlement, values=form.values(), feed=form.feed)
            except CreditError as error:
                status = form.refuse(error)
            else:
                return self._done(request, record, _("The record is on file."))
        page = {"title": _("Record: %s") % entitlement.entry, "agency": entitlement.agency, "version": version}
        return self._form_page(request, form, page, status)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """See and correct a record of one's own unit; opening one about a person is itself recorded."""
        user: Any = request.user
        record = get_object_or_404(
            CreditRecord.objects.visible_to(user).select_related("subject", "version", "entry", "agency"),
            pk=object_id if object_id.isdecimal() else None,
        )
        self._note_look(record, user)
        version = _version_to_check(record)
        form, status = CorrectionForm(request.POST or None, record=record, version=version), 200
        if request.method == "POST" and form.is_valid():
            try:
                changed = correct_record(
                    user=user, record=record, values=form.values(), reason=form.cleaned_data[REASON],
                    seen=form.cleaned_data[SEEN], given_up=form.given_up,
                )  # fmt: skip
            except CreditError as error:
                status = form.refuse(error)
            else:
                text = _("The correction is on file; the old content stays in the history.")
                return self._done(request, changed, text)
        page = {
            "title": f"{record.entry} {record.document_number}",
            "agency": record.agency,
            "version": version,
            "record": record,
            "steps": CREDIT_RECORD.available(record, user),
            "corrections": corrections_of(record),
            "told": told_of(record.pk),
        }
        return self._form_page(request, form, page, status)

    def withdraw(self, request: HttpRequest, record_id: int) -> HttpResponse:
        """Withdraw a record that the unit no longer stands by; publication ends at once."""
        user: Any = request.user
        record = get_object_or_404(CreditRecord.objects.visible_to(user), pk=record_id)
        if request.method == "POST":
            try:
                CREDIT_RECORD.take("revoke", record, user=user, reason=request.POST.get("reason", ""))
            except CreditError as error:
                problems = " ".join(str(p.message) for p in error.problems) if isinstance(error, Invalid) else ""
                self.message_user(request, f"{error} {problems}".strip(), messages.ERROR)
            else:
                self.message_user(request, _("The record is withdrawn and no longer shown."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:records_creditrecord_change", args=[record.pk]))

    def _note_look(self, record: CreditRecord, user: User) -> None:
        if record.subject_kind != SubjectKind.PERSON:
            return
        record_disclosure(
            subject_ref=record.subject_id,
            actor=user,
            agency=record.agency,
            purpose=OwnPurpose.UPKEEP,
            authority=Authority.DUTY,
            fields=["name", "number", record.entry.code],
            door=Door.ADMIN,
        )

    def _done(self, request: HttpRequest, record: CreditRecord, text: Any) -> HttpResponse:
        self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:records_creditrecord_change", args=[record.pk]))

    def _form_page(self, request: HttpRequest, form: EntryForm, page: dict[str, Any], status: int) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "record": None, **page, "form": form}
        return TemplateResponse(request, "admin/records/entry_form.html", context, status=status)


def _version_to_check(record: CreditRecord) -> EntryVersion:
    """The version a correction is checked against; that of the record where none is in force, to look at it."""
    try:
        return version_in_force(record.entry, timezone.localdate())
    except NotCollected:
        return record.version
