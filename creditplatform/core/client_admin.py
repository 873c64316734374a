"""Machine clients in the staff admin, for the security administrator alone; a secret is shown exactly once."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from oauth2_provider.models import (
    get_access_token_model,
    get_grant_model,
    get_id_token_model,
    get_refresh_token_model,
)

from creditplatform.core.enums import Role, Scope
from creditplatform.core.models import Agency, ApiClient
from creditplatform.core.services.clients import create_client, renew_secret, set_active
from creditplatform.core.staff import RoleAdmin

# The libraries show clients, tokens, secrets and sessions to superusers; here they are shown to nobody.
for _model in (
    ApiClient, get_access_token_model(), get_grant_model(), get_id_token_model(), get_refresh_token_model(),
    Authenticator, SocialAccount, SocialApp, SocialToken, UserSession,
):  # fmt: skip
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


class ClientForm(forms.Form):
    """A system, its unit, and what it may do."""

    name = forms.CharField(
        label=_("Name of the system"), max_length=100, help_text=_("As the unit calls it; no name of a person.")
    )
    agency = forms.ModelChoiceField(Agency.objects.filter(active=True), label=_("Unit"))
    scopes = forms.MultipleChoiceField(label=_("Scopes"), choices=Scope.choices, widget=forms.CheckboxSelectMultiple)


@admin.register(ApiClient)
class ApiClientAdmin(RoleAdmin):
    """Systems of units that call the interface."""

    viewers = (Role.SECURITY,)
    list_display = ("name", "agency", "scopes_shown", "active", "created")
    list_filter = ("active",)
    list_select_related = ("agency",)
    search_fields = ("name", "client_id")
    fields = readonly_fields = ("name", "agency", "client_id", "scopes_shown", "active", "created", "updated")
    change_form_template = "admin/core/client.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The security administrator."""
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody by the stock form: a client is renewed or switched, never rewritten."""
        return False

    @admin.display(description=_("Scopes"))
    def scopes_shown(self, client: ApiClient) -> str:
        """What it may do, in words."""
        return "; ".join(f"{scope} ({Scope(scope).label})" for scope in client.scopes)

    def get_urls(self) -> list[URLPattern]:
        """The two steps beside the stock pages."""
        view = self.admin_site.admin_view
        return [
            path("<int:client_id>/secret/", view(self.renew), name="core_apiclient_secret"),
            path("<int:client_id>/switch/", view(self.switch), name="core_apiclient_switch"),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Make a client and show its secret, once."""
        self._permit(request)
        form = ClientForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            client, secret = create_client(**form.cleaned_data)
            return self._shown_once(request, client, secret)
        context = {**self.admin_site.each_context(request), "title": _("New machine client"), "form": form}
        return TemplateResponse(request, "admin/core/client_form.html", context)

    def renew(self, request: HttpRequest, client_id: int) -> HttpResponse:
        """A new secret instead of the old one."""
        client = self._client(request, client_id)
        if request.method != "POST":
            return self._back(client)
        return self._shown_once(request, client, renew_secret(client=client))

    def switch(self, request: HttpRequest, client_id: int) -> HttpResponse:
        """Switch off or on."""
        client = self._client(request, client_id)
        if request.method == "POST":
            set_active(client=client, active=not client.active)
        return self._back(client)

    def _client(self, request: HttpRequest, client_id: int) -> ApiClient:
        self._permit(request)
        return get_object_or_404(ApiClient.objects.select_related("agency"), pk=client_id)

    def _permit(self, request: HttpRequest) -> None:
        if not self.has_add_permission(request):
            raise PermissionDenied

    def _back(self, client: ApiClient) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:core_apiclient_change", args=[client.pk]))

    def _shown_once(self, request: HttpRequest, client: ApiClient, secret: str) -> HttpResponse:
        """The page with the secret; it comes as the answer to the form, has no address and is kept by no browser."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("Secret of the machine client"),
            "client": client,
            "secret": secret,
        }
        response: HttpResponse = never_cache(
            lambda _request: TemplateResponse(request, "admin/core/client_secret.html", context)
        )(request)
        return response
