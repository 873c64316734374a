"""Change a rule value: one person enters it, another brings it into force."""

import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import Conflict, FieldProblem, Invalid, NotPermitted
from creditplatform.core.models import RuleValue, Site, User


def propose_rule_value(
    *,
    user: User,
    key: str,
    value: Any,
    unit: str,
    valid_from: datetime.date,
    legal_basis: str,
    source: str,
    site: Site | None = None,
    valid_until: datetime.date | None = None,
) -> RuleValue:
    """Enter a value; nothing changes until a second person has approved it."""
    return RuleValue.objects.create(
        key=key, value=value, unit=unit, valid_from=valid_from, valid_until=valid_until,
        legal_basis=legal_basis, source=source, site=site, entered_by=user,
    )  # fmt: skip


@transaction.atomic
def approve_rule_value(*, rule_value: RuleValue, user: User) -> RuleValue:
    """Bring a value into force; the one before it ends on the day this one begins.

    Raises NotPermitted for whoever entered it, Conflict where it is in force already, Invalid
    without a legal basis.
    """
    locked = RuleValue.objects.select_for_update(of=("self",), no_key=True).get(pk=rule_value.pk)
    if locked.in_force:
        raise Conflict
    if locked.entered_by_id == user.pk or locked.entered_by_id is None:
        raise NotPermitted("second_person", _("A second person must approve what you entered."))
    if not locked.legal_basis.strip():
        raise Invalid([FieldProblem("legal_basis", "required", _("A rule value needs its legal basis."))])
    same = RuleValue.objects.filter(key=locked.key, site=locked.site, in_force=True)
    same.filter(valid_from__lt=locked.valid_from, valid_until=None).update(valid_until=locked.valid_from)
    locked.approved_by, locked.in_force, locked.confirmed = user, True, True
    try:
        with transaction.atomic():
            locked.save(update_fields=["approved_by", "in_force", "confirmed"])
    except IntegrityError as error:
        raise Conflict(
            "rule_value_overlaps", _("Another value of this rule is in force at that time; end that one first.")
        ) from error
    return locked
