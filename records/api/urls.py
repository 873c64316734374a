"""Addresses under /api/v1/, with and without a slash at the end; every part has a module of its own, included here."""

from django.urls import include, path, re_path

from records.api import exchange
from records.api.documentation import Docs, Schema
from records.api.statistics import ReportsView, TimelinessView
from records.api.tokens import Tokens

app_name = "api"
urlpatterns = [
    re_path(r"^token/?$", Tokens.as_view(), name="token"),
    re_path(r"^statistics/timeliness/?$", TimelinessView.as_view(), name="statistics_timeliness"),
    re_path(r"^statistics/reports/?$", ReportsView.as_view(), name="statistics_reports"),
    re_path(r"^changes/?$", exchange.Changes.as_view(), name="changes"),
    re_path(r"^changes/confirm/?$", exchange.Confirmations.as_view(), name="confirm"),
    re_path(r"^exchange/inbox/?$", exchange.Inbox.as_view(), name="inbox"),
    re_path(r"^schema/?$", Schema.as_view(), name="schema"),
    re_path(r"^docs/?$", Docs.as_view(url_name="api:schema"), name="docs"),
    path("", include("records.api.deliveries.urls")),
    path("", include("records.api.queries.urls")),
    path("", include("records.api.announcements.urls")),
]
