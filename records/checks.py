"""What must be right about the settings of a real installation before it starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags

from records.realname import adapter, register_asked, two_elements_only


def register_of_real_names(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """A register that only compares name and number opens files to strangers; whoever wants that says so."""
    if settings.DEMONSTRATION or settings.ALLOW_TWO_ELEMENT_REGISTER or not register_asked():
        return []
    if not two_elements_only(adapter()):
        return []
    hint = (
        "Use an adapter that compares more and declares it in `compares`, or name none: accounts are then bound by an"
        " identity platform or at the window. CREDIT_ALLOW_TWO_ELEMENT_REGISTER=true takes the risk knowingly."
    )
    words = "CREDIT_REAL_NAME_ADAPTER compares name and number alone: whoever knows both reads the person's file."
    return [Error(words, hint=hint, id="records.E001")]


TAG = Tags.security
