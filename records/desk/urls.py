"""Addresses under /desk/."""

from django.urls import path

from records.desk import views

app_name = "desk"
urlpatterns = [
    path("", views.home, name="home"),
]
