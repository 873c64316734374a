"""Catalogue, legal bases, key groups and entitlements in the staff admin."""

from typing import Any, cast

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from guardian.admin import GuardedModelAdminMixin

from creditplatform.core.enums import Role
from creditplatform.core.staff import LabelledAdmin, ReadOnlyAdmin, RoleAdmin
from creditplatform.core.wording import joined
from records.enums import SubjectKind
from records.labels import ACTS, tier_rule_sentence
from records.models import CatalogueEntry, Entitlement, EntryField, EntryVersion, KeyGroup, LegalBasis

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
    list_display = ("entry", "number", "state", "valid_from", "openness", "person_openness", "polarity")
    list_filter = ("state", "information_class", "openness")
    list_select_related = ("entry", "legal_basis")
    inlines = (EntryFieldInline,)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What is kept as a code or a table is shown in words instead."""
        given = super().get_fields(request, obj)
        return [SHOWN_IN_WORDS.get(str(name), str(name)) for name in given]

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


@admin.register(Entitlement)
class EntitlementAdmin(GuardedModelAdminMixin, RoleAdmin):  # type: ignore[misc]
    """Which unit may record what, and which of its staff may enter it."""

    changers = (Role.CENTRE,)
    list_display = ("agency", "entry")
    list_filter = ("agency__site",)
    search_fields = ("agency__name", "entry__name")
    list_select_related = ("agency", "entry")
    autocomplete_fields = ("agency", "entry")

    def obj_perms_manage_view(self, request: HttpRequest, object_pk: str) -> HttpResponse:
        """Who may enter; an address without a number leads nowhere."""
        return cast(HttpResponse, super().obj_perms_manage_view(request, _number(object_pk)))

    def obj_perms_manage_user_view(self, request: HttpRequest, object_pk: str, user_id: str) -> HttpResponse:
        """What one person may enter."""
        return cast(
            HttpResponse, super().obj_perms_manage_user_view(request, _number(object_pk), _number(str(user_id)))
        )

    def obj_perms_manage_group_view(self, request: HttpRequest, object_pk: str, group_id: str) -> HttpResponse:
        """What a group may enter."""
        return cast(
            HttpResponse, super().obj_perms_manage_group_view(request, _number(object_pk), _number(str(group_id)))
        )


def _number(text: str) -> str:
    """The number in an address. Raises Http404 for anything else."""
    if not text.isdecimal():
        raise Http404
    return text
