"""The uses of personal credit information as the public reads them: basis, who may ask, what is seen."""

import itertools
from dataclasses import dataclass

from creditplatform.core.enums import AgencyKind
from creditplatform.core.models import Agency, Site
from records.enums import UseArea
from records.models import Purpose, PurposeUser
from records.preview_selectors import name_labels


@dataclass(frozen=True)
class Use:
    """One purpose: the kinds of unit that may ever ask, the units that may today, the names of what is seen."""

    purpose: Purpose
    kinds_of_unit: list[str]
    units: list[Agency]
    seen: list[str]


def uses_of(site: Site) -> list[tuple[str, list[Use]]]:
    """The purposes in force at a site today, by area; four queries, whatever their number."""
    found = list(Purpose.objects.in_force().at_site(site).select_related("legal_basis").order_by("area", "code"))
    labels = name_labels({name for purpose in found for name in purpose.fields})
    units = _units(site, found)
    uses = [
        Use(
            purpose,
            [str(AgencyKind(kind).label) for kind in purpose.asked_by_kinds],
            units.get(purpose.pk, []),
            [labels[name] for name in purpose.fields],
        )
        for purpose in found
    ]
    grouped = itertools.groupby(uses, key=lambda use: use.purpose.area)
    return [(str(UseArea(area).label), list(of_area)) for area, of_area in grouped]


def _units(site: Site, purposes: list[Purpose]) -> dict[str, list[Agency]]:
    found: dict[str, list[Agency]] = {}
    users = PurposeUser.objects.holding().filter(purpose__in=purposes, agency__site=site)
    for one in users.select_related("agency").order_by("agency__code"):
        found.setdefault(one.purpose_id, []).append(one.agency)
    return found
