"""Codes of catalogue, records, feeds and exchange, each with its translated label."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SubjectKind(models.TextChoices):
    """Whom a record is about (data attribute of the public-credit catalogues)."""

    PERSON = "person", _("natural person")
    ORGANISATION = "organisation", _("organisation")
    BUSINESS = "individual_business", _("individual business")


class OwnPurpose(models.TextChoices):
    """Purposes of the platform's own looks at personal data; those of others are data of their queries."""

    OWN_FILE = "own file", _("looking at the own file")
    UPKEEP = "upkeep of own records", _("upkeep of the unit's own records")
    PUBLIC_PAGE = "public record page", _("record page that the law makes public")
    EXCHANGE = "exchange with a peer", _("handing on of changes to another system")
    OWN_REPORT = "own report", _("the person's own credit report")
    REPORT_CHECK = "check of a report", _("check of a report by whoever holds it")
    OWN_MEMBERS = "members of the own organisation", _("looking after the members of the own organisation")
    KEY_GROUP = "key group", _("looking up who belongs to a key group")
    REPRESENTATIVE = "file of a represented person", _("look by the person's representative")
    WINDOW = "identity at the window", _("identity checked at the window of the credit centre")
    WINDOW_ACT = "account at the window", _("account opened to the person at the window of the credit centre")
    PREVIEW = "preview of a request", _("looking at what a request would show")
    SHARE_LINK = "share link of the person", _("shown by a link that you gave yourself")


class AffiliationRole(models.TextChoices):
    """How a person belongs to an organisation."""

    LEGAL_REPRESENTATIVE = "legal_representative", _("legal representative")
    RESPONSIBLE_PERSON = "responsible_person", _("directly responsible person")
    MEMBER = "member", _("member")
    STUDENT = "student", _("student")
    VOLUNTEER = "volunteer", _("volunteer")
    PRACTITIONER = "practitioner", _("practitioner")


class InformationClass(models.TextChoices):
    """Class of the national basic catalogue of public credit information."""

    REGISTRATION = "registration", _("registration")
    JUDICIAL = "judicial", _("judgments and enforcement")
    ADMINISTRATIVE = "administrative", _("administrative acts")
    QUALIFICATION = "qualification", _("titles and professional qualifications")
    ABNORMAL = "abnormal", _("abnormal operation lists")
    SERIOUS_LIST = "serious_list", _("lists of serious untrustworthiness")
    CONTRACT = "contract", _("performance of contracts")
    COMMITMENT = "commitment", _("credit commitments")
    EVALUATION = "evaluation", _("results of credit evaluation")
    HONOUR = "honour", _("honours for honesty")
    VOLUNTARY = "voluntary", _("volunteered by the subject")
    INTELLECTUAL_PROPERTY = "intellectual_property", _("intellectual property pledges")
    SOCIAL_INSURANCE = "social_insurance", _("social insurance payment")


class KeyField(models.TextChoices):
    """The 16 key fields of the plans (H1.2, G7)."""

    FOOD_DRUGS = "food_drugs", _("food and drugs")
    WORK_SAFETY = "work_safety", _("work safety")
    FIRE = "fire", _("fire safety")
    TRAFFIC = "traffic", _("traffic safety")
    ENVIRONMENT = "environment", _("environmental protection")
    BIOSAFETY = "biosafety", _("biosafety")
    PRODUCT_QUALITY = "product_quality", _("product quality")
    TAX = "tax", _("tax payment")
    HEALTH_CARE = "health_care", _("medical care")
    LABOUR = "labour", _("labour protection")
    ENGINEERING = "engineering", _("construction engineering")
    FINANCE = "finance", _("financial services")
    INTELLECTUAL_PROPERTY = "intellectual_property", _("intellectual property")
    JUDICIAL = "judicial", _("judicial proceedings")
    E_COMMERCE = "e_commerce", _("electronic commerce")
    VOLUNTEERING = "volunteering", _("volunteering")


class Openness(models.TextChoices):
    """Who may see: everybody, authorities, or whoever the person authorised."""

    PUBLIC = "public", _("public")
    SHARED = "shared", _("shared among authorities")
    AUTHORISED = "authorised", _("by authorisation of the person")


class Polarity(models.TextChoices):
    """Whether a record speaks against, about or for its subject."""

    NEGATIVE = "negative", _("unfavourable")
    NEUTRAL = "neutral", _("neutral")
    POSITIVE = "positive", _("favourable")


class Edition(models.TextChoices):
    """From which catalogue an entry comes."""

    NATIONAL = "national", _("national catalogue")
    LOCAL = "local", _("local supplement")


class BasisLevel(models.TextChoices):
    """Rank of a legal basis."""

    LAW = "law", _("law")
    ADMINISTRATIVE_REGULATION = "administrative_regulation", _("administrative regulation")
    LOCAL_REGULATION = "local_regulation", _("local regulation")
    JUDICIAL_INTERPRETATION = "judicial_interpretation", _("judicial interpretation")
    CENTRAL_POLICY = "central_policy", _("central policy document")
    DEPARTMENT_RULE = "department_rule", _("department rule")
    PLAN = "plan", _("implementation plan")


