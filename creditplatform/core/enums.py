"""Codes of the core, each with its translated label."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class RegionLevel(models.TextChoices):
    """Level in the division tree (GB/T 2260), plus local extensions that bear no national code."""

    PROVINCE = "province", _("province")
    CITY = "city", _("prefecture")
    COUNTY = "county", _("county or district")
    LOCAL = "local", _("local extension")


class AgencyKind(models.TextChoices):
    """What sort of unit sends, decides or asks."""

    DEPARTMENT = "department", _("government department")
    COURT = "court", _("court")
    ASSOCIATION = "association", _("industry association")
    SCHOOL = "school", _("school")
    LIBRARY = "library", _("library")
    VOLUNTEER_BODY = "volunteer_body", _("volunteer organisation")
    CREDIT_AGENCY = "credit_agency", _("credit-reporting agency")
    BANK = "bank", _("bank")
    ENTERPRISE = "enterprise", _("enterprise")
    UPPER_PLATFORM = "upper_platform", _("upper-level platform")


class Role(models.TextChoices):
    """What a member of a unit does; the three system roles never meet in one person (GB/T 22239)."""

    CLERK = "clerk", _("data entry clerk")
    OFFICER = "officer", _("case officer")
    SUPERVISOR = "supervisor", _("supervisor")
    CENTRE = "centre", _("credit centre staff")
    EDITOR = "editor", _("site editor")
    AUDITOR = "auditor", _("auditor")
    SECURITY = "security", _("security administrator")
    OPERATOR = "operator", _("system operator")


class Door(models.TextChoices):
    """Through which door a change or a look came."""

    WEB = "web", _("web page")
    ADMIN = "admin", _("staff admin")
    DESK = "desk", _("desk of the officials")
    API = "api", _("interface")
    FILE = "file", _("file delivery")
    COMMAND = "command", _("command")
    TIMER = "timer", _("timed task")


class Authority(models.TextChoices):
    """On what authority personal data was disclosed."""

    SELF = "self", _("the person concerned")
    CONSENT = "consent", _("consent of the person")
    STATUTE = "statute", _("statute")
    DUTY = "duty", _("correction and upkeep by the source unit")
    PUBLICATION = "publication", _("publication required by law")


class AccessResult(models.TextChoices):
    """How a look at personal data ended."""

    SHOWN = "shown", _("shown")
    NOTHING = "nothing", _("nothing on file")
    REFUSED = "refused", _("refused")


class Scope(models.TextChoices):
    """What a machine client may be allowed to do over the interface (OAuth 2 scopes)."""

    FEEDS_WRITE = "feeds.write", _("deliver batches to the feeds of its unit")
    FEEDS_READ = "feeds.read", _("read receipts and problems of its unit's batches")
    EXCHANGE_READ = "exchange.read", _("read changes it is entitled to, and confirm them")
    EXCHANGE_WRITE = "exchange.write", _("hand on changes to this platform")
    ELIGIBILITY_READ = "eligibility.read", _("ask whether a person's record is clean")
    QUERIES_WRITE = "queries.write", _("query records about persons, with their consent or by statute")
    AUTHORISATIONS_WRITE = "authorisations.write", _("ask persons for consent and see their answers")
    STATISTICS_READ = "statistics.read", _("read figures on timeliness and quality")


class NoticeChannel(models.TextChoices):
    """How a message reached the person."""

    SITE = "site", _("on this site")
    POST = "post", _("letter")
    PHONE = "phone", _("telephone message")
