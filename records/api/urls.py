"""Addresses under /api/v1/; every part has a module of its own, included here."""

from django.urls import include, path
from oauth2_provider.views import TokenView

from records.api.documentation import Docs, Schema

app_name = "api"
urlpatterns = [
    path("token/", TokenView.as_view(), name="token"),
    path("schema/", Schema.as_view(), name="schema"),
    path("docs/", Docs.as_view(url_name="api:schema"), name="docs"),
    path("", include("records.api.deliveries.urls")),
]
