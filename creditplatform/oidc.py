"""Sign-in by a unified identity platform (OpenID Connect): its word on who somebody is binds the account.

What the platform answers is read once, in memory. Neither claims nor tokens are stored or logged, and even the
platform's own number of the person is kept as a keyed digest only, since some platforms use the document number.
"""

import hmac
import secrets
from collections.abc import Mapping
from typing import Any

import jwt
import structlog
from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.base.provider import ProviderException
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from requests import RequestException

from creditplatform.core import audit, vault
from creditplatform.core.enums import Door
from creditplatform.core.errors import CreditError
from creditplatform.core.models import User
from creditplatform.core.permissions import anyone, rule
from records import realname
from records.services.realname import bind_verified

# Signatures with a pair of keys only: none that whoever knows our secret could make.
SIGNATURES = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
CLOCKS_APART = 30  # seconds
SIGN_IN = "sign in by identity platform"
UID_FIELD = "socialaccount.SocialAccount.uid"
NOT_ANSWERED = _(
    "The identity platform did not answer as it should. Nothing has been changed; please try again in a while, or"
    " sign in with your user name."
)
NOT_OURS = _(
    "This sign-in was not begun in this browser, has been used already, or took too long. Please begin again on the"
    " sign-in page."
)
CANCELLED = _("You have left the identity platform without signing in.")
INACTIVE = _("This account is closed. Please turn to the counter of the credit centre.")
log = structlog.get_logger("creditplatform.oidc")


