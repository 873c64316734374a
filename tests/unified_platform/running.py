"""Starts the identity platform of the tests: a real OpenID Connect provider beside the platform."""

import contextlib
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth.hashers import make_password

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD, CLIENT, SECRET = "of-the-province-1", "credit", "secret-of-the-client"
USER = (
    "INSERT INTO auth_user (username, password, is_active, is_staff, is_superuser, first_name, last_name, email,"
    " date_joined) VALUES (?, ?, 1, 0, 0, '', '', '', '2026-01-01')"
)
CLIENT_ROW = (
    "INSERT INTO allauth_idp_oidc_client (id, name, secret, scopes, default_scopes, type, grant_types, redirect_uris,"
    " cors_origins, allow_uri_wildcards, response_types, skip_consent, created_at) VALUES"
    " (?, 'Credit', ?, 'openid\nprofile', 'openid', 'confidential', 'authorization_code', ?, '', 0, 'code', 1,"
    " '2026-01-01')"
)


class UnifiedPlatform:
    """Starts, stops and is told whom it knows; `claims` may be changed while it runs."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (self.place / "key.pem").write_bytes(pem)
        self._run("django", "migrate", "--verbosity", "0")
        words = ["gunicorn", "django.core.wsgi:get_wsgi_application()", "--bind", f"127.0.0.1:{self.port}"]
        words += ["--workers", "1", "--worker-class", "gthread", "--threads", "2", "--no-control-socket"]
        with (self.place / "web.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *words], cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"{self.address}/.well-known/openid-configuration", timeout=5).ok:
                    return
            time.sleep(0.1)
        raise AssertionError((self.place / "web.log").read_text()[-2000:])

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()

    def allow(self, *callbacks: str) -> None:
        """The client and where it may be answered."""
        secret = make_password(SECRET)
        with self._database() as line:
            line.execute("DELETE FROM allauth_idp_oidc_client")
            line.execute(CLIENT_ROW, (CLIENT, secret, "\n".join(callbacks)))

    def know(self, username: str, **claims: Any) -> None:
        """A person with an account there, and what it says about them."""
        with self._database() as line:
            if not line.execute("SELECT 1 FROM auth_user WHERE username = ?", (username,)).fetchone():
                line.execute(USER, (username, make_password(PASSWORD)))
        place = self.place / "claims.json"
        known = json.loads(place.read_text()) if place.exists() else {}
        place.write_text(json.dumps(known | {username: claims}))

    def tokens(self) -> int:
        """How many tokens it has given out."""
        with self._database() as line:
            return int(line.execute("SELECT count(*) FROM allauth_idp_oidc_token WHERE type = 'at'").fetchone()[0])

    def sign_in(self, address: str, username: str, callback: str) -> str:
        """Go where the browser is sent, sign in there, and give the address it is sent back to."""
        browser, data = requests.Session(), None
        for _step in range(8):
            answer = browser.request("POST" if data else "GET", address, data=data, allow_redirects=False, timeout=10)
            data = None
            if answer.is_redirect:
                address = urljoin(address, answer.headers["Location"])
                if address.startswith(callback):
                    return address
                continue
            found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', answer.text)
            assert found, answer.text[:2000]
            data = {"csrfmiddlewaretoken": found[1], "login": username, "password": PASSWORD}
        raise AssertionError("no way back from the identity platform")

    @contextlib.contextmanager
    def _database(self) -> Any:
        line = sqlite3.connect(self.place / "platform.sqlite3", timeout=10)
        try:
            with line:
                yield line
        finally:
            line.close()

    def _run(self, *words: str) -> None:
        subprocess.run([sys.executable, "-m", *words], cwd=ROOT, env=self._environment, check=True)

    @property
    def _environment(self) -> dict[str, str]:
        own = {"DJANGO_SETTINGS_MODULE": "tests.unified_platform.settings", "PLATFORM_PLACE": str(self.place)}
        return {**os.environ, **own}
