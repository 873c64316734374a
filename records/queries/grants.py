"""The one answer to the question what may be shown: purpose ∩ consent ∩ openness, for every door.

Nobody else decides it. A page, a batch, the interface, a share link and a report to others each bring a `Grant` from
here, and show what it allows and nothing else.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import AgencyKind, Authority
from creditplatform.core.errors import CreditError
from creditplatform.core.models import Agency
from creditplatform.core.remembered import Recently
from records.enums import Openness, OwnPurpose
from records.models import Authorisation, Purpose, Representation, ShareLink
from records.queries.scope import FieldScope

TO_THE_PERSON = frozenset({Openness.PUBLIC, Openness.SHARED, Openness.AUTHORISED})
TO_AUTHORITIES = frozenset({Openness.PUBLIC, Openness.SHARED})
TO_ANYBODY = frozenset({Openness.PUBLIC})
LONGEST_REFERENCE = 200  # of a line of the access log
AUTHORITIES = frozenset({AgencyKind.DEPARTMENT, AgencyKind.COURT, AgencyKind.UPPER_PLATFORM})


class NotAuthorised(CreditError):
    """Neither consent nor statute covers it (HTTP 403). The same words whether or not anybody is on file."""

    http_status = 403
    default_code = "not_authorised"
    default_message = _(
        "No valid authorisation and no statute covers this query. Nothing was looked up, and this answer does not say"
        " whether anybody is on file."
    )


class PurposeNotOpen(CreditError):
    """The unit may not ask for this purpose, or it is not in force (HTTP 403)."""

    http_status = 403
    default_code = "purpose_not_open"
    default_message = _("This purpose is not in force, or your unit may not use it.")


@dataclass(frozen=True)
class Grant:
    """On what authority which fields of a person may be shown.

    `reference` is the statute or the number of the consent receipt; `openness` which degrees of openness of an entry
    are open under that authority.
    """

    purpose: str
    authority: Authority
    reference: str
    scope: FieldScope
    openness: frozenset[Openness]


def grant_by_statute(purpose: Purpose, agency: Agency) -> Grant:
    """What a unit may see without consent, because the purpose's statute says so. Raises NotAuthorised."""
    if purpose.needs_consent or purpose.legal_basis is None:
        raise NotAuthorised
    openness = TO_AUTHORITIES if agency.kind in AUTHORITIES else TO_ANYBODY
    citation = purpose.legal_basis.original_citation[:LONGEST_REFERENCE]
    return Grant(purpose.code, Authority.STATUTE, citation, FieldScope.of(purpose.fields), openness)


def grant_by_consent(
    purpose: Purpose, agency: Agency, authorisation: Authorisation, *, at: datetime.datetime | None = None
) -> Grant:
    """What a unit may see with this consent. Raises NotAuthorised where it is another's, ended or used up.

    Whoever shows something under it also takes one use of it, see `records.services.authorisations.use`.
    """
    if not authorisation.usable_at(at or timezone.now()):
        raise NotAuthorised
    return _within_consent(purpose, agency, authorisation)


def grant_again(
    purpose: Purpose, agency: Agency, authorisation: Authorisation | None, *, at: datetime.datetime | None = None
) -> Grant:
    """What an answer shows that was given before and is opened again: no use more, and nothing once consent has ended.

    Raises NotAuthorised where the person has withdrawn the consent, or its end has come.
    """
    if not purpose.needs_consent:
        return grant_by_statute(purpose, agency)
    if authorisation is None or not authorisation.lasts_at(at or timezone.now()):
        raise NotAuthorised
    return _within_consent(purpose, agency, authorisation)


def _within_consent(purpose: Purpose, agency: Agency, authorisation: Authorisation) -> Grant:
    if authorisation.agency_id != agency.pk or authorisation.purpose_id != purpose.pk:
        raise NotAuthorised
    grant = grant_as_given(authorisation)
    if not grant.scope:
        raise NotAuthorised
    return grant


def grant_of_purpose(purpose: Purpose, agency: Agency, *, reference: str = "") -> Grant:
    """What a yes or no looks at: all that the purpose covers; for a list whose consents are found one by one.

    `reference` is the number of a receipt, empty where each line of the log names its own. Raises NotAuthorised.
    """
    if not purpose.needs_consent:
        return grant_by_statute(purpose, agency)
    return Grant(purpose.code, Authority.CONSENT, reference, FieldScope.of(purpose.fields), TO_THE_PERSON)


def grant_as_given(authorisation: Authorisation) -> Grant:
    """What a unit was allowed by a consent, whether or not it still holds; that alone opens nothing."""
    purpose = authorisation.purpose
    scope = FieldScope.of(purpose.fields) & FieldScope.of(authorisation.granted_fields)
    return Grant(purpose.code, Authority.CONSENT, authorisation.number, scope, TO_THE_PERSON)


def grant_to_preview(authorisation: Authorisation, by: Representation | None = None) -> Grant:
    """What a request would open if all of it were allowed now; for whoever is to answer it, before the answer.

    `by` is the representation of somebody who answers for the person.
    """
    scope = FieldScope.of(authorisation.purpose.fields) & FieldScope.of(authorisation.requested_fields)
    if by is None:
        return Grant(OwnPurpose.PREVIEW, Authority.SELF, authorisation.number, scope, TO_THE_PERSON)
    return Grant(OwnPurpose.REPRESENTATIVE, by.authority, by.token, scope, TO_THE_PERSON)


def grant_of_own_file(kinds: Iterable[str]) -> Grant:
    """What of these kinds of record a person may show to others: the same degrees of openness as for themselves."""
    return Grant(OwnPurpose.OWN_FILE, Authority.SELF, "", FieldScope.of(kinds), TO_THE_PERSON)


def grant_by_link(link: ShareLink) -> Grant:
    """What whoever opened a share link may see: the parts the person chose."""
    return Grant(OwnPurpose.SHARE_LINK, Authority.CONSENT, link.token, FieldScope.of(link.fields), TO_THE_PERSON)


_recent: Recently[Purpose | None] = Recently()


def permitted_purpose(code: str, agency: Agency) -> Purpose:
    """The purpose of that code, if it is in force today and the unit may ask for it; at most a few seconds old.

    Raises PurposeNotOpen.
    """
    today = timezone.localdate()

    def ask() -> Purpose | None:
        return Purpose.objects.open_to(agency, on=today).select_related("legal_basis").filter(code=code).first()

    purpose = _recent.get((code, agency.pk, today), ask)
    if purpose is None:
        raise PurposeNotOpen
    return purpose
