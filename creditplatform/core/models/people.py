"""People, units and the places they belong to."""

import datetime
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group, Permission, PermissionsMixin
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import audited
from creditplatform.core.enums import AgencyKind, RegionLevel, Role


class Period(Func):
    """The half-open date range from one column to another, for constraints that forbid overlaps."""

    function = "DATERANGE"
    output_field = DateRangeField()

    def __init__(self, start: str = "valid_from", end: str = "valid_until") -> None:
        super().__init__(F(start), F(end), RangeBoundary())


class Bilingual(models.Model):
    """A thing with a Chinese and an English name."""

    name = models.CharField(_("Chinese name"), max_length=200)
    name_en = models.CharField(_("English name"), max_length=200)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the language of the page."""
        return self.name if (get_language() or "zh").startswith("zh") else self.name_en


@audited
class Region(Bilingual):
    """A division of GB/T 2260 or a local extension, abolished ones included."""

    code = models.CharField(_("code"), max_length=12, primary_key=True)
    parent = models.ForeignKey(
        "self", verbose_name=_("part of"), null=True, blank=True, on_delete=models.PROTECT, related_name="parts"
    )
    level = models.CharField(_("level"), max_length=10, choices=RegionLevel)
    valid_from = models.PositiveSmallIntegerField(_("in use since (year)"), null=True, blank=True)
    valid_until = models.PositiveSmallIntegerField(_("abolished in (year)"), null=True, blank=True)
    successor = models.CharField(_("succeeded by"), max_length=12, blank=True)

    class Meta:
        verbose_name = _("region")
        verbose_name_plural = _("regions")
        ordering: ClassVar = ["code"]


@audited
class Site(Bilingual):
    """A public site: Credit Huizhou or Credit Gansu, with the footer Chinese government sites carry."""

    code = models.SlugField(_("code"), max_length=20, unique=True)
    root_region = models.ForeignKey(Region, verbose_name=_("region"), on_delete=models.PROTECT)
    sponsor = models.CharField(_("sponsor"), max_length=200)
    sponsor_en = models.CharField(_("sponsor in English"), max_length=200)
    phone = models.CharField(_("telephone"), max_length=60)
    address = models.CharField(_("address"), max_length=200, blank=True)
    address_en = models.CharField(_("address in English"), max_length=200, blank=True)
    site_identifier = models.CharField(_("government site identifier"), max_length=40, blank=True)
    icp_number = models.CharField(_("ICP filing number"), max_length=60, blank=True)
    police_number = models.CharField(_("police filing number"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("public site")
        verbose_name_plural = _("public sites")
        ordering: ClassVar = ["code"]

    @property
    def sponsor_label(self) -> str:
        """The sponsor in the language of the page."""
        return self.sponsor if (get_language() or "zh").startswith("zh") else self.sponsor_en

    @property
    def address_label(self) -> str:
        """The address in the language of the page; in Chinese where it has no English one."""
        chinese = (get_language() or "zh").startswith("zh")
        return self.address if chinese else self.address_en or self.address


@audited
class Agency(Bilingual):  # type: ignore[django-manager-missing]  # machine clients come from an untyped library
    """A unit that decides, sends or asks, and where citizens reach it."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    credit_code = models.CharField(_("unified social credit code"), max_length=18, blank=True)
    region = models.ForeignKey(Region, verbose_name=_("region"), on_delete=models.PROTECT)
    site = models.ForeignKey(Site, verbose_name=_("public site"), on_delete=models.PROTECT, related_name="agencies")
    parent = models.ForeignKey("self", verbose_name=_("superior unit"), null=True, blank=True, on_delete=models.PROTECT)
    kind = models.CharField(_("kind"), max_length=20, choices=AgencyKind)
    office = models.CharField(_("office for citizens"), max_length=200, blank=True)
    office_en = models.CharField(_("office in English"), max_length=200, blank=True)
    phone = models.CharField(_("telephone"), max_length=60, blank=True)
    hours = models.CharField(_("office hours"), max_length=100, blank=True)
    hours_en = models.CharField(_("office hours in English"), max_length=100, blank=True)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("unit")
        verbose_name_plural = _("units")
        ordering: ClassVar = ["code"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["credit_code"],
                condition=~Q(credit_code=""),
                name="agency_credit_code_once",
                violation_error_message=_("Another unit already has this credit code."),
            ),
            models.CheckConstraint(
                condition=Q(credit_code="") | Q(credit_code__regex=r"^[0-9A-HJ-NPQRTUWXY]{18}$"),
                name="agency_credit_code_form",
                violation_error_message=_("A unified social credit code has 18 characters."),
            ),
        ]

    @property
    def office_label(self) -> str:
        """The office for citizens in the language of the page."""
        return self.office if (get_language() or "zh").startswith("zh") else self.office_en

    @property
    def hours_label(self) -> str:
        """The office hours in the language of the page; in Chinese where the unit gave no others."""
        chinese = (get_language() or "zh").startswith("zh")
        return self.hours if chinese else self.hours_en or self.hours


