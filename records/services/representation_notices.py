"""Letters about representations, to the person represented and to whoever acts for them; without names and reasons."""

from django.utils.translation import gettext_lazy as _

from creditplatform.core.notices import write_notice
from creditplatform.core.wording import in_both
from records.enums import RepresentationKind
from records.models import Representation, Subject
from records.models.representation import REPRESENTATION_KIND

HEIR = f"confirm_{RepresentationKind.HEIR.value}"
GUARDIAN = f"confirm_{RepresentationKind.GUARDIAN.value}"
TEXTS = {
    "confirm": _(
        "The credit centre has checked papers and confirmed that somebody may act for you. Who, in what and until when"
        " stands under “Representation”; a power of attorney can be ended there at any time."
    ),
    GUARDIAN: _(
        "Two officials of the credit centre have checked papers and confirmed that somebody is your guardian here. Who,"
        " in what and until when stands under “Representation”. If it is not right, say so there: it rests at once, and"
        " another official decides."
    ),
    HEIR: _(
        "Two officials of the credit centre have checked papers by which you have died, and near relatives may see your"
        " file. Consents, links and powers of attorney have ended. If you read this yourself, end it at once under"
        " “Representation” and tell the credit centre."
    ),
    "confirmed": _(
        "Your request to act for another person was confirmed; the file is opened under “Representation”."
    ),
    "refuse": _("Your request to act for another person was not confirmed; the reason stands under “Representation”."),
    "end": _("A representation has ended; from now on the representative sees nothing."),
    "contest": _(
        "The person represented says that a guardianship is not right. Nothing can be seen or done by it until an"
        " official who had no part in it has decided. It stands under “Representation”."
    ),
    "uphold": _(
        "An official who had no part in it has decided that a guardianship stands. The reason stands under"
        " “Representation”."
    ),
    "overturn": _(
        "An official who had no part in it has decided that a guardianship ends; from now on the guardian sees nothing."
        " The reason stands under “Representation”."
    ),
}  # fmt: skip


def tell_confirmed(case: Representation) -> None:
    """Tell the person who may act for them and what they can do about it, and the representative that they may."""
    if case.person is not None:
        words = f"confirm_{case.kind}"
        _write(case.person, "confirm", case, words if words in TEXTS else "confirm")
    _write(case.representative, "confirmed", case)


def tell_refused(case: Representation) -> None:
    """Tell the representative alone."""
    _write(case.representative, "refuse", case)


def tell_both(case: Representation, step: str) -> None:
    """Tell both of a step after it was confirmed: ended, contested, decided."""
    for person in (case.person, case.representative):
        if person is not None:
            _write(person, step, case)


def _write(addressee: Subject, code: str, case: Representation, words: str = "") -> None:
    text, text_en = in_both(lambda: str(TEXTS[words or code]))
    write_notice(
        addressee=bytes(addressee.number_index), code=f"representation_{code}", text=text, text_en=text_en,
        about=f"{REPRESENTATION_KIND}:{case.pk}",
    )  # fmt: skip
