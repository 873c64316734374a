"""The first page of the desk: what waits for this person today."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from creditplatform.core.permissions import rule, staff
from creditplatform.core.staff import work_of


@rule(staff)
def home(request: HttpRequest) -> HttpResponse:
    """Alarms first, then things to do, then the last deliveries."""
    user: Any = request.user
    return render(request, "desk/home.html", {"works": work_of(user)})
