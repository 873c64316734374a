"""Announcing over the interface: tell a person what is intended, see whether they were shown it and what they said."""

import datetime
from collections.abc import Callable
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from creditplatform.core.enums import Door, Scope
from creditplatform.core.errors import Invalid
from records.announcement_selectors import with_delivery
from records.api.announcements import forms
from records.api.errors import error_answers, refusal
from records.api.queries import bodies, keys
from records.api.queries.answers import private
from records.api.queries.forms import example
from records.models import PriorNotice
from records.services import announcements, kept_answers

TAGS = ["announcements"]
REQUIRED, OPTIONAL = ("entry", "name", "number", "intended"), (
    "document", "reply_until", "document_number", "case_number",
)  # fmt: skip
KEY = keys.parameters(
    "Name of this call, such as a UUID. Sent again under it within some hours, the same call gets the same answer and"
    " announces nothing twice; another one gets 409.",
    [201],
)
REFUSALS = {
    400: refusal("not_a_date", "This is not a date; write it like 2018-05-03.", "reply_until"),
    409: refusal(
        "announced_already",
        "This is announced to the person already. Withdraw that announcement before you make another.",
    ),
}


NO_ANSWER = {
    400: refusal("no_reply", "The person has not replied, so there is nothing to answer.", "words"),
}


class Announcements(bodies.AboutPersons):
    """`POST /api/v1/announcements/`."""

    scopes = (Scope.FEEDS_WRITE,)

    @extend_schema(
        operation_id="announcement_request",
        tags=TAGS,
        parameters=KEY,
        request=forms.AnnouncementRequestForm,
        responses={201: forms.AnnouncementForm, **error_answers(400, 401, 403, 409, 415, 429, but=REFUSALS)},
        examples=[
            example("Announce", forms.REQUEST, request_only=True),
            example("Announced", forms.ANNOUNCED, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Announce an unfavourable record to a person before it is entered.

        The answer is the same whether or not anybody of that number is on file or has an account. 409 where the unit
        has announced such a record of the same number to the person already and it is open still.
        """
        draft, entry = _draft_of(bodies.object_of(request))
        return self._once(request, lambda: self._announced(draft, entry))

    def _announced(self, draft: announcements.Draft, entry: str) -> dict[str, Any]:
        entitlement = announcements.entitlement_of(self.agency, entry)
        return told(announcements.announce(draft, entitlement=entitlement, client=self.client), reply="")

    def _once(self, request: Request, made: Callable[[], dict[str, Any]]) -> Response:
        """The answer, or the one kept under the same key."""
        keyed = keys.Keyed.of(request, self.client)
        if kept := keyed.kept():
            return keys.again(kept_answers.repeat(kept, self.client), kept.status)
        return keyed.answer(made(), 201, None)


class Announcement(bodies.AboutPersons):
    """`GET /api/v1/announcements/{announcement}/`."""

    scopes = (Scope.FEEDS_WRITE,)

    @extend_schema(
        operation_id="announcement_state",
        tags=TAGS,
        responses={200: forms.AnnouncementForm, **error_answers(401, 403, 404, 429)},
        examples=[example("Replied", forms.REPLIED, response_only=True)],
    )
    def get(self, request: Request, announcement: str) -> Response:
        """Whether the person was shown it and has read it, what they replied, and whether the record has come."""
        case = announcements.of_client(self.client, announcement)
        return private(told(case, reply=announcements.read_reply(case, user=None, door=Door.API)))


class Considered(bodies.AboutPersons):
    """`POST /api/v1/announcements/{announcement}/consider/`."""

    scopes = (Scope.FEEDS_WRITE,)

    @extend_schema(
        operation_id="announcement_consider",
        tags=TAGS,
        request=forms.AnswerForm,
        responses={200: forms.AnnouncementForm, **error_answers(400, 401, 403, 404, 409, 415, 429, but=NO_ANSWER)},
        examples=[
            example("Answer to the reply", forms.ANSWER, request_only=True),
            example("Considered", forms.CONSIDERED, response_only=True),
        ],
    )
    def post(self, request: Request, announcement: str) -> Response:
        """Say how the reply was taken into account, once, before the record is entered; the person reads it."""
        case = announcements.of_client(self.client, announcement)
        words = bodies.texts(bodies.object_of(request), required=("words",))["words"]
        return _stepped(announcements.consider(case=case, client=self.client, words=words))


class Withdrawn(bodies.AboutPersons):
    """`POST /api/v1/announcements/{announcement}/withdraw/`."""

    scopes = (Scope.FEEDS_WRITE,)

    @extend_schema(
        operation_id="announcement_withdraw",
        tags=TAGS,
        request=forms.EndForm,
        responses={200: forms.AnnouncementForm, **error_answers(400, 401, 403, 404, 409, 415, 429, but=NO_ANSWER)},
        examples=[
            example("Nothing more to say", {}, request_only=True),
            example("Not pursued", forms.WITHDRAWN, response_only=True),
        ],
    )
    def post(self, request: Request, announcement: str) -> Response:
        """Do not pursue what was announced; the person is told. 409 where the record has come already."""
        case = announcements.of_client(self.client, announcement)
        words = bodies.texts(bodies.object_of(request), required=(), optional=("words",))["words"]
        return _stepped(announcements.withdraw(case=case, client=self.client, words=words))


def _stepped(case: PriorNotice) -> Response:
    """The announcement after a step; what the person said is not given again by it."""
    return private(told(case, reply=""))


def told(case: PriorNotice, *, reply: str) -> dict[str, Any]:
    """An announcement as the interface says it; `reply` are the words of the person, after their line in the log."""
    letter = with_delivery([case])[0].letter
    return {
        "announcement": case.number,
        "state": case.state,
        "entry": case.entry.code,
        "document_number": case.document_number,
        "case_number": case.case_number,
        "reply_until": case.reply_until.isoformat(),
        "announced_at": localtime(case.announced_at).isoformat(),
        "shown_at": _at(letter.shown_at if letter else None),
        "read_at": _at(letter.read_at if letter else None),
        "replied_at": _at(case.replied_at),
        "reply": reply,
        "considered": case.considered or "",
        "record": case.record.token if case.record else "",
        "came_early": case.came_early,
    }


def _at(moment: datetime.datetime | None) -> str | None:
    return localtime(moment).isoformat() if moment else None


def _draft_of(said: dict[str, Any]) -> tuple[announcements.Draft, str]:
    """What is announced, and the code of its entry. Raises Invalid for what is missing or malformed."""
    words = bodies.texts(said, required=REQUIRED, optional=OPTIONAL)
    draft = announcements.Draft(
        person=bodies.person_of(words),
        name=words["name"],
        intended=words["intended"],
        reply_until=_day(words["reply_until"]),
        document_number=words["document_number"],
        case_number=words["case_number"],
    )
    return draft, words["entry"]


def _day(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text) if text else None
    except ValueError:
        told_so = _("This is not a date; write it like 2018-05-03.")
        raise Invalid.in_field("reply_until", "not_a_date", told_so) from None
