"""Acts that offend the constraints of bindings, recovery codes and representations."""

import datetime
from typing import Any

from django.utils import timezone

from records.models import RealNameBinding, RecoveryCode
from tests.records.provocations import provokes
from tests.records.query_rows import a_representation, a_window_request
from tests.records.world import World


def binding(w: World, **values: Any) -> None:
    RealNameBinding.objects.filter(user=w.cast.person).update(**values)


def code(w: World, **values: Any) -> RecoveryCode:
    now = timezone.now()
    words = {
        "user": w.cast.person, "issued_by": w.cast.centre, "papers": "passport", "code_hash": "x", "issued_at": now,
        "expires_at": now + datetime.timedelta(minutes=5), **values,
    }  # fmt: skip
    return RecoveryCode.objects.create(**words)


@provokes("binding_at_window_by_official")
def _(w: World) -> None:
    binding(w, adapter="window")


@provokes("binding_two_people")
def _(w: World) -> None:
    binding(w, adapter="window", papers="passport", bound_by=w.cast.person)


@provokes("recovery_code_ends")
def _(w: World) -> None:
    code(w, expires_at=timezone.now() - datetime.timedelta(days=1))


@provokes("recovery_code_two_people")
def _(w: World) -> None:
    code(w, issued_by=w.cast.person)


@provokes("recovery_code_guesses")
def _(w: World) -> None:
    code(w, wrong_codes=6)


@provokes("recovery_code_used_in_time")
def _(w: World) -> None:
    code(w, used_at=timezone.now())


@provokes("recovery_code_one_open")
def _(w: World) -> None:
    code(w)
    code(w)


@provokes("representation_of_somebody")
def _(w: World) -> None:
    a_representation(w, person=None)


@provokes("representation_checked_first")
def _(w: World) -> None:
    a_representation(w, state="confirmed", decided_by=w.cast.centre, decided_at=timezone.now())


@provokes("representation_two_officials")
def _(w: World) -> None:
    a_representation(w, state="checked", checked_by=w.cast.stranger, checked_at=timezone.now())


@provokes("representation_contested_at_a_time")
def _(w: World) -> None:
    a_representation(w, state="contested", decided_by=w.cast.centre, decided_at=timezone.now())


@provokes("representation_settled_by_another")
def _(w: World) -> None:
    a_representation(w, settled_at=timezone.now())


@provokes("representation_asked_once")
def _(w: World) -> None:
    for _time in range(2):
        a_representation(w, person=None, asked_name="x", asked_index=b"0" * 16)


@provokes("window_request_act")
def _(w: World) -> None:
    a_window_request(w, act="bind")


@provokes("window_request_ends")
def _(w: World) -> None:
    a_window_request(w, expires_at=timezone.now() - datetime.timedelta(days=1))


@provokes("window_request_two_officials")
def _(w: World) -> None:
    decided(w, decided_by=w.cast.centre)


@provokes("window_request_not_own")
def _(w: World) -> None:
    a_window_request(w, user=w.cast.centre)


@provokes("window_request_decided_by_second")
def _(w: World) -> None:
    decided(w, decided_by=None)


@provokes("window_request_forgets")
def _(w: World) -> None:
    decided(w, asked_number="1")


@provokes("window_request_one_open")
def _(w: World) -> None:
    a_window_request(w)
    a_window_request(w)


def decided(w: World, **values: Any) -> None:
    forgotten = {"asked_kind": "", "asked_number": None, "asked_name": None}
    words = {"state": "confirmed", "decided_by": w.cast.auditor, "decided_at": timezone.now(), **forgotten, **values}
    a_window_request(w, **words)
