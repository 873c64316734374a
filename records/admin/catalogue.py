"""Catalogue, legal bases, key groups and entitlements in the staff admin."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Role
from creditplatform.core.models import User
from creditplatform.core.staff import LabelledAdmin, ReadOnlyAdmin, RoleAdmin
from creditplatform.core.wording import joined
from records.enums import SubjectKind
from records.labels import ACTS, tier_rule_sentence
from records.models import CatalogueEntry, Entitlement, EntryField, EntryVersion, KeyGroup, LegalBasis
from records.services.entitlements import members_of, people_who_may_enter, set_who_may_enter

WORKING = (Role.CLERK, Role.OFFICER, Role.SUPERVISOR, Role.CENTRE)
SHOWN_IN_WORDS = {
    "act": "act_shown",
    "subject_kinds": "kinds_shown",
    "key_group": "group_shown",
    "tier_rule": "tier_rule_shown",
}


@admin.register(LegalBasis)
class LegalBasisAdmin(ReadOnlyAdmin):
    """Statutes that entries rest on."""

    viewers = WORKING
    list_display = ("citation_shown", "level", "number", "confirmed")
    list_filter = ("level", "confirmed")
    search_fields = ("title", "title_en", "number")

    @admin.display(description=_("Statute and article"), ordering="title")
    def citation_shown(self, basis: LegalBasis) -> str:
        """Title and article in the language of the page."""
        return basis.citation


@admin.register(CatalogueEntry)
class CatalogueEntryAdmin(LabelledAdmin, ReadOnlyAdmin):
    """Kinds of information that may be collected."""

    viewers = WORKING
    list_display = ("label_shown", "code")
    search_fields = ("code", "name", "name_en")


class EntryFieldInline(admin.TabularInline):  # type: ignore[type-arg]
    """Fields of a version."""

    model = EntryField
    fields = ("position", "code", "name", "name_en", "type", "length", "required", "role", "personal", "published")
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see the version."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A version in force is immutable."""
        return False

    has_change_permission = has_add_permission


@admin.register(EntryVersion)
class EntryVersionAdmin(ReadOnlyAdmin):
    """Versions of entries with basis, openness and tiers."""

    viewers = WORKING
    list_display = (
        "entry", "number", "state", "valid_from", "openness", "person_openness", "polarity", "desk_link",
    )  # fmt: skip
    list_filter = ("state", "information_class", "openness")
    list_select_related = ("entry", "legal_basis")
    readonly_fields = ("desk_link",)
    inlines = (EntryFieldInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[EntryVersion]:
        """What was published; what is at work is for the centre alone."""
        user: Any = request.user
        return EntryVersion.objects.visible_to(user)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What is kept as a code or a table is shown in words instead."""
        given = super().get_fields(request, obj)
        return ["desk_link", *(SHOWN_IN_WORDS.get(str(name), str(name)) for name in given)]

    @admin.display(description=_("At the desk"))
    def desk_link(self, version: EntryVersion) -> SafeString:
        """Where a version is compared, edited and reviewed; here it is only looked at."""
        address = reverse("desk:catalogue-version", args=[version.pk])
        return format_html('<a href="{}">{}</a>', address, _("Open at the desk"))

    @admin.display(description=_("administrative act"))
    def act_shown(self, version: EntryVersion) -> str:
        """The act in words."""
        return str(ACTS.get(version.act, version.act)) or "—"

    @admin.display(description=_("kinds of subject"))
    def kinds_shown(self, version: EntryVersion) -> str:
        """Whom such records may be about."""
        return joined(SubjectKind(kind).label for kind in version.subject_kinds)

    @admin.display(description=_("key group"))
    def group_shown(self, version: EntryVersion) -> str:
        """The key group of the plans by name."""
        group = KeyGroup.objects.filter(code=version.key_group).first()
        return group.label if group else version.key_group or "—"

    @admin.display(description=_("tier rule"))
    def tier_rule_shown(self, version: EntryVersion) -> str:
        """How the tier, and with it the time of publication, is found."""
        return tier_rule_sentence(version.tier_rule)


@admin.register(KeyGroup)
class KeyGroupAdmin(LabelledAdmin, ReadOnlyAdmin):
    """Key groups of the plans."""

    viewers = WORKING
    list_display = ("label_shown", "licence_name")


class WhoMayEnterForm(forms.Form):
    """The members of a unit, and which of them may enter records of the entry."""

    people = forms.ModelMultipleChoiceField(
        User.objects.none(), label=_("These members of the unit may enter"), required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("A grant counts only while the person is a member of the unit."),
    )  # fmt: skip

    def __init__(self, *args: Any, entitlement: Entitlement, **kwargs: Any) -> None:
        holders = people_who_may_enter(entitlement)
        super().__init__(*args, **{**kwargs, "initial": {"people": holders}})
        eligible = User.objects.filter(Q(pk__in=members_of(entitlement)) | Q(pk__in=holders))
        self.fields["people"].queryset = eligible.order_by("username")  # type: ignore[attr-defined]


@admin.register(Entitlement)
class EntitlementAdmin(RoleAdmin):
    """Which unit may record what, and which of its staff may enter it."""

    changers = (Role.CENTRE,)
    change_form_template = "admin/records/entitlement.html"
    list_display = ("agency", "entry")
    list_filter = ("agency__site",)
    search_fields = ("agency__name", "entry__name")
    list_select_related = ("agency", "entry")
    autocomplete_fields = ("agency", "entry")

    def get_urls(self) -> list[URLPattern]:
        """The page that says who may enter, beside the stock ones."""
        page = self.admin_site.admin_view(self.who_may_enter)
        address = path("<int:entitlement_id>/permissions/", page, name="records_entitlement_permissions")
        return [address, *super().get_urls()]

    def who_may_enter(self, request: HttpRequest, entitlement_id: int) -> HttpResponse:
        """Give the entry to members of the unit, or take it back."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        entitlement = get_object_or_404(Entitlement.objects.select_related("agency", "entry"), pk=entitlement_id)
        sent = request.POST if request.method == "POST" else None  # nobody ticked is an answer, too
        form = WhoMayEnterForm(sent, entitlement=entitlement)
        if form.is_valid():
            set_who_may_enter(entitlement=entitlement, people=form.cleaned_data["people"])
            self.message_user(request, _("Who may enter has been saved."), messages.SUCCESS)
            return HttpResponseRedirect(request.path)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Who may enter"),
            "entitlement": entitlement,
            "form": form,
        }
        return TemplateResponse(request, "admin/records/who_may_enter.html", context)
