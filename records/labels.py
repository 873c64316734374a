"""What the core shows of the records by code, named here."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from creditplatform.core import labels, wording
from creditplatform.core.remembered import Recently
from records.enums import KeyField, OwnPurpose, Tier
from records.feeds.vocabulary import codes, effects
from records.models import Purpose

ACTS = {
    "licence": _("administrative licence"),
    "penalty": _("administrative penalty"),
    "coercion": _("administrative coercion"),
    "confirmation": _("administrative confirmation"),
    "levy": _("administrative levy"),
    "payment": _("administrative payment"),
    "ruling": _("administrative ruling"),
    "compensation": _("administrative compensation"),
    "reward": _("administrative reward"),
    "inspection": _("administrative inspection"),
}


def effect_label(code: str) -> str:
    """What a decision does, in the language of the page; the code itself where the vocabulary lacks it."""
    effect = effects().by_code.get(code)
    if effect is None:
        return code
    return effect.name if wording.chinese() else effect.name_en


def code_label(field: str, code: str) -> str:
    """What a code in a field means, in the language of the page; the code itself where no standard says it."""
    meaning = codes().get(field, {}).get(code)
    if meaning is None:
        return code
    return meaning.name if wording.chinese() else meaning.name_en


_purposes: Recently[dict[str, Purpose]] = Recently()


def purpose_labels() -> dict[str, str]:
    """The names of the purposes of use in the language of the page, a few seconds old at most."""
    known = _purposes.get("purposes", Purpose.objects.in_bulk)
    return {code: purpose.label for code, purpose in known.items()}


def tier_rule_sentence(rule: Mapping[str, Any]) -> str:
    """How records of a version get their tier, and a period of their own where a law sets one."""
    if rule.get("rule") == "fixed":
        how = gettext("Every record is %(tier)s.") % {"tier": Tier(rule["tier"]).label}
    elif rule.get("rule") == "effects":
        how = gettext("The gravest effect of the decision gives the tier.")
    else:
        how = gettext("Such records have no tier.")
    if "max_months" not in rule:
        return how
    months = {"low": rule["min_months"], "high": rule["max_months"]}
    own = gettext("They are shown for at least %(low)s and at most %(high)s months.") % months
    return wording.after_one_another([how, own])


def provide() -> None:
    """Name the purposes, timers and codes of rule values that belong to the records."""
    later = lazy(effect_label, str)
    labels.name(labels.Kind.PURPOSE, dict(OwnPurpose.choices))
    labels.ask(labels.Kind.PURPOSE, purpose_labels)
    labels.name(
        labels.Kind.SIGN_OF_LIFE,
        {
            "batch-resumer": _("taking up interrupted deliveries"),
            "expiry": _("end of publication and retention"),
            "monthly-figures": _("figures on timeliness and quality"),
            "exchange": _("handing on of changes to other systems"),
            "unit-notices": _("daily notice to the units"),
            "check-resumer": _("taking up interrupted checks of many persons"),
            "queries": _("ends of queries and reviews of accesses"),
        },
    )
    known = {code: later(code) for code in effects().by_code}
    labels.name(labels.Kind.VALUE, {**known, **dict(KeyField.choices), **dict(Tier.choices)})
