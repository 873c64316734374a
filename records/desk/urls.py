"""Addresses under /desk/."""

from django.urls import include, path

from records.desk import views
from records.desk.catalogue import editing
from records.desk.catalogue import views as catalogue

app_name = "desk"
of_catalogue = [
    path("", catalogue.index, name="catalogue"),
    path("new/", editing.new_entry, name="catalogue-new"),
    path("entries/<slug:entry>/", catalogue.entry, name="catalogue-entry"),
    path("entries/<slug:entry>/draft/", editing.new_version, name="catalogue-draft"),
    path("versions/<int:version_id>/", catalogue.version, name="catalogue-version"),
    path("versions/<int:version_id>/edit/", editing.edit_version, name="catalogue-edit"),
    path("versions/<int:version_id>/preview/", catalogue.preview, name="catalogue-preview"),
    path("versions/<int:version_id>/fields/", editing.edit_field, name="catalogue-new-field"),
    path("versions/<int:version_id>/fields/<int:field_id>/", editing.edit_field, name="catalogue-field"),
    path("versions/<int:version_id>/fields/<int:field_id>/arrange/", editing.arrange_field, name="catalogue-arrange"),
    path("versions/<int:version_id>/steps/<slug:step>/", editing.step, name="catalogue-step"),
    path("bases/", catalogue.bases, name="catalogue-bases"),
    path("bases/new/", editing.edit_basis, name="catalogue-new-basis"),
    path("bases/<slug:basis>/edit/", editing.edit_basis, name="catalogue-basis"),
]
urlpatterns = [
    path("", views.home, name="home"),
    path("catalogue/", include(of_catalogue)),
]
