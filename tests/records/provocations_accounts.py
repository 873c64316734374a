"""Acts that offend the constraints of bindings, recovery codes and representations."""

import datetime
from typing import Any

from django.utils import timezone

from records.models import RealNameBinding, RecoveryCode, Representation
from tests.records.provocations import LATER, provokes
from tests.records.world import DAY, World


def binding(w: World, **values: Any) -> None:
    RealNameBinding.objects.filter(user=w.cast.person).update(**values)


def code(w: World, **values: Any) -> RecoveryCode:
    now = timezone.now()
    words = {
        "user": w.cast.person, "issued_by": w.cast.centre, "papers": "passport", "code_hash": "x", "issued_at": now,
        "expires_at": now + datetime.timedelta(minutes=5), **values,
    }  # fmt: skip
    return RecoveryCode.objects.create(**words)


def representation(w: World, **values: Any) -> Representation:
    words = {
        "person": w.person, "representative": w.cast.stranger.real_name.subject, "kind": "guardian", "scope": ["file"],
        "valid_from": DAY, "papers_kind": "birth", "requested_by": w.cast.stranger, **values,
    }  # fmt: skip
    return Representation.objects.create(**words)


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


@provokes("representation_two_persons")
def _(w: World) -> None:
    representation(w, representative=w.person)


@provokes("representation_has_scope")
def _(w: World) -> None:
    representation(w, scope=[])


@provokes("representation_ends_after_start")
def _(w: World) -> None:
    representation(w, valid_until=DAY)


@provokes("representation_attorney_has_end")
def _(w: World) -> None:
    representation(w, kind="attorney")


@provokes("representation_decided_by_somebody")
def _(w: World) -> None:
    representation(w, state="confirmed")


@provokes("representation_two_people")
def _(w: World) -> None:
    representation(w, state="confirmed", decided_by=w.cast.stranger, decided_at=timezone.now())


@provokes("representation_of_somebody")
def _(w: World) -> None:
    representation(w, person=None)


@provokes("representation_asked_once")
def _(w: World) -> None:
    for _time in range(2):
        representation(w, person=None, asked_name="x", asked_index=b"0" * 16)


@provokes("representation_once")
def _(w: World) -> None:
    representation(w, valid_until=LATER)
    representation(w)
