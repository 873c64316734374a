"""The core in the staff admin: units, people, rule values, calendar, ledgers."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.forms import AdminUserCreationForm, ReadOnlyPasswordHashField
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from import_export.admin import ExportMixin

from creditplatform.core import labels, wording
from creditplatform.core.client_admin import ApiClientAdmin  # noqa: F401 — registered by being imported
from creditplatform.core.enums import Door, Role
from creditplatform.core.errors import CreditError
from creditplatform.core.models import (
    AccessLog,
    Agency,
    CalendarDay,
    Heartbeat,
    Membership,
    Region,
    RuleValue,
    Site,
    StepEvent,
    User,
)
from creditplatform.core.services.rules import approve_rule_value
from creditplatform.core.staff import LabelledAdmin, PlainTextResource, ReadOnlyAdmin, RoleAdmin, is_bound_to_site
from creditplatform.core.workdays import HOLIDAY_NAMES
from creditplatform.core.workflow import registered


@admin.register(Region)
class RegionAdmin(LabelledAdmin, RoleAdmin):
    """The division tree."""

    viewers = (Role.CLERK, Role.OFFICER, Role.SUPERVISOR)
    changers = (Role.CENTRE,)
    list_display = ("code", "label_shown", "level", "valid_until")
    list_filter = ("level",)
    search_fields = ("code", "name", "name_en")


@admin.register(Site)
class SiteAdmin(LabelledAdmin, RoleAdmin):
    """The two public sites and their footers."""

    changers = (Role.CENTRE,)
    list_display = ("label_shown", "code", "sponsor_shown")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Sites come with a release."""
        return False

    @admin.display(description=_("Sponsor"), ordering="sponsor")
    def sponsor_shown(self, site: Site) -> str:
        """The sponsor in the language of the page."""
        return site.sponsor_label


class AgencyResource(PlainTextResource):
    """Units as a list for a spreadsheet."""

    class Meta:
        model = Agency


class AgencyForm(forms.ModelForm):  # type: ignore[type-arg]
    """A unit; its public site is settled once anything is on file that repeats it."""

    def clean_site(self) -> Site:
        """The site, unless the unit may no longer leave the one it has."""
        site: Site = self.cleaned_data["site"]
        if self.instance.pk and site.pk != self.instance.site_id and is_bound_to_site(self.instance):
            raise forms.ValidationError(
                _("Records of this unit are kept on its public site, so the site can no longer be changed."),
                code="bound_to_site",
            )
        return site


@admin.register(Agency)
class AgencyAdmin(LabelledAdmin, ExportMixin, RoleAdmin):  # type: ignore[misc]
    """Units, and where citizens reach them."""

    form = AgencyForm
    resource_classes = (AgencyResource,)
    viewers = (Role.CLERK, Role.OFFICER, Role.SUPERVISOR)
    changers = (Role.CENTRE,)
    list_display = ("label_shown", "code", "kind", "site", "phone_shown", "active")
    list_select_related = ("site",)
    list_filter = ("site", "kind", "active")
    search_fields = ("code", "name", "name_en", "credit_code")
    autocomplete_fields = ("region", "parent")

    def export_action(self, request: HttpRequest) -> HttpResponse:
        """The list as a file; what cannot be understood behind the question mark is left out."""
        try:
            return cast(HttpResponse, super().export_action(request))
        except IncorrectLookupParameters:
            return HttpResponseRedirect(request.path)

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Whoever may look may take the list along; units are public."""
        return self.has_view_permission(request)

    @admin.display(description=_("Telephone"))
    def phone_shown(self, agency: Agency) -> str:
        """The number, its remark in the language of the page."""
        return wording.mark_translated(agency.phone)


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    """Units and roles of a person."""

    model = Membership
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The security administrator."""
        return Role.SECURITY in getattr(request.user, "roles", set())

    has_add_permission = has_change_permission = has_view_permission


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    """A user without the password itself."""

    password = ReadOnlyPasswordHashField(label=_("Password"))

    class Meta:
        model = User
        fields = ("username", "display_name", "email", "is_active", "password")


