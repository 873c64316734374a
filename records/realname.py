"""Whether a name and a document number belong together: asked of an adapter, never stored here."""

import hmac
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from creditplatform.core.demonstration import NotADemonstration
from creditplatform.core.errors import Invalid
from creditplatform.core.identity import IdentifierKind
from records.identifiers import identifier, name_index
from records.models import DemonstrationIdentity

NOBODY = bytes(16)
TWO_ELEMENTS = frozenset({"name", "number"})


class RealNameAdapter(Protocol):
    """A register that confirms or denies, and tells nothing else.

    `compares` names what it holds together. One that compares name and number alone confirms whoever knows both, so a
    real installation that uses it says so in its settings (see `records.checks`); an adapter that declares nothing is
    taken for one of these.
    """

    name: str
    compares: frozenset[str]

    def verify(self, *, name: str, kind: IdentifierKind, number: str) -> bool:
        """Whether this person has this number. Neither value may be kept or logged."""
        ...


class DemonstrationRegister:
    """The embedded register of fictitious persons: compares blind indexes in constant time.

    Raises NotADemonstration where the demonstration is switched off, so that a real installation
    that forgot to name its adapter binds nobody.
    """

    name = "demonstration register"
    compares = TWO_ELEMENTS

    def verify(self, *, name: str, kind: IdentifierKind, number: str) -> bool:
        """Whether the demonstration register holds this number under this name; one query."""
        if not settings.DEMONSTRATION:
            raise NotADemonstration
        known = DemonstrationIdentity.objects.filter(number_index=identifier(kind, number).blind_index).first()
        on_file = known.name_index if known else None
        return hmac.compare_digest(on_file or NOBODY, name_index(name))


def adapter() -> RealNameAdapter:
    """The adapter that the setting REAL_NAME_ADAPTER names."""
    register: RealNameAdapter = import_string(settings.REAL_NAME_ADAPTER)()
    return register


def register_asked() -> bool:
    """Whether there is a register to ask: a real installation that names none binds by platform or window alone."""
    return settings.DEMONSTRATION or not isinstance(adapter(), DemonstrationRegister)


def two_elements_only(register: RealNameAdapter) -> bool:
    """Whether the register confirms whoever knows name and number."""
    return getattr(register, "compares", TWO_ELEMENTS) <= TWO_ELEMENTS


class RealName(NamedTuple):
    """A name and a number as somebody who has seen the papers says them; `kind` is not checked yet."""

    name: str
    kind: str
    number: str


class ClaimsReader(Protocol):
    """Reads who somebody is out of what an identity platform answered; one per dialect of platforms."""

    def read(self, platform: str, claims: Mapping[str, Any]) -> RealName:
        """The person. Raises NotVerified; never keeps or logs a value."""
        ...


class NotVerified(Invalid):
    """The identity platform does not say, in a form that can be read, that it has checked name and number."""

    default_code = "not_verified"
    default_message = _(
        "The identity platform does not confirm your name and document number. Complete the real-name verification"
        " there first, or come to the counter of the credit centre with your document."
    )


class ConfiguredClaims:
    """Claims under the names that the settings of the platform give."""

    def read(self, platform: str, claims: Mapping[str, Any]) -> RealName:
        """The person the claims name. Raises NotVerified where one is absent, of the wrong form, or not positive."""
        names = settings.IDENTITY_PLATFORMS[platform].claims
        verified = _text(claims, names.verified).lower()
        kind = names.kinds.get(_text(claims, names.kind) if names.kind else "", "")
        found = RealName(_text(claims, names.name).strip(), kind, _text(claims, names.number).strip())
        if verified not in {value.lower() for value in names.accepted} or not all(found):
            raise NotVerified
        return found


def _text(claims: Mapping[str, Any], path: str) -> str:
    """A claim as text, empty where it is none; `a.b` is the claim b within the claim a."""
    value: Any = claims
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return str(value) if isinstance(value, str | int | bool) else ""


def claims_reader(platform: str) -> ClaimsReader:
    """The reader that the settings of a platform name."""
    reader: ClaimsReader = import_string(settings.IDENTITY_PLATFORMS[platform].reader)()
    return reader
