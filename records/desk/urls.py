"""Addresses under /desk/."""

from django.urls import path

from records.desk import deliveries, views

app_name = "desk"
urlpatterns = [
    path("", views.home, name="home"),
    path("deliveries/", deliveries.listed, name="deliveries"),
    path("deliveries/new/", deliveries.deliver, name="deliver"),
    path("deliveries/<int:batch_id>/", deliveries.receipt, name="delivery"),
    path("deliveries/<int:batch_id>/columns/", deliveries.columns, name="delivery-columns"),
    path("deliveries/<int:batch_id>/cancel/", deliveries.cancel, name="delivery-cancel"),
    path("feeds/<slug:feed>/template/", deliveries.template, name="template"),
]
