"""Addresses under /me/."""

from django.urls import path

from records.me import eligibility, views

app_name = "me"
urlpatterns = [
    path("", views.home, name="home"),
    path("bind/", views.bind, name="bind"),
    path("records/", views.records, name="records"),
    path("records/<str:token>/", views.record, name="record"),
    path("ties/", views.ties, name="ties"),
    path("eligibility/", eligibility.eligibility, name="eligibility"),
    path("looks/", views.looks, name="looks"),
    path("notices/", views.notices, name="notices"),
]
