"""Addresses of the two public sites."""

from django.urls import include, path, register_converter
from django.urls.converters import StringConverter

from publicity.views import catalogue, guidance, purposes, records, registers, search, sites


class SiteCode(StringConverter):
    """One of the two sites; everything else at the root belongs to other doors."""

    regex = "huizhou|gansu"


register_converter(SiteCode, "site")

app_name = "publicity"
of_site = [
    path("", sites.home, name="home"),
    path("search/", search.results, name="search"),
    path("registers/", registers.index, name="registers"),
    path("registers/<slug:entry>/", registers.register, name="register"),
    path("catalogue/", catalogue.catalogue, name="catalogue"),
    path("purposes/", purposes.purposes, name="purposes"),
    path("records/<slug:token>/", records.page, name="record"),
    path("records/<slug:token>.json", records.RecordData.as_view(), name="record-data"),
    path("services/", guidance.services, name="services"),
    path("services/<slug:topic>/", guidance.service, name="service"),
    path("about/confirmations/", guidance.confirmations, name="confirmations"),
    path("about/<slug:topic>/", guidance.about, name="about"),
]
urlpatterns = [
    path("", sites.choose, name="choose"),
    path("size/", sites.text_size, name="size"),
    path("<site:site>/", include(of_site)),
]
