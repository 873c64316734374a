"""The parts of the desk, each with who sees it in the navigation; the pages themselves declare their own rules."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Role

SENDING = (Role.CLERK, Role.OFFICER, Role.SUPERVISOR)
WORKING = (*SENDING, Role.CENTRE)


@dataclass(frozen=True)
class Part:
    """One link of the desk's navigation; marked as current on every page whose name begins with `pages`."""

    url_name: str
    label: str | Promise
    roles: tuple[Role, ...] = ()
    pages: tuple[str, ...] = ()

    def shown_to(self, roles: set[str]) -> bool:
        """Whether somebody with these roles sees the link; a part without roles is for all staff."""
        return not self.roles or bool(roles & {str(role) for role in self.roles})


CATALOGUE_PAGES = (
    "desk:catalogue-new", "desk:catalogue-entry", "desk:catalogue-version", "desk:catalogue-edit",
    "desk:catalogue-preview", "desk:catalogue-new-field", "desk:catalogue-field", "desk:catalogue-step",
    "desk:catalogue-bases", "desk:catalogue-new-basis", "desk:catalogue-basis",
)  # fmt: skip
QUERY_PAGES = (
    "desk:query-new", "desk:query", "desk:batch-checks", "desk:batch-check-new", "desk:batch-check", "desk:results",
    "desk:result",
)  # fmt: skip
REVIEWING = (Role.SUPERVISOR, Role.CENTRE, Role.AUDITOR)
PARTS: tuple[Part, ...] = (
    Part("desk:home", _("My work")),
    Part("desk:deliveries", _("Deliveries"), WORKING, ("desk:deliver", "desk:delivery", "desk:delivery-columns")),
    Part("desk:announcements", _("Announcements"), SENDING, ("desk:announcement-new", "desk:announcement")),
    Part("desk:setaside", _("Rows set aside"), WORKING, ("desk:setaside_row",)),
    Part("desk:cross_checks", _("Cross-checks"), WORKING, ("desk:cross_check",)),
    Part("desk:missing", _("Missing records"), SENDING),
    Part("desk:key_groups", _("Key groups"), WORKING, ("desk:key_group",)),
    Part("desk:queries", _("Queries"), SENDING, QUERY_PAGES),
    Part("desk:access-reviews", _("Looks reviewed"), REVIEWING, ("desk:access-review", "desk:query-report")),
    Part(
        "desk:authorisations", _("Requests for consent"), SENDING,
        ("desk:authorisation", "desk:authorisation-ask", "desk:unit-report"),
    ),
    Part("desk:deferrals", _("Looks shown later"), (Role.SUPERVISOR, Role.CENTRE), ("desk:deferral",)),
    Part("desk:catalogue", _("Catalogue"), WORKING, CATALOGUE_PAGES),
    Part(
        "desk:figures", _("Figures"), WORKING,
        ("desk:figures_board", "desk:figures_unit", "desk:figures_entry", "desk:figures_feeds"),
    ),
    Part("desk:figures_reports", _("Monthly reports"), WORKING, ("desk:figures_report",)),
    Part(
        "desk:window", _("Window"), (Role.CENTRE,),
        ("desk:window-request", "desk:representations", "desk:representation"),
    ),
    Part("desk:words", _("Words for the public"), (Role.CENTRE,), ("desk:words-one",)),
    Part("desk:exchange", _("Exchange"), (Role.CENTRE,), ("desk:exchange-peer",)),
)  # fmt: skip


def works_at_the_desk(roles: set[str]) -> bool:
    """Whether somebody with these roles finds more on the desk than its first page."""
    return any(part.roles and part.shown_to(roles) for part in PARTS)