class UserManager(BaseUserManager["User"]):
    """Creates users; must run inside an audit context."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """A user who signs in with name and password."""
        user = self.model(username=self.model.normalize_username(username), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """The user of that name, whatever the case of its letters."""
        return self.get(username__iexact=username)


@audited
class User(AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing]  # as above
    """A person who signs in: a citizen, or a member of one or more units."""

    username = models.CharField(_("user name"), max_length=60, unique=True)
    display_name = models.CharField(_("displayed name"), max_length=60, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now)
    groups = models.ManyToManyField(  # type: ignore[assignment]
        Group,
        verbose_name=_("groups"),
        through="UserGroup",
        blank=True,
        related_name="user_set",
        related_query_name="user",
    )
    user_permissions = models.ManyToManyField(  # type: ignore[assignment]
        Permission, verbose_name=_("permissions"), through="UserPermission", blank=True, related_name="user_set",
        related_query_name="user",
    )  # fmt: skip
    # Sign-ins stand in the access log; a column rewritten at each one would only blur the history.
    last_login = None

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    objects = UserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering: ClassVar = ["username"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                models.functions.Lower("username"),
                name="user_name_once",
                violation_error_message=_("This user name is taken."),
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or self.username

    @property
    def is_staff(self) -> bool:
        """Whether the person may enter the staff admin: any membership in force."""
        return bool(self.roles)

    @property
    def roles(self) -> set[str]:
        """Roles held today in any unit (one query per request, then remembered)."""
        return {membership.role for membership in self.memberships_in_force}

    @property
    def memberships_in_force(self) -> list["Membership"]:
        """Memberships in force today, with their unit."""
        if not hasattr(self, "_memberships_in_force"):
            self._memberships_in_force = list(Membership.objects.in_force().filter(user=self).select_related("agency"))
        return self._memberships_in_force

    @property
    def agency_ids(self) -> set[int]:
        """Units the person belongs to today."""
        return {membership.agency_id for membership in self.memberships_in_force}


@audited
class UserGroup(models.Model):
    """A user belongs to a group of the framework; a table of our own, so that it has context and history."""

    user = models.ForeignKey(User, on_delete=models.PROTECT)
    group = models.ForeignKey(Group, on_delete=models.PROTECT)

    class Meta:
        verbose_name = _("group of a user")
        verbose_name_plural = _("groups of users")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "group"],
                name="user_group_once",
                violation_error_message=_("The user belongs to this group already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.group_id}"


@audited
class UserPermission(models.Model):
    """A user holds a permission of the framework; a table of our own, so that it has context and history."""

    user = models.ForeignKey(User, on_delete=models.PROTECT)
    permission = models.ForeignKey(Permission, on_delete=models.PROTECT)

    class Meta:
        verbose_name = _("permission of a user")
        verbose_name_plural = _("permissions of users")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "permission"],
                name="user_permission_once",
                violation_error_message=_("The user has this permission already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.permission_id}"


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Reading rules of memberships."""

    def in_force(self) -> "MembershipQuerySet":
        """Memberships that hold today."""
        today = timezone.localdate()
        return self.filter(Q(valid_until=None) | Q(valid_until__gt=today), valid_from__lte=today)


@audited
class Membership(models.Model):
    """A person works for a unit in a role, for a time."""

    user = models.ForeignKey(User, verbose_name=_("user"), on_delete=models.PROTECT, related_name="memberships")
    agency = models.ForeignKey(Agency, verbose_name=_("unit"), on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(_("role"), max_length=20, choices=Role)
    valid_from = models.DateField(_("from"), default=timezone.localdate)
    valid_until = models.DateField(_("until"), null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="membership_ends_after_start",
                violation_error_message=_("A membership ends after it began."),
            ),
            ExclusionConstraint(
                name="membership_once_at_a_time",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    ("agency", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                    (Period(), RangeOperators.OVERLAPS),
                ],
                violation_error_message=_("The person already has this role in this unit at that time."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.agency} · {self.get_role_display()}"

    def holds_on(self, day: datetime.date) -> bool:
        """Whether the membership is in force on a day."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)
