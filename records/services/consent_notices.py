"""Letters about consent: that a unit asks, that somebody answered for the person, that it was used; about links.

They go to the index of the number, so that somebody without an account finds them when binding one. None holds a name
or what is on file.
"""

from collections.abc import Iterable

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from creditplatform.core.models import Notice
from creditplatform.core.notices import write_notice, write_notices
from creditplatform.core.wording import in_both
from records.models import Authorisation, ShareLink, Subject

FIRST_USE = "authorisation_used"
ABOUT_AUTHORISATION, ABOUT_SHARE = "authorisation:", "share:"
ASKED = _(
    "%(agency)s asks for your consent to look at credit information about you, for this purpose: %(purpose)s. You may"
    " allow it, allow part of it or refuse until %(day)s. If you do not answer, nothing is shown."
)
USED = _("%(agency)s has used your consent for the first time (%(purpose)s). You can withdraw it at any time.")
ANSWERED_FOR = {
    "grant": _(
        "Somebody who represents you has allowed %(agency)s to look at credit information about you (%(purpose)s). You"
        " can see what was allowed and withdraw it at any time."
    ),
    "refuse": _(
        "Somebody who represents you has refused the request of %(agency)s (%(purpose)s). Nothing is shown. If you want"
        " it otherwise, the unit can ask again later."
    ),
    "revoke": _(
        "Somebody who represents you has withdrawn the consent for %(agency)s (%(purpose)s). From now on it opens"
        " nothing."
    ),
}
OPENED = _("The link by which you show part of your file was opened on %(time)s. It cannot be opened again.")

CLOSED = _(
    "The link by which you show part of your file was closed on %(time)s, since a wrong code was entered %(count)s"
    " times. It shows nothing any more. If it is still needed, make a new one."
)


def tell_asked(case: Authorisation) -> Notice | None:
    """Tell the person that a unit asks; not somebody on file under another name, since it is not them that is meant."""
    if Subject.objects.by_number(case.number_index).exclude(name_index=case.name_index).exists():
        return None
    return _tell(case, "authorisation_asked", ASKED)


def tell_answered_for(case: Authorisation, step: str) -> Notice:
    """Tell the person that a representative has answered for them: allowed, refused or withdrawn."""
    return _tell(case, f"authorisation_{step}_for", ANSWERED_FOR[step])


def tell_used(case: Authorisation) -> Notice:
    """Tell the person that the unit has looked for the first time; every further look stands in the list of looks."""
    return _tell(case, FIRST_USE, USED)


def tell_first_uses(keys: Iterable[int]) -> None:
    """The same for many consents used at once; those used before are passed over. One query and one statement."""
    first = Authorisation.objects.filter(pk__in=list(keys), uses=1).select_related("agency", "purpose")
    messages = [
        (bytes(case.number_index), f"{ABOUT_AUTHORISATION}{case.number}", *_texts(case, USED)) for case in first
    ]
    write_notices(code=FIRST_USE, messages=messages)


def tell_opened(link: ShareLink) -> Notice:
    """Tell the person that whoever had link and code has seen the chosen parts."""
    return _tell_of_link(link, "share_link_opened", OPENED, time=f"{timezone.localtime(link.opened_at):%Y-%m-%d %H:%M}")


def tell_closed(link: ShareLink) -> Notice:
    """Tell the person that wrong codes have closed the link: somebody guessed, or the code was passed on wrongly."""
    time = f"{timezone.localtime():%Y-%m-%d %H:%M}"
    return _tell_of_link(link, "share_link_closed", CLOSED, time=time, count=link.wrong_codes)


def _tell_of_link(link: ShareLink, code: str, words: Promise, **said: object) -> Notice:
    text, text_en = in_both(lambda: str(words) % said)
    return write_notice(
        addressee=bytes(link.subject.number_index), code=code, text=text, text_en=text_en,
        about=f"{ABOUT_SHARE}{link.token}",
    )  # fmt: skip


def _tell(case: Authorisation, code: str, words: Promise) -> Notice:
    text, text_en = _texts(case, words)
    about = f"{ABOUT_AUTHORISATION}{case.number}"
    return write_notice(addressee=bytes(case.number_index), code=code, text=text, text_en=text_en, about=about)


def _texts(case: Authorisation, words: Promise) -> tuple[str, str]:
    day = timezone.localdate(case.answer_until).isoformat()
    return in_both(lambda: str(words) % {"agency": case.agency.label, "purpose": case.purpose.label, "day": day})
