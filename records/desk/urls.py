"""Addresses under /desk/."""

from django.urls import path

from records.desk import exchange, figures, monthly_reports, views

app_name = "desk"
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
]
