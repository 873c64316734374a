"""Addresses under /verify/."""

from django.urls import path

from records.verify import views

app_name = "verify"
urlpatterns = [
    path("", views.ask, name="ask"),
    path("<str:report>/", views.answer, name="answer"),
]
