"""Codes of authorised queries, consent, representation and reports, each with its translated label."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class UseArea(models.TextChoices):
    """Where personal credit information is used (H2.2, H2.3, H3.1, G12, G13)."""

    ADMINISTRATION = "administration", _("administration")
    SERVICE = "service", _("services and rewards")
    INCENTIVE = "incentive", _("facilitation for good records")
    MARKET = "market", _("contracts and employment")


class PurposeState(models.TextChoices):
    """Life of a purpose of use."""

    DRAFT = "draft", _("draft, to confirm")
    IN_FORCE = "in_force", _("in force")
    RETIRED = "retired", _("retired")


class AuthorisationState(models.TextChoices):
    """Life of a consent: asked for, answered by the person, used, ended."""

    REQUESTED = "requested", _("waiting for your answer")
    GRANTED = "granted", _("granted")
    REFUSED = "refused", _("refused")
    USED = "used", _("used up")
    EXPIRED = "expired", _("expired")
    REVOKED = "revoked", _("withdrawn")
    RECALLED = "recalled", _("taken back by the unit")


class QueryKind(models.TextChoices):
    """What is asked: the records a purpose opens, or only whether the record is clean."""

    RECORDS = "records", _("records")
    ELIGIBILITY = "eligibility", _("clean record, yes or no")


class QueryState(models.TextChoices):
    """Life of a query by staff."""

    SUBMITTED = "submitted", _("waiting for approval")
    APPROVED = "approved", _("approved")
    REFUSED = "refused", _("refused")
    ANSWERED = "answered", _("answered")
    CLOSED = "closed", _("closed")


class BatchCheckState(models.TextChoices):
    """Life of a check of many persons at once."""

    SUBMITTED = "submitted", _("waiting for approval")
    CHECKING = "checking", _("being checked")
    DONE = "done", _("checked")
    REFUSED = "refused", _("refused")
    CLEARED = "cleared", _("results removed")


class Outcome(models.TextChoices):
    """Answer of an automatic check; never a score."""

    YES = "yes", _("yes")
    NO = "no", _("no")
    PERSON = "person", _("needs a person's decision")


class NotChecked(models.TextChoices):
    """Why a row of a batch got no answer, or shows it no more. None of these says whether the person is on file."""

    NUMBER = "number_invalid", _("this is no valid number")
    KIND = "kind_unknown", _("this kind of document is not known")
    NAME = "name_missing", _("the name is missing")
    TWICE = "twice", _("the same person stands in an earlier row")
    CONSENT = "not_authorised", _("no valid authorisation by the person")
    CONSENT_ENDED = "consent_ended", _("consent withdrawn or ended")
    OUTDATED = "answer_outdated", _("records have changed since; ask anew")


class ReviewCause(models.TextChoices):
    """Why an access is looked at by a second person (H4.1, G8)."""

    SAMPLE = "sample", _("drawn by sample")
    VOLUME = "volume", _("unusual number of queries")
    NIGHT = "night", _("outside working hours")
    OWN = "own_file", _("own file, through the door of the staff")
    RELATIVE = "relative", _("own relatives")
    COLLEAGUE = "colleague", _("own colleagues")
    NO_CASE = "no_case", _("no matching case")
    UNCOVERED = "uncovered", _("a list mostly of persons who had allowed nothing")
    COMPLAINT = "complaint", _("the person says it was not right")


class ReviewState(models.TextChoices):
    """Life of the review of an access."""

    OPEN = "open", _("waiting for review")
    ASKED = "asked", _("explanation asked for")
    EXPLAINED = "explained", _("explained")
    RIGHT = "right", _("found right")
    WRONG = "wrong", _("found wrong")


class RepresentationKind(models.TextChoices):
    """By what right one person acts for another."""

    GUARDIAN = "guardian", _("guardian")
    ATTORNEY = "attorney", _("representative with a power of attorney")
    HEIR = "heir", _("near relative of a deceased person")


class RepresentationScope(models.TextChoices):
    """What a representative may do."""

    FILE = "file", _("see the file and who looked")
    REPORT = "report", _("get reports")
    CONSENT = "consent", _("answer requests for authorisation")
    CASES = "cases", _("object, repair and complain")


class RepresentationState(models.TextChoices):
    """Life of a representation."""

    REQUESTED = "requested", _("papers being checked")
    CHECKED = "checked", _("papers checked, waits for a second official")
    CONFIRMED = "confirmed", _("confirmed by the credit centre")
    CONTESTED = "contested", _("contested, rests until an official decides")
    REFUSED = "refused", _("refused")
    ENDED = "ended", _("ended")


# In which a representation stands or may have stood.
HAVE_STOOD = (RepresentationState.CONFIRMED, RepresentationState.CONTESTED, RepresentationState.ENDED)


class CreditReportKind(models.TextChoices):
    """Which report: everything, or what stands in place of a certificate."""

    FULL = "full", _("full report")
    SPECIAL = "special", _("special report in place of a certificate")


class CreditReportState(models.TextChoices):
    """Life of an issued report."""

    ISSUED = "issued", _("issued")
    REVOKED = "revoked", _("revoked")


class HumanReviewState(models.TextChoices):
    """Life of an automatic result that was sent to a person."""

    REQUESTED = "requested", _("waiting for a person")
    DECIDED = "decided", _("decided by a person")
    ENDED = "ended", _("ended without a decision, since the consent has ended")


class Reason(models.TextChoices):
    """What an automatic answer rests on. A clean record reads alike whether or not anybody is on file."""

    CLEAN = "clean", _("no unfavourable record counts")
    RECORDS = "records", _("unfavourable records within the period")
    DISPUTED = "disputed", _("a record is disputed and being checked")
    PUBLICATION_ENDED = "publication_ended", _("a record within the period is no longer published")
    NAME_DIFFERS = "name_differs", _("name and number do not fit together")
