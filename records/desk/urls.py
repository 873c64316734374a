"""Addresses under /desk/."""

from django.urls import path

from records.desk import setaside, views

app_name = "desk"
urlpatterns = [
    path("", views.home, name="home"),
    path("set-aside/", setaside.rows, name="setaside"),
    path("set-aside/act/", setaside.act, name="setaside_act"),
    path("set-aside/workbook/", setaside.workbook, name="setaside_workbook"),
    path("set-aside/upload/", setaside.upload, name="setaside_upload"),
    path("set-aside/<int:row_id>/", setaside.row, name="setaside_row"),
    path("notices/<int:notice_id>/read/", setaside.take_note, name="notice_read"),
]