class VersionState(models.TextChoices):
    """Life of a version of a catalogue entry.

    `in_force` means published: it holds on the days from `valid_from` to before `valid_until`, which may lie ahead.
    """

    DRAFT = "draft", _("draft, to confirm")
    IN_REVIEW = "in_review", _("in review")
    IN_FORCE = "in_force", _("in force")
    RETIRED = "retired", _("retired")
    WITHDRAWN = "withdrawn", _("withdrawn")


class Tier(models.TextChoices):
    """Weight of an unfavourable record (Order 36 of 2025, in force 2026-04-01)."""

    NONE = "none", _("no tier")
    MINOR = "minor", _("minor")
    GENERAL = "general", _("general")
    SERIOUS = "serious", _("serious")


class RecordState(models.TextChoices):
    """Life of a credit record. That it is disputed is said beside it, since a disputed record stays in force."""

    IN_FORCE = "in_force", _("in force")
    REPAIRED = "repaired", _("repaired")
    REVOKED = "revoked", _("revoked")
    EXPIRED = "expired", _("expired")
    ARCHIVED = "archived", _("archived")


class FieldType(models.TextChoices):
    """What a field of a catalogue entry holds."""

    TEXT = "text", _("text")
    DATE = "date", _("date")
    AMOUNT = "amount", _("amount in 10,000 yuan")
    INTEGER = "integer", _("whole number")
    CHOICE = "choice", _("one of a list")
    EFFECTS = "effects", _("one or more of a list")
    IDENTIFIER_KIND = "identifier_kind", _("kind of document")
    CODE = "code", _("code or number")
    AGENCY = "agency", _("name of a unit")
    AGENCY_CODE = "agency_code", _("credit code of a unit")
    REGION = "region", _("region")
    FLAG = "flag", _("yes or no")


class Required(models.TextChoices):
    """When a field must be filled."""

    ALWAYS = "always", _("always")
    NEVER = "never", _("optional")
    PERSONS = "persons", _("for natural persons")
    ORGANISATIONS = "organisations", _("for organisations")
    BUSINESSES = "businesses", _("for organisations and individual businesses")
    WHEN = "when", _("when another field has a value")


class FieldRole(models.TextChoices):
    """Which part of a record a field feeds; without a role it is content."""

    CONTENT = "", _("content")
    SUBJECT_NAME = "subject_name", _("name of the subject")
    SUBJECT_KIND = "subject_kind", _("kind of the subject")
    CREDIT_CODE = "credit_code", _("unified social credit code")
    ORGANISATION_CODE = "organisation_code", _("organisation code")
    REGISTRATION_NUMBER = "registration_number", _("business registration number")
    TAX_NUMBER = "tax_number", _("tax registration number")
    INSTITUTION_NUMBER = "institution_number", _("public institution certificate number")
    SOCIAL_GROUP_NUMBER = "social_group_number", _("social organisation registration number")
    LEGAL_REPRESENTATIVE = "legal_representative", _("legal representative")
    LEGAL_REPRESENTATIVE_KIND = "legal_representative_kind", _("document kind of the legal representative")
    LEGAL_REPRESENTATIVE_NUMBER = "legal_representative_number", _("document number of the legal representative")
    IDENTITY_KIND = "identity_kind", _("kind of identity document")
    IDENTITY_NUMBER = "identity_number", _("number of identity document")
    DOCUMENT_NUMBER = "document_number", _("number of the decision")
    DECIDED_ON = "decided_on", _("date of the decision")
    VALID_FROM = "valid_from", _("valid from")
    VALID_UNTIL = "valid_until", _("valid until")
    ENDED_ON = "ended_on", _("ended on")
    EFFECTS = "effects", _("effects of the decision")
    AGENCY_NAME = "agency_name", _("deciding unit")
    AGENCY_CODE = "agency_code", _("credit code of the deciding unit")
    SOURCE_NAME = "source_name", _("sending unit")
    SOURCE_CODE = "source_code", _("credit code of the sending unit")
    SOURCE_STATUS = "source_status", _("whether the source still stands by it")
    LICENCE_NUMBER = "licence_number", _("number of the licence")
    BELONGS_TO_NAME = "belongs_to_name", _("organisation the person belongs to")
    BELONGS_TO_CODE = "belongs_to_code", _("credit code of the organisation the person belongs to")


class BatchState(models.TextChoices):
    """Life of a delivered batch."""

    RECEIVED = "received", _("received")
    CHECKING = "checking", _("being checked")
    APPLIED = "applied", _("applied")
    PARTLY_QUARANTINED = "partly_quarantined", _("applied, some rows set aside")
    CORRECTED = "corrected", _("corrected")
    CLOSED = "closed", _("closed")
    REFUSED = "refused", _("file refused")
    MAPPING = "mapping", _("columns to confirm")
    CANCELLED = "cancelled", _("cancelled")


