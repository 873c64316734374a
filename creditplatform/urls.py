"""Addresses of the platform: one list, from the public sites to the operators' probes."""

from allauth.account import views as account
from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from creditplatform.core import probes
from records.me.shares import share

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/login/", account.login, name="account_login"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("accounts/signup/", account.signup, name="account_signup"),
    path("accounts/password/", account.password_change, name="account_change_password"),
    path("accounts/confirm/", account.reauthenticate, name="account_reauthenticate"),
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
