"""Exchange with other systems: changes in their order, confirmations, and the inbox for their own changes."""

import re
from typing import Any

import msgspec
from django.core import signing
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

from creditplatform.core.api import ApiView
from creditplatform.core.enums import Door, Scope
from creditplatform.core.errors import Invalid, NotPermitted
from creditplatform.core.unstored import unstored
from records.api.errors import KEY_USED, error_answers, refusal
from records.api.page_size import whole_number
from records.exchange.giving import MOST, USUAL, confirm, hand_over
from records.exchange.taking import key_of, take
from records.exchange.wire import read_block
from records.models import ExchangePeer, PeerReceipt

SALT = "exchange.cursor"
KEY = re.compile(r"[A-Za-z0-9._:-]{1,100}")
WITHDRAWAL = {
    "number": 4711, "kind": "withdrawn", "cause": "repaired", "at": "2026-11-25T09:30:00+08:00",
    "token": "0123456789abcdefghjkmnpqrs", "entry": "administrative-penalty", "document_number": "示例罚〔2026〕1号",
}  # fmt: skip
NO_CURSOR = refusal("invalid_cursor", "This cursor is none of ours. Begin again at 0.", "after")
PAGE = {"changes": [WITHDRAWAL], "next": "eyJ…", "more": False}


class PeerView(ApiView):
    """An address for peers: the client that calls is that of a peer."""

    @property
    def peer(self) -> ExchangePeer:
        """The peer that calls. Raises NotPermitted for a client of nobody with whom anything is exchanged."""
        found = ExchangePeer.objects.select_related("agency", "legal_basis", "site").filter(client=self.client).first()
        if found is None:
            raise NotPermitted
        return found


class Changes(PeerView):
    """`GET /api/v1/changes/`: what changed since a cursor."""

    scopes = (Scope.EXCHANGE_READ,)

    @extend_schema(
        operation_id="changes",
        parameters=[
            OpenApiParameter("after", str, description="The cursor of the last page; 0 for a full copy."),
            OpenApiParameter("limit", int, description="How many changes to look at, 1 to 1000; usually 500."),
        ],
        responses={200: OpenApiTypes.OBJECT, **error_answers(400, 401, 403, 429, but={400: NO_CURSOR})},
        examples=[OpenApiExample("A withdrawal", value=PAGE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """Additions, corrections and withdrawals in their order, as far as the peer is entitled to them.

        A page may be empty though more follows: go on with `next` until `more` is false.
        """
        peer = self.peer
        after = number_of(peer, request.query_params.get("after", "0"))
        limit = whole_number(request, "limit", usual=USUAL, least=1, most=MOST)
        page = hand_over(peer=peer, after=after, limit=limit, door=Door.API)
        return unstored(Response({"changes": page.items, "next": cursor_of(peer, page.upto), "more": page.more}))


class Confirmations(PeerView):
    """`POST /api/v1/changes/confirm/`: everything up to a cursor, and each withdrawal by its number."""

    scopes = (Scope.EXCHANGE_READ,)

    @extend_schema(
        operation_id="confirm_changes",
        request=OpenApiTypes.OBJECT,
        responses={200: OpenApiTypes.OBJECT, **error_answers(400, 401, 403, 415, 429)},
        examples=[
            OpenApiExample("Confirm", value={"upto": "eyJ…", "withdrawals": [4711]}, request_only=True),
            OpenApiExample("Confirmed", value={"confirmed": 1, "unknown": [], "open": 0}, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Confirm; a number that is not among the withdrawals told to this peer comes back as unknown."""
        peer, said = self.peer, _object(request)
        numbers = said.get("withdrawals", [])
        if not isinstance(numbers, list) or len(numbers) > MOST or not all(_is_number(n) for n in numbers):
            raise Invalid.in_field("withdrawals", "malformed", _("Name the numbers of at most 1000 withdrawals."))
        upto = number_of(peer, said.get("upto", "0"))
        proof = f"client {self.client.client_id}"
        unknown = confirm(peer=peer, upto=upto, numbers=numbers, proof=proof, door=Door.API)
        still_open = PeerReceipt.objects.filter(peer=peer, confirmed_at=None).count()
        return Response({"confirmed": len(set(numbers)) - len(unknown), "unknown": unknown, "open": still_open})


class Inbox(PeerView):
    """`POST /api/v1/exchange/inbox/`: a peer hands in its own changes."""

    scopes = (Scope.EXCHANGE_WRITE,)

    @extend_schema(
        operation_id="exchange_inbox",
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
        request=OpenApiTypes.OBJECT,
        responses={200: OpenApiTypes.OBJECT, **error_answers(400, 401, 403, 409, 415, 429, but={409: KEY_USED})},
        examples=[
            OpenApiExample("A block", value={"changes": [WITHDRAWAL]}, request_only=True),
            OpenApiExample(
                "The answer",
                value={
                    "upto": 4711,
                    "accepted": 0,
                    "unchanged": 0,
                    "set_aside": 0,
                    "confirmed": [{"number": 4711, "proof": "ended: …"}],
                    "refused": [],
                },
                response_only=True,
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Take a block of at most 1000 changes in ascending order; the same block again gets the same answer."""
        body = _body(request)
        digest = key_of(body)
        key = request.headers.get("Idempotency-Key") or digest
        if not KEY.fullmatch(key):
            raise Invalid.in_field("Idempotency-Key", "malformed", _("The key of a block is malformed."))
        return Response(msgspec.to_builtins(take(peer=self.peer, block=read_block(body), key=key, digest=digest)))


def cursor_of(peer: ExchangePeer, number: int) -> str:
    """A cursor that only we can make and only this peer can use."""
    return signing.dumps([peer.pk, number], salt=SALT)


def number_of(peer: ExchangePeer, cursor: object) -> int:
    """The number behind a cursor; 0 stands for the beginning. Raises Invalid."""
    if cursor in ("", "0", 0):
        return 0
    try:
        owner, number = signing.loads(str(cursor), salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        owner, number = None, 0
    if owner != peer.pk:
        raise Invalid.in_field("after", "invalid_cursor", _("This cursor is none of ours. Begin again at 0."))
    return int(number)


def _body(request: Request) -> bytes:
    """The bytes as they came, so that a key can be made of them. Raises UnsupportedMediaType for what is no JSON."""
    if request.content_type.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType(request.content_type)
    body: bytes = request.body
    return body


def _object(request: Request) -> dict[str, Any]:
    try:
        said = msgspec.json.decode(_body(request))
    except msgspec.DecodeError as error:
        raise Invalid.in_field("", "malformed", _("The body is no JSON object.")) from error
    if not isinstance(said, dict):
        raise Invalid.in_field("", "malformed", _("The body is no JSON object."))
    return said


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63
