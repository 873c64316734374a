"""Calls to a peer's interface: a token by client credentials, then blocks; TLS is verified, redirects are refused."""

import base64
import http.client
import socket
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import msgspec
from django.conf import settings

from creditplatform.core.enums import Scope
from records.exchange.wire import Answer, read_answer
from records.models import ExchangePeer

TIMEOUT_SECONDS = 20  # of silence
CALL_SECONDS = 90  # from the first byte to the last
SERVER_ERRORS = 500
LARGEST_ANSWER = 4 * 1024 * 1024
RENEWED_BEFORE = 30


class PeerFailed(Exception):
    """A peer could not be reached or did not answer as agreed; `code` is stable and names no content.

    `perhaps_taken`: what was sent may have reached it all the same.
    """

    def __init__(self, code: str, *, perhaps_taken: bool = False) -> None:
        super().__init__(code)
        self.code, self.perhaps_taken = code, perhaps_taken


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise PeerFailed("redirected")


@dataclass
class PeerClient:
    """One peer's interface; the token is kept for as long as it lives."""

    peer: ExchangePeer
    _token: str = ""
    _until: float = 0.0
    _opener: urllib.request.OpenerDirector = field(init=False)

    def __post_init__(self) -> None:
        verified = urllib.request.HTTPSHandler(context=ssl.create_default_context())
        self._opener = urllib.request.build_opener(_NoRedirect, verified, urllib.request.ProxyHandler({}))

    def connect(self) -> None:
        """See that the peer is there and lets us in, before anything is told. Raises PeerFailed."""
        self._valid_token()

    def hand_in(self, body: bytes, key: str) -> Answer:
        """Hand in a block. Raises PeerFailed."""
        try:
            return self._hand_in(body, key)
        except PeerFailed as failure:
            if failure.code != "http_401":
                raise
        self._token = ""  # it was taken back before its time
        return self._hand_in(body, key)

    def _hand_in(self, body: bytes, key: str) -> Answer:
        headers = {
            "Authorization": f"Bearer {self._valid_token()}", "Content-Type": "application/json",
            "Idempotency-Key": key,
        }  # fmt: skip
        try:
            return read_answer(self._call("exchange/inbox/", body, headers))
        except msgspec.DecodeError as error:
            raise PeerFailed("answer_not_understood", perhaps_taken=True) from error

    def _valid_token(self) -> str:
        if not self._token or time.monotonic() > self._until:
            words = f"{urllib.parse.quote(self.peer.push_client_id)}:{urllib.parse.quote(self.peer.push_secret or '')}"
            headers = {
                "Authorization": f"Basic {base64.b64encode(words.encode()).decode()}",
                "Content-Type": "application/x-www-form-urlencoded",
            }
            asked = {"grant_type": "client_credentials", "scope": Scope.EXCHANGE_WRITE.value}
            found = self._call("token/", urllib.parse.urlencode(asked).encode(), headers)
            try:
                answer = msgspec.json.decode(found)
                self._token = str(answer["access_token"])
                self._until = time.monotonic() + max(0, int(answer["expires_in"]) - RENEWED_BEFORE)
            except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
                raise PeerFailed("no_token") from error
        return self._token

    def _call(self, path: str, body: bytes, headers: dict[str, str]) -> bytes:
        address = self.peer.push_url + path
        if not address.startswith("https://") and (settings.PRODUCTION or not address.startswith("http://")):
            raise PeerFailed("address_without_tls")
        request = urllib.request.Request(address, data=body, headers=headers, method="POST")  # noqa: S310
        return _within(CALL_SECONDS, lambda: self._answer(request))

    def _answer(self, request: urllib.request.Request) -> bytes:
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                found: bytes = answer.read(LARGEST_ANSWER)
                return found
        except urllib.error.HTTPError as error:
            error.close()
            raise PeerFailed(f"http_{error.code}", perhaps_taken=error.code >= SERVER_ERRORS) from error
        except ssl.SSLError as error:
            raise PeerFailed("tls") from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None)
            if isinstance(reason, ssl.SSLError):
                raise PeerFailed("tls") from error
            away = isinstance(reason, ConnectionRefusedError | socket.gaierror)
            raise PeerFailed("unreachable", perhaps_taken=not away) from error


def _within(seconds: float, act: Callable[[], bytes]) -> bytes:
    """What a call comes to; a peer that sends a byte now and then would hold it for ever, so it is left to itself."""
    outcome: list[bytes | Exception] = []

    def run() -> None:
        try:
            outcome.append(act())
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise PeerFailed("too_slow", perhaps_taken=True)
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]
