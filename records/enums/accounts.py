"""Codes of accounts and windows, each with its translated label."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SeenPapers(models.TextChoices):
    """Which identity papers an official has seen at the window; none of them is copied or kept."""

    RESIDENT_CARD = "resident_card", _("resident identity card")
    TEMPORARY_CARD = "temporary_card", _("temporary resident identity card")
    HOUSEHOLD_REGISTER = "household_register", _("household register, for minors without a card")
    RESIDENCE_PERMIT = "residence_permit", _("residence permit")
    PASSPORT = "passport", _("passport or travel permit")
    MILITARY = "military", _("military identity document")


class WindowAct(models.TextChoices):
    """What an official does for a person at the window."""

    BIND = "bind", _("bind the account to the person")
    MOVE = "move", _("the person lost an older account: end its binding, then bind this account")
    CODE = "code", _("the person forgot the password: issue a recovery code for this account")


class WindowRequestState(models.TextChoices):
    """Where an act stands that one official has entered and another one decides on."""

    REQUESTED = "requested", _("waits for a second official")
    CONFIRMED = "confirmed", _("confirmed and carried out")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn")
    LAPSED = "lapsed", _("ended unconfirmed")


class RepresentationPapers(models.TextChoices):
    """What proves a representation."""

    BIRTH = "birth", _("birth certificate or household register with parent and child")
    COURT = "court", _("court decision or certificate on guardianship")
    ATTORNEY = "attorney", _("power of attorney, signed by the person")
    NOTARY = "notary", _("power of attorney, certified by a notary")
    KINSHIP = "kinship", _("proof of death and proof of kinship, both in one file")


class PublicWordsState(models.TextChoices):
    """Where a person's wish stands that the own words be shown on the public page of a record."""

    WAITING = "waiting", _("being looked over")
    SHOWN = "shown", _("shown publicly")
    REFUSED = "refused", _("not shown publicly")
    WITHDRAWN = "withdrawn", _("ended")


class WordsRefusal(models.TextChoices):
    """Why a person's words are not shown to the public; what they say of the decision is no reason."""

    NAMES_ANOTHER = "names_another", _("the words name another person")
    CONTACT_DATA = "contact_data", _("the words hold contact data")
    INSULTS = "insults", _("the words insult somebody")
    OTHER = "other", _("another reason")
