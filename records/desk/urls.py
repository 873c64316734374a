"""Addresses under /desk/."""

from django.urls import path

from records.desk import exchange, views

app_name = "desk"
urlpatterns = [
    path("", views.home, name="home"),
    path("exchange/", exchange.index, name="exchange"),
    path("exchange/<slug:code>/", exchange.peer, name="exchange-peer"),
    path("exchange/<slug:code>/<slug:act>/", exchange.act, name="exchange-act"),
]
