"""Setting up peers of the exchange: one person proposes here, another approves on the desk."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Role
from creditplatform.core.models import Site
from creditplatform.core.staff import LabelledAdmin, RoleAdmin
from records.models import ExchangePeer, PeerEntry
from records.querysets import sites_led
from records.services.peers import may_act


class PeerForm(forms.ModelForm):  # type: ignore[type-arg]
    """A peer; its secret goes in and is never shown again."""

    secret = forms.CharField(
        label=_("our secret there"), required=False, widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Left empty, the secret on file stays."),
    )  # fmt: skip

    class Meta:
        model = ExchangePeer
        fields = (
            "code", "name", "name_en", "kind", "agency", "legal_basis", "site", "client", "push_url", "push_client_id",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Take the secret over before the rules of the table are asked."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("secret"):
            self.instance.push_secret = cleaned["secret"]
        return cleaned

    def clean_push_url(self) -> str:
        """The address of an interface, as ours is."""
        url: str = self.cleaned_data["push_url"]
        if url and not url.endswith("/api/v1/"):
            raise forms.ValidationError(_("The address ends in /api/v1/."), code="address")
        return url


def _is_open(request: HttpRequest, peer: Any) -> bool:
    """Whether this person may still change a peer, or set up one."""
    user: Any = request.user
    return peer is None or (not peer.active and may_act(user, peer.site_id))


class PeerEntryInline(admin.TabularInline):  # type: ignore[type-arg]
    """What the peer gets or hands in; settled once it is approved."""

    model = PeerEntry
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Staff of the centre."""
        return Role.CENTRE in getattr(request.user, "roles", set())

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Staff of the centre of its place, while the peer is not active."""
        return self.has_view_permission(request, obj) and _is_open(request, obj)

    has_add_permission = has_delete_permission = has_change_permission


@admin.register(ExchangePeer)
class ExchangePeerAdmin(LabelledAdmin, RoleAdmin):
    """With whom changes are exchanged."""

    form = PeerForm
    inlines = (PeerEntryInline,)
    changers = (Role.CENTRE,)
    list_display = ("label_shown", "code", "kind", "agency", "active", "paused")
    list_filter = ("kind", "active")
    list_select_related = ("agency",)
    fields = (
        "code", "name", "name_en", "kind", "agency", "legal_basis", "site", "client", "push_url", "push_client_id",
        "secret",
    )  # fmt: skip

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Staff of the centre of its place, while it is not active: what was approved stays as it was approved."""
        return super().has_change_permission(request, obj) and _is_open(request, obj)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Of sites, those of the person's own centre."""
        user: Any = request.user
        if db_field.name == "site":
            kwargs["queryset"] = Site.objects.filter(pk__in=sites_led(user))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: ExchangePeer, form: Any, change: bool) -> None:
        """Whoever changed it last is the one who proposes it."""
        user: Any = request.user
        obj.proposed_by = user
        super().save_model(request, obj, form, change)

    def get_fields(self, request: HttpRequest, obj: ExchangePeer | None = None) -> Any:
        """The secret is a field of the form alone, so a page that only shows has none."""
        return self.fields if self.has_change_permission(request, obj) else self.fields[:-1]
