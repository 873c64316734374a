"""Addresses under /me/."""

from django.urls import path

from records.me import (
    account,
    announcements,
    authorisations,
    eligibility,
    looks,
    reports,
    represent,
    shares,
    statements,
    timeline,
    views,
)

app_name = "me"
urlpatterns = [
    path("", views.home, name="home"),
    path("bind/", views.bind, name="bind"),
    path("records/", views.records, name="records"),
    path("records/<str:token>/", views.record, name="record"),
    path("records/<str:token>/statement/", statements.statement, name="statement"),
    path("timeline/", timeline.timeline, name="timeline"),
    path("reports/", reports.listed, name="reports"),
    path("reports/new/", reports.ordered, name="report-order"),
    path("reports/<str:report>/", reports.result, name="report"),
    path("reports/<str:report>/pdf/", reports.pdf, name="report-pdf"),
    path("reports/<str:report>/json/", reports.jws, name="report-json"),
    path("ties/", views.ties, name="ties"),
    path("eligibility/", eligibility.eligibility, name="eligibility"),
    path("looks/", looks.look_list, name="looks"),
    path("looks/export/<slug:form>/", looks.export, name="looks-export"),
    path("looks/<str:look>/", looks.look_page, name="look"),
    path("authorisations/", authorisations.authorisation_list, name="authorisations"),
    path("authorisations/<str:number>/", authorisations.authorisation, name="authorisation"),
    path("authorisations/<str:number>/receipt/", authorisations.receipt_file, name="authorisation-receipt"),
    path("announcements/", announcements.announcement_list, name="announcements"),
    path("announcements/<str:announcement>/", announcements.announcement, name="announcement"),
    path("shares/", shares.share_list, name="shares"),
    path("notices/", views.notices, name="notices"),
    path("account/", account.account, name="account"),
    path("account/sign-out-others/", account.sign_out_others, name="sign-out-others"),
    path("account/sign-out/", account.sign_out_one, name="sign-out-one"),
    path("represent/", represent.represent, name="represent"),
    path("represent/ask/", represent.ask, name="represent-ask"),
    path("represent/back/", represent.back, name="represent-back"),
    path("represent/<str:token>/act/", represent.act, name="represent-act"),
    path("represent/<str:token>/end/", represent.end, name="represent-end"),
    path("represent/<str:token>/contest/", represent.contest, name="represent-contest"),
]
