"""Catalogue, legal bases, key groups and entitlements in the staff admin."""

from typing import Any, cast

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from guardian.admin import GuardedModelAdminMixin

from creditplatform.core.enums import Role
from creditplatform.core.staff import ReadOnlyAdmin, RoleAdmin
from records.models import CatalogueEntry, Entitlement, EntryField, EntryVersion, KeyGroup, LegalBasis

WORKING = (Role.CLERK, Role.OFFICER, Role.SUPERVISOR, Role.CENTRE)


@admin.register(LegalBasis)
class LegalBasisAdmin(ReadOnlyAdmin):
    """Statutes that entries rest on."""

    viewers = WORKING
    list_display = ("title", "article", "level", "number", "confirmed")
    list_filter = ("level", "confirmed")
    search_fields = ("title", "title_en", "number")


@admin.register(CatalogueEntry)
class CatalogueEntryAdmin(ReadOnlyAdmin):
    """Kinds of information that may be collected."""

    viewers = WORKING
    list_display = ("name", "name_en", "code")
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
    list_display = ("entry", "number", "state", "valid_from", "openness", "person_openness", "polarity", "legal_basis")
    list_filter = ("state", "information_class", "openness")
    list_select_related = ("entry", "legal_basis")
    inlines = (EntryFieldInline,)


@admin.register(KeyGroup)
class KeyGroupAdmin(ReadOnlyAdmin):
    """Key groups of the plans."""

    viewers = WORKING
    list_display = ("name", "name_en", "licence_name")


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
