"""The core in the staff admin: units, people, rule values, calendar, ledgers."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.forms import AdminUserCreationForm, ReadOnlyPasswordHashField
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from import_export.admin import ExportMixin

from creditplatform.core.enums import Role
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
from creditplatform.core.staff import PlainTextResource, ReadOnlyAdmin, RoleAdmin, is_bound_to_site
from creditplatform.core.workdays import HOLIDAY_NAMES


@admin.register(Region)
class RegionAdmin(RoleAdmin):
    """The division tree."""

    viewers = (Role.CLERK, Role.OFFICER, Role.SUPERVISOR)
    changers = (Role.CENTRE,)
    list_display = ("code", "name", "name_en", "level", "valid_until")
    list_filter = ("level",)
    search_fields = ("code", "name", "name_en")


@admin.register(Site)
class SiteAdmin(RoleAdmin):
    """The two public sites and their footers."""

    changers = (Role.CENTRE,)
    list_display = ("code", "name", "name_en", "sponsor")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Sites come with a release."""
        return False


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
class AgencyAdmin(ExportMixin, RoleAdmin):  # type: ignore[misc]
    """Units, and where citizens reach them."""

    form = AgencyForm
    resource_classes = (AgencyResource,)
    viewers = (Role.CLERK, Role.OFFICER, Role.SUPERVISOR)
    changers = (Role.CENTRE,)
    list_display = ("name", "code", "credit_code", "kind", "site", "phone", "active")
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
    list_display = ("key", "site", "value", "unit", "valid_from", "valid_until", "in_force", "confirmed", "source")
    list_filter = ("in_force", "confirmed", "site")
    search_fields = ("key", "legal_basis", "source")
    actions = ("approve",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A value in force is never edited; a new one follows it."""
        return super().has_change_permission(request) and (obj is None or not obj.in_force)

    def save_model(self, request: HttpRequest, obj: RuleValue, form: Any, change: bool) -> None:
        """Whoever touched the value last entered it, so somebody else has to approve it."""
        obj.entered_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)

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


@admin.register(AccessLog)
class AccessLogAdmin(ReadOnlyAdmin):
    """Disclosures: auditors see that somebody looked, never at what."""

    viewers = (Role.AUDITOR,)
    list_display = fields = (
        "at", "actor", "agency", "purpose", "authority", "reference", "case_number", "door", "result",
    )  # fmt: skip
    list_filter = ("authority", "result", "door")
    list_select_related = ("actor", "agency")


@admin.register(StepEvent)
class StepEventAdmin(ReadOnlyAdmin):
    """Steps taken in procedures."""

    viewers = (Role.AUDITOR, Role.SUPERVISOR)
    list_display = ("at", "workflow", "case_ref", "step", "from_state", "to_state", "actor", "door")
    list_filter = ("workflow", "step")
    list_select_related = ("actor",)


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    """Signs of life of workers and timers."""

    viewers = (Role.OPERATOR, Role.CENTRE)
    list_display = ("name", "at", "expected_seconds")
