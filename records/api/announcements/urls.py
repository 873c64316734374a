"""Addresses of announcements; with and without a slash at the end, since a body is not sent on by a redirect."""

from django.urls import re_path

from records.api.announcements import views

ONE = r"^announcements/(?P<announcement>[a-z0-9]{1,40})"
urlpatterns = [
    re_path(r"^announcements/?$", views.Announcements.as_view(), name="announcements"),
    re_path(rf"{ONE}/?$", views.Announcement.as_view(), name="announcement"),
    re_path(rf"{ONE}/consider/?$", views.Considered.as_view(), name="announcement-consider"),
    re_path(rf"{ONE}/withdraw/?$", views.Withdrawn.as_view(), name="announcement-withdraw"),
]
