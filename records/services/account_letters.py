"""Letters about the account of a person: that one was bound to them, and by what check."""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.models import Notice
from creditplatform.core.notices import write_notice
from creditplatform.core.wording import in_both
from records.models import RealNameBinding

BOUND = _(
    "On %(time)s an account was bound to you. If it was not you who did this, turn to the credit centre at once, by"
    " telephone or at the counter with your document: it takes the account off your file."
)


def tell_bound(binding: RealNameBinding) -> Notice:
    """Tell the person that from now on somebody reads their file by an account."""
    time = f"{timezone.localtime(binding.bound_at):%Y-%m-%d %H:%M}"
    text, text_en = in_both(lambda: str(BOUND) % {"time": time})
    return write_notice(
        addressee=bytes(binding.subject.number_index), code="account_bound", text=text, text_en=text_en,
        about=f"binding:{binding.pk}",
    )  # fmt: skip
