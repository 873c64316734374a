"""Addresses under /desk/."""

from django.urls import include, path

from records.desk import (
    authorisations,
    belonging,
    cross_checks,
    deferrals,
    deliveries,
    exchange,
    figures,
    missing,
    monthly_reports,
    setaside,
    views,
)
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
    path("figures/", figures.start, name="figures"),
    path("figures/board/", figures.board, name="figures_board"),
    path("figures/feeds/", figures.feeds, name="figures_feeds"),
    path("figures/reports/", monthly_reports.listing, name="figures_reports"),
    path("figures/reports/workbook/", monthly_reports.month_book, name="figures_month_book"),
    path("figures/reports/<slug:agency>/<str:month>/", monthly_reports.report, name="figures_report"),
    path(
        "figures/reports/<slug:agency>/<str:month>/workbook/", monthly_reports.report_book, name="figures_report_book"
    ),
    path("figures/units/<slug:agency>/", figures.unit, name="figures_unit"),
    path("figures/units/<slug:agency>/<slug:entry>/", figures.entry, name="figures_entry"),
    path("exchange/", exchange.index, name="exchange"),
    path("exchange/<slug:code>/", exchange.peer, name="exchange-peer"),
    path("exchange/<slug:code>/<slug:act>/", exchange.act, name="exchange-act"),
    path("catalogue/", include(of_catalogue)),
    path("deliveries/", deliveries.listed, name="deliveries"),
    path("deliveries/new/", deliveries.deliver, name="deliver"),
    path("deliveries/<int:batch_id>/", deliveries.receipt, name="delivery"),
    path("deliveries/<int:batch_id>/columns/", deliveries.columns, name="delivery-columns"),
    path("deliveries/<int:batch_id>/cancel/", deliveries.cancel, name="delivery-cancel"),
    path("feeds/<slug:feed>/template/", deliveries.template, name="template"),
    path("set-aside/", setaside.rows, name="setaside"),
    path("set-aside/act/", setaside.act, name="setaside_act"),
    path("set-aside/workbook/", setaside.workbook, name="setaside_workbook"),
    path("set-aside/upload/", setaside.upload, name="setaside_upload"),
    path("set-aside/<int:row_id>/", setaside.row, name="setaside_row"),
    path("notices/<int:notice_id>/read/", setaside.take_note, name="notice_read"),
    path("cross-checks/", cross_checks.cross_check_list, name="cross_checks"),
    path("cross-checks/<int:check_id>/", cross_checks.cross_check, name="cross_check"),
    path("missing/", missing.missing_records, name="missing"),
    path("key-groups/", belonging.key_groups, name="key_groups"),
    path("key-groups/<slug:group_code>/", belonging.key_group, name="key_group"),
    path("authorisations/", authorisations.requests_of_unit, name="authorisations"),
    path("authorisations/ask/<slug:agency>/<slug:purpose>/", authorisations.ask, name="authorisation-ask"),
    path("authorisations/<str:number>/", authorisations.request_of_unit, name="authorisation"),
    path("deferrals/", deferrals.deferral_list, name="deferrals"),
    path("deferrals/looks/<int:access_id>/", deferrals.defer, name="deferral"),
    path("deferrals/<int:deferral_id>/approve/", deferrals.approve, name="deferral-approve"),
    path("members/", belonging.members, name="members"),
]
