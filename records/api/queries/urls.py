"""Addresses of queries and consent; with and without a slash at the end, since a body is not sent on by a redirect."""

from django.urls import re_path

from records.api.queries import batches, consents, purposes, reports, views

TOKEN = r"[a-z0-9]{1,40}"  # noqa: S105 - the form of a public number
urlpatterns = [
    re_path(r"^purposes/?$", purposes.Purposes.as_view(), name="purposes"),
    re_path(r"^eligibility/?$", views.Eligibility.as_view(), name="eligibility"),
    re_path(r"^eligibility/review/?$", views.ReviewRequest.as_view(), name="review-request"),
    re_path(rf"^eligibility/review/(?P<review>{TOKEN})/?$", views.ReviewView.as_view(), name="review"),
    re_path(r"^queries/?$", views.Records.as_view(), name="queries"),
    re_path(r"^queries/batch/?$", batches.Checks.as_view(), name="batch-checks"),
    re_path(rf"^queries/batch/(?P<check>{TOKEN})/?$", batches.Check.as_view(), name="batch-check"),
    re_path(rf"^queries/batch/(?P<check>{TOKEN})/results/?$", batches.Results.as_view(), name="batch-check-results"),
    re_path(rf"^queries/(?P<query>{TOKEN})/?$", views.QueryView.as_view(), name="query"),
    re_path(rf"^queries/(?P<query>{TOKEN})/result/?$", views.QueryResult.as_view(), name="query-result"),
    re_path(r"^authorisations/?$", consents.ConsentRequests.as_view(), name="authorisations"),
    re_path(rf"^authorisations/(?P<number>{TOKEN})/?$", consents.ConsentView.as_view(), name="authorisation"),
    re_path(rf"^authorisations/(?P<number>{TOKEN})/report/?$", reports.ReportRequest.as_view(), name="report-make"),
    re_path(rf"^reports/(?P<report>{TOKEN})/pdf/?$", reports.ReportPdf.as_view(), name="report-pdf"),
    re_path(rf"^reports/(?P<report>{TOKEN})/json/?$", reports.ReportJson.as_view(), name="report-json"),
]
