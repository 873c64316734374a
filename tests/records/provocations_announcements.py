"""Acts that offend the constraints of announcements."""

from typing import Any

from django.utils import timezone

from tests.records.provocations import provokes
from tests.records.query_rows import a_prior_notice
from tests.records.world import World


def ended(w: World, **values: Any) -> None:
    a_prior_notice(w, **{"state": "withdrawn", "ended_at": timezone.now(), **values})


@provokes("prior_notice_once")
def _(w: World) -> None:
    for _turn in range(2):
        a_prior_notice(w)


@provokes("prior_notice_by_one")
def _(w: World) -> None:
    a_prior_notice(w, announced_by=None)


@provokes("prior_notice_followed_by_record")
def _(w: World) -> None:
    ended(w, record=w.record)


@provokes("prior_notice_reply_is_dated")
def _(w: World) -> None:
    a_prior_notice(w, reply="已整改。")


@provokes("prior_notice_end_is_dated")
def _(w: World) -> None:
    a_prior_notice(w, state="lapsed")


@provokes("prior_notice_forgets")
def _(w: World) -> None:
    ended(w, cleared_at=timezone.now())
