"""Whether a name and a document number belong together: asked of an adapter, never stored here."""

import hmac
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from creditplatform.core.demonstration import NotADemonstration
from creditplatform.core.identity import IdentifierKind
from records.identifiers import identifier, name_index
from records.models import DemonstrationIdentity

NOBODY = bytes(16)


class RealNameAdapter(Protocol):
    """A register that confirms or denies, and tells nothing else."""

    name: str

    def verify(self, *, name: str, kind: IdentifierKind, number: str) -> bool:
        """Whether this person has this number. Neither value may be kept or logged."""
        ...


class DemonstrationRegister:
    """The embedded register of fictitious persons: compares blind indexes in constant time.

    Raises NotADemonstration where the demonstration is switched off, so that a real installation
    that forgot to name its adapter binds nobody.
    """

    name = "demonstration register"

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
