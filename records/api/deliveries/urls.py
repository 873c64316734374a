"""Addresses of feeds and batches; with and without a slash at the end, since a body is not sent on by a redirect."""

from django.urls import re_path

from records.api.deliveries import views

FEED, BATCH = r"feeds/(?P<feed>[-a-zA-Z0-9_]+)", r"batches/(?P<batch>[0-9]+)"
urlpatterns = [
    re_path(r"^feeds/?$", views.Feeds.as_view(), name="feeds"),
    re_path(rf"^{FEED}/template/?$", views.FeedTemplate.as_view(), name="feed-template"),
    re_path(rf"^{FEED}/batches/?$", views.FeedBatches.as_view(), name="feed-batches"),
    re_path(rf"^{FEED}/mapping/?$", views.FeedMapping.as_view(), name="feed-mapping"),
    re_path(rf"^{BATCH}/?$", views.Batch.as_view(), name="batch"),
    re_path(rf"^{BATCH}/problems/?$", views.BatchProblems.as_view(), name="batch-problems"),
    re_path(rf"^{BATCH}/cancel/?$", views.BatchCancel.as_view(), name="batch-cancel"),
]