class ColumnFate(models.TextChoices):
    """What becomes of a column of a file."""

    NAME = "name", _("known by its name")
    CONFIRMED = "confirmed", _("confirmed for this feed")
    IGNORED = "ignored", _("not taken in, as confirmed")
    PROPOSED = "proposed", _("a field is proposed")
    UNKNOWN = "unknown", _("unknown")


class RowState(models.TextChoices):
    """What became of a row that was not accepted."""

    OPEN = "open", _("set aside")
    CORRECTED = "corrected", _("corrected")
    DISCARDED = "discarded", _("discarded by the sender")
    REJECTED = "rejected", _("rejected, not kept")


class FeedFormat(models.TextChoices):
    """Form in which a feed comes."""

    ANY = "any", _("any")
    CSV = "csv", _("text table")
    XLSX = "xlsx", _("workbook")
    XLS = "xls", _("legacy workbook")
    XML = "xml", _("XML")
    JSON = "json", _("JSON")


EXCHANGED = "exchange"  # form of a batch that a peer handed in


class Rhythm(models.TextChoices):
    """How often a feed is expected."""

    DAILY = "daily", _("every working day")
    WEEKLY = "weekly", _("weekly")
    MONTHLY = "monthly", _("monthly")
    ONCE = "once", _("once")


class ReportState(models.TextChoices):
    """Life of a unit's monthly report."""

    DRAFT = "draft", _("draft")
    SUBMITTED = "submitted", _("submitted")
    RETURNED = "returned", _("returned with a reason")
    ACCEPTED = "accepted", _("accepted by the centre")


class PeerKind(models.TextChoices):
    """With whom changes are exchanged (G7, G11, H1.3)."""

    PROVINCIAL = "provincial", _("provincial platform")
    CITY = "city", _("platform of a city")
    DEPARTMENT = "department", _("other department")
    FINANCIAL_DATABASE = "financial_database", _("basic financial credit database")
    CREDIT_AGENCY = "credit_agency", _("credit-reporting agency")


class Direction(models.TextChoices):
    """Whether records of an entry are given to a peer or taken from it."""

    GIVEN = "given", _("given to it")
    TAKEN = "taken", _("taken from it")


class ChangeKind(models.TextChoices):
    """What became of a record, as others are told."""

    ADDED = "added", _("added")
    CORRECTED = "corrected", _("corrected")
    WITHDRAWN = "withdrawn", _("withdrawn")


class ChangeCause(models.TextChoices):
    """Why a record was withdrawn, or which mark it got or lost."""

    NONE = "", _("no special cause")
    EXPIRED = "expired", _("publication period ended")
    REPAIRED = "repaired", _("repaired")
    REVOKED = "revoked", _("withdrawn by the unit that decided")
    ARCHIVED = "archived", _("kept no longer")
    WITHHELD = "withheld", _("withheld until the source answers")
    DISPUTED = "disputed", _("marked as disputed")
    UNDISPUTED = "undisputed", _("mark of the dispute removed")


class CrossCheckKind(models.TextChoices):
    """In what two units disagree about a person."""

    NAME = "name", _("name of the person")
    LICENCE = "licence", _("licence of a key group")


class CrossCheckState(models.TextChoices):
    """Life of a cross-check between two units."""

    OPENED = "opened", _("opened")
    ASKED = "asked", _("both units asked")
    ANSWERED = "answered", _("answered")
    RESOLVED = "resolved", _("resolved")
    CLOSED = "closed", _("closed without a contradiction")


class Answer(models.TextChoices):
    """What a unit answers about its own statement."""

    KEEPS = "keeps", _("ours is right")
    CORRECTS = "corrects", _("we correct ours")


class Finding(models.TextChoices):
    """How a difference between two units was cleared up."""

    HOLDER_RIGHT = "holder_right", _("the statement on file was right")
    SENDER_RIGHT = "sender_right", _("the differing statement was right")
    BOTH_RIGHT = "both_right", _("both are right: it changed over time")
    BOTH_CORRECTED = "both_corrected", _("both were corrected")
    NO_DIFFERENCE = "no_difference", _("there was no contradiction")


class MissingState(models.TextChoices):
    """What became of a record that a complete list no longer contains."""

    PROPOSED = "proposed", _("proposed for withdrawal")
    WITHDRAWN = "withdrawn", _("withdrawn")
    KEPT = "kept", _("stays on file")
    RETURNED = "returned", _("is in the list again")


class PriorNoticeState(models.TextChoices):
    """Life of an announcement that an unfavourable record is to come."""

    ANNOUNCED = "announced", _("announced")
    REPLIED = "replied", _("the person has replied")
    FOLLOWED = "followed", _("the record has come")
    WITHDRAWN = "withdrawn", _("not pursued by the unit")
    LAPSED = "lapsed", _("ended without a record")
