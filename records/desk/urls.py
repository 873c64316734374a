"""Addresses under /desk/."""

from django.urls import path

from records.desk import belonging, cross_checks, missing, views

app_name = "desk"
urlpatterns = [
    path("", views.home, name="home"),
    path("cross-checks/", cross_checks.cross_check_list, name="cross_checks"),
    path("cross-checks/<int:check_id>/", cross_checks.cross_check, name="cross_check"),
    path("missing/", missing.missing_records, name="missing"),
    path("key-groups/", belonging.key_groups, name="key_groups"),
    path("key-groups/<slug:group_code>/", belonging.key_group, name="key_group"),
    path("members/", belonging.members, name="members"),
]