class PlatformAnswer(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """Takes the platform's answer only with a token of identity that it signed for us, and that has not ended."""

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        """The sign-in. Raises ProviderException for a token that is missing or does not hold."""
        signed = kwargs["response"].get("id_token")
        if not isinstance(signed, str):
            raise ProviderException("token_missing")
        said = {"id_token": self._checked(app, signed), "userinfo": self._fetch_user_info(token.token)}
        return self.get_provider().sociallogin_from_response(request, said)

    def _checked(self, app: SocialApp, signed: str) -> dict[str, Any]:
        """What the token says, after its signature, issuer, audience and end were looked at."""
        issuer = self.openid_config["issuer"]
        if issuer.rstrip("/") != app.settings["server_url"]:
            raise ProviderException("issuer_differs")
        try:
            _named, key = jwtkit.fetch_key(signed, self.openid_config["jwks_uri"], jwtkit.lookup_kid_jwk)
            claims: dict[str, Any] = jwt.decode(
                signed, key, algorithms=SIGNATURES, issuer=issuer, audience=app.client_id, leeway=CLOCKS_APART,
                options={"require": ["iss", "aud", "exp", "iat", "sub"]},
            )  # fmt: skip
        except jwt.PyJWTError as error:
            raise ProviderException("token_invalid") from error
        if claims.get("azp", app.client_id) != app.client_id:
            raise ProviderException("token_of_another_client")
        return claims


class PlatformProvider(OpenIDConnectProvider):  # type: ignore[misc]
    """The library's provider, keeping nothing of what it is told."""

    oauth2_adapter_class = PlatformAnswer

    def redirect(self, request: HttpRequest, process: str, **kwargs: Any) -> HttpResponse:
        """To the platform, with a number used once (nonce) that its token of identity has to bring back."""
        nonce = secrets.token_urlsafe(24)
        words = {**self.get_auth_params(), "nonce": nonce}
        response: HttpResponse = super().redirect(request, process, auth_params=words, nonce=nonce, **kwargs)
        return response

    def sociallogin_from_response(self, request: HttpRequest, response: Mapping[str, Any]) -> SocialLogin:
        """The sign-in, with the claims beside it for the length of this request."""
        login = super().sociallogin_from_response(request, response)
        login.nonce = response["id_token"].get("nonce")
        login.claims = {**response["id_token"], **response["userinfo"]}
        return login

    def extract_uid(self, data: Mapping[str, Any]) -> str:
        """Who it is at the platform, as a keyed digest. Raises ProviderException where its two answers differ."""
        answers = [answer for name in ("id_token", "userinfo") if (answer := data.get(name)) is not None]
        named = {answer.get("sub") for answer in answers if isinstance(answer, Mapping)}
        if len(named) != 1 or not all(isinstance(sub, str) and sub for sub in named):
            raise ProviderException("subject_differs")
        return vault.blind_index(f"{self.sub_id}|{named.pop()}", UID_FIELD).hex()

    def extract_extra_data(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing."""
        return {}

    def extract_common_fields(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing."""
        return {}

    def extract_email_addresses(self, data: Mapping[str, Any]) -> list[Any]:
        """None."""
        return []


class PlatformAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Lets in whom the platform has verified, each on the one account of that person."""

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: Mapping[str, Any]) -> User:
        """A new account bears a name drawn by lot, since the platform's names may tell who somebody is."""
        user: User = sociallogin.user
        user.username = f"id-{secrets.token_hex(5)}"
        return user

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Nothing more is asked of a verified person."""
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Bind the account that is known, or the one signed in; a new one is bound when it is made.

        Raises ProviderException for an answer to a question that another browser, or this one earlier, has asked.
        """
        if not hmac.compare_digest(str(sociallogin.nonce), sociallogin.state["nonce"]):
            raise ProviderException("nonce_differs")
        user: Any = sociallogin.user if sociallogin.is_existing else request.user
        if not user.is_authenticated:
            return
        if not user.is_active:
            raise ImmediateHttpResponse(refused(request, INACTIVE))
        with _sentences(request), audit.context(actor=user, door=Door.WEB, reason=SIGN_IN):
            _bind(user, sociallogin)
            if not sociallogin.is_existing:
                sociallogin.connect(request, user)

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: object = None) -> User:
        """Make the account and bind it, both or neither."""
        with _sentences(request), audit.context(actor=None, door=Door.WEB, reason=SIGN_IN):
            user: User = super().save_user(request, sociallogin, form)
            _bind(user, sociallogin)
        return user

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        """Say it in words; of the error only its kind goes into the log."""
        log.warning("sign_in_refused", platform=provider.app.provider_id, kind=type(exception).__name__, error=error)
        sentence = CANCELLED if error == "cancelled" else NOT_ANSWERED if exception else NOT_OURS
        raise ImmediateHttpResponse(refused(request, sentence))


class _sentences:  # noqa: N801 - reads as a word of the `with` statement
    """Turns a refusal inside into the page that says why, after everything inside has been undone."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, CreditError):
            log.info("sign_in_refused", code=error.code)
            raise ImmediateHttpResponse(refused(self.request, error.message)) from None


def _bind(user: User, sociallogin: SocialLogin) -> None:
    code = sociallogin.account.provider
    person = realname.claims_reader(code).read(code, sociallogin.claims)
    bind_verified(user=user, person=person, adapter=f"oidc:{code}")


def refused(request: HttpRequest, sentence: object) -> HttpResponse:
    """The page of a sign-in that did not come about (HTTP 403)."""
    context = {"sentence": sentence}
    return render(request, "socialaccount/authentication_error.html", context, status=403)


@rule(anyone)
@require_POST
@never_cache
def start(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Begin: a page that leads to the platform, since a form may not lead a browser to another site here."""
    try:
        provider = get_adapter(request).get_provider(request, provider=provider_id)
        onward = provider.redirect(request, AuthProcess.LOGIN, next_url=get_next_redirect_url(request))
    except SocialApp.DoesNotExist as error:
        raise Http404 from error
    except (RequestException, KeyError, ValueError) as error:
        log.warning("platform_unreachable", platform=provider_id, kind=type(error).__name__)
        return refused(request, NOT_ANSWERED)
    except ImmediateHttpResponse as answer:
        return answer.response  # type: ignore[no-any-return]
    response = render(request, "socialaccount/onward.html", {"address": onward["Location"]})
    response["Refresh"] = f"0; url={onward['Location']}"
    return response


@rule(anyone)
@require_GET
@never_cache
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Come back with the platform's answer."""
    try:
        view = OAuth2CallbackView.adapter_view(PlatformAnswer(request, provider_id))
        return view(request)  # type: ignore[no-any-return]
    except SocialApp.DoesNotExist as error:
        raise Http404 from error
    except (KeyError, TypeError, ValueError) as error:
        log.warning("platform_answer_unreadable", platform=provider_id, kind=type(error).__name__)
        return refused(request, NOT_ANSWERED)
