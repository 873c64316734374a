"""Addresses of the platform: one list, from the public sites to the operators' probes."""

from allauth.account import views as account
from allauth.mfa.base import views as second_factor
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from creditplatform import accounts, oidc
from creditplatform.core import probes
from records.me import recovery
from records.me.shares import share

of_second_factor = [
    path("", second_factor.index, name="mfa_index"),
    path("authenticate/", second_factor.authenticate, name="mfa_authenticate"),
    path("reauthenticate/", second_factor.reauthenticate, name="mfa_reauthenticate"),
    path("app/set-up/", totp.activate_totp, name="mfa_activate_totp"),
    path("app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("recovery-codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("recovery-codes/new/", recovery_codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
]
urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/login/", account.login, name="account_login"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("accounts/signup/", account.signup, name="account_signup"),
    path("accounts/password/", accounts.change_password, name="account_change_password"),
    path("accounts/confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("accounts/recover/", recovery.recover, name="account_recover"),
    path("accounts/second-factor/", include(of_second_factor)),
    path("accounts/platforms/<slug:provider_id>/", oidc.start, name="openid_connect_login"),
    path("accounts/platforms/<slug:provider_id>/callback/", oidc.callback, name="openid_connect_callback"),
    path("me/", include("records.me.urls")),
    path("share/<str:link>/", share, name="share"),
    path("verify/", include("records.verify.urls")),
    path("desk/", include("records.desk.urls")),
    path("api/v1/", include("records.api.urls")),
    path("language/", set_language, name="set_language"),
    path("healthz", probes.healthz, name="healthz"),
    path("readyz", probes.readyz, name="readyz"),
    path("", include("publicity.urls")),
]
handler400 = "creditplatform.core.error_pages.bad_request"
handler403 = "creditplatform.core.error_pages.permission_denied"
handler404 = "creditplatform.core.error_pages.page_not_found"
handler500 = "creditplatform.core.error_pages.server_error"