@admin.register(User)
class UserAdmin(RoleAdmin):
    """People who sign in; only the security administrator gives roles (three system roles apart)."""

    changers = (Role.SECURITY,)
    form = UserForm
    list_display = ("username", "display_name", "is_active", "joined_at")
    list_filter = ("is_active", "memberships__role")
    search_fields = ("username", "display_name")
    inlines = (MembershipInline,)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """A new user gets a first password, an existing one keeps theirs."""
        if obj is None:
            kwargs |= {"form": _creation_form(), "fields": None}
        return super().get_form(request, obj, change, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Roles are given once the person exists."""
        return self.inlines if obj else ()


def _creation_form() -> type[forms.ModelForm]:  # type: ignore[type-arg]
    class CreationForm(AdminUserCreationForm):  # type: ignore[type-arg]
        """Name and first password."""

        class Meta:
            model = User
            fields = ("username", "display_name")

    return CreationForm


class RuleValueForm(forms.ModelForm):  # type: ignore[type-arg]
    """A proposed value."""

    class Meta:
        model = RuleValue
        fields = (
            "key", "site", "value", "unit", "valid_from", "valid_until", "legal_basis", "legal_basis_en", "source",
        )  # fmt: skip


@admin.register(RuleValue)
class RuleValueAdmin(RoleAdmin):
    """Dated values of rules. Entering is one step, approving another person's."""

    changers = (Role.CENTRE,)
    viewers = (Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR)
    form = RuleValueForm
    list_display = ("key", "value_shown", "valid_from", "valid_until", "in_force", "basis_shown")
    list_filter = ("in_force", "confirmed", "site")
    search_fields = ("key", "legal_basis", "source")
    actions = ("approve",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A value in force is never edited; a new one follows it."""
        return super().has_change_permission(request) and (obj is None or not obj.in_force)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who only looks reads the value and its basis in words."""
        if obj is None or self.has_change_permission(request, obj):
            return super().get_fields(request, obj)
        return ("key", "site", "value_shown", "valid_from", "valid_until", "basis_shown", "source", "in_force")

    def save_model(self, request: HttpRequest, obj: RuleValue, form: Any, change: bool) -> None:
        """Whoever touched the value last entered it, so somebody else has to approve it."""
        obj.entered_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)

    @admin.display(description=_("Value"))
    def value_shown(self, rule_value: RuleValue) -> str:
        """The value and what it is counted in, in words."""
        return labels.counted(rule_value.value, rule_value.unit)

    @admin.display(description=_("Legal basis"), ordering="legal_basis")
    def basis_shown(self, rule_value: RuleValue) -> str:
        """The legal basis in the language of the page."""
        return rule_value.basis_label

    @admin.action(description=_("Approve as second person"), permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[RuleValue]) -> None:
        """Bring the chosen values into force, and say of each why not."""
        for rule_value in queryset:
            try:
                approve_rule_value(rule_value=rule_value, user=request.user)  # type: ignore[arg-type]
            except CreditError as error:
                self.message_user(request, f"{rule_value.key}: {error}", messages.ERROR)
            else:
                self.message_user(request, _("%s is in force.") % rule_value.key, messages.SUCCESS)


class HolidayField(forms.CharField):
    """The name of a holiday in the language of the page; those of the calendar's library are stored as it has them."""

    def prepare_value(self, value: Any) -> Any:
        """In the language of the page."""
        return gettext(value) if value in HOLIDAY_NAMES else value

    def to_python(self, value: Any) -> str:
        """As it is stored."""
        text = super().to_python(value) or ""
        return {gettext(name): name for name in HOLIDAY_NAMES}.get(text, text)


class CalendarDayForm(forms.ModelForm):  # type: ignore[type-arg]
    """A day of the calendar."""

    name = HolidayField(label=_("holiday"), max_length=60, required=False)


@admin.register(CalendarDay)
class CalendarDayAdmin(RoleAdmin):
    """Working days; amended when the State Council amends them."""

    changers = (Role.CENTRE,)
    viewers = (Role.CLERK, Role.OFFICER, Role.SUPERVISOR)
    form = CalendarDayForm
    list_display = ("day", "working", "holiday")
    list_filter = ("working",)
    date_hierarchy = "day"

    @admin.display(description=_("holiday"), ordering="name")
    def holiday(self, day: CalendarDay) -> str:
        """The holiday in the language of the page."""
        return gettext(day.name) if day.name in HOLIDAY_NAMES else day.name


class ActorAdmin(ReadOnlyAdmin):
    """A ledger whose rows bear a person: shown with units and roles of that day, since names alone may be alike."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the memberships of the persons, in two queries for the whole page."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.prefetch_related("actor__memberships__agency")

    @admin.display(description=_("Person, unit and role"), ordering="actor")
    def who(self, row: Any) -> str:
        """The person; of staff also for which units in which roles that day."""
        if row.actor is None:
            return "—"
        day = timezone.localdate(row.at)
        held = [m for m in row.actor.memberships.all() if m.holds_on(day)]
        posts = wording.joined(f"{m.agency.label} · {m.get_role_display()}" for m in held)
        name = wording.mark_translated(str(row.actor))
        return f"{name}{wording.bracketed(posts)}" if posts else name


@admin.register(AccessLog)
class AccessLogAdmin(ActorAdmin):
    """Disclosures: auditors see that somebody looked, never at what."""

    viewers = (Role.AUDITOR,)
    list_display = ("at", "who", "purpose_shown", "authority", "door", "result")
    fields = ("at", "who", "agency", "purpose_shown", "authority", "reference", "case_number", "door", "result")
    list_filter = ("authority", "result", "door")
    list_select_related = ("actor",)

    @admin.display(description=_("Purpose"), ordering="purpose")
    def purpose_shown(self, row: AccessLog) -> str:
        """The purpose in words."""
        return labels.label(labels.Kind.PURPOSE, row.purpose)


class ProcedureFilter(admin.AllValuesFieldListFilter):
    """Procedures by their titles."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Every procedure that left a step, in words."""
        titles = {name: workflow.title for name, workflow in registered().items()}
        return _in_words(super().choices(changelist), titles)


class StepFilter(admin.AllValuesFieldListFilter):
    """Steps by what their buttons say."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Every step that was taken, in words."""
        steps = {step.name: step.label for workflow in registered().values() for step in workflow.steps}
        return _in_words(super().choices(changelist), steps)


def _in_words(choices: Iterator[Any], words: Mapping[Any, Any]) -> Iterator[Any]:
    for choice in choices:
        yield {**choice, "display": words.get(choice["display"], choice["display"])}


@admin.register(StepEvent)
class StepEventAdmin(ActorAdmin):
    """Steps taken in procedures."""

    viewers = (Role.AUDITOR, Role.SUPERVISOR)
    list_display = ("at", "case", "step_shown", "from_shown", "to_shown", "who", "door_shown")
    fields = (*list_display, "reason")
    list_filter = (("workflow", ProcedureFilter), ("step", StepFilter))
    list_select_related = ("actor",)

    @admin.display(description=_("Case"), ordering="case_ref")
    def case(self, event: StepEvent) -> str:
        """The procedure and the number of the case."""
        workflow = registered().get(event.workflow)
        return f"{workflow.title if workflow else event.workflow} {event.case_ref}"

    @admin.display(description=_("Step"), ordering="step")
    def step_shown(self, event: StepEvent) -> str:
        """The step as its button says it."""
        workflow = registered().get(event.workflow)
        known = {step.name: str(step.label) for step in workflow.steps} if workflow else {}
        return known.get(event.step, event.step)

    @admin.display(description=_("From"), ordering="from_state")
    def from_shown(self, event: StepEvent) -> str:
        """The state before."""
        return _state(event, event.from_state)

    @admin.display(description=_("To"), ordering="to_state")
    def to_shown(self, event: StepEvent) -> str:
        """The state after."""
        return _state(event, event.to_state)

    @admin.display(description=_("Way in"), ordering="door")
    def door_shown(self, event: StepEvent) -> str:
        """How the step came in."""
        return str(dict(Door.choices).get(event.door, event.door)) or "—"


def _state(event: StepEvent, code: str) -> str:
    """The label of a state of the procedure the event belongs to."""
    workflow = registered().get(event.workflow)
    return str(dict(workflow.states.choices).get(code, code)) if workflow else code


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    """Signs of life of workers and timers."""

    viewers = (Role.OPERATOR, Role.CENTRE)
    list_display = fields = ("name_shown", "at", "expected_seconds")

    @admin.display(description=_("Worker or timer"), ordering="name")
    def name_shown(self, heartbeat: Heartbeat) -> str:
        """What gives the sign of life, in words."""
        return labels.label(labels.Kind.SIGN_OF_LIFE, heartbeat.name)
