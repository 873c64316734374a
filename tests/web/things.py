"""What else there is to be opened by the walks: consents, links, representations, announcements."""

import datetime
from types import SimpleNamespace
from typing import Any

from django.utils import timezone

from creditplatform.core.models import AccessLog, Agency
from records.models import CreditRecord, Representation, Subject
from records.services.share_links import make as make_link
from tests.cast import MINOR_NUMBER, Cast, person_subject
from tests.records.queries_world import NAME, STRANGER_NAME, UNKNOWN, asked, consent, purpose
from tests.records.query_rows import a_deferral, a_prior_notice, public_words


def foreign_person() -> Subject:
    """Somebody of whom nothing is on file, and whom nobody here sees."""
    return person_subject(MINOR_NUMBER, "小示例")


def announced(there: Any) -> None:
    """Announcements to the person of the cast, with a reply and without, and one of another unit to somebody else."""
    replied = {"state": "replied", "reply": f"{NAME}：已整改。", "replied_at": timezone.now(), "subject": there.person}
    a_prior_notice(there, **replied)
    a_prior_notice(there, document_number="2", reply_until=timezone.localdate())
    stranger = there.cast.stranger.real_name.subject
    other = SimpleNamespace(cast=there.cast, person=stranger, market=Agency.objects.get(code="gs-market"))
    a_prior_notice(other, intended=f"拟处罚{STRANGER_NAME}", announced_by=there.cast.other_clerk)


def consents_and_links(cast: Cast, own: CreditRecord) -> None:
    """A request that waits, a consent, one of somebody not on file; a link; a look whose display is to be deferred."""
    Representation.objects.create(
        person=foreign_person(), representative=cast.stranger.real_name.subject, kind="heir", scope=["file"],
        papers_kind="kinship", requested_by=cast.stranger,
    )  # fmt: skip
    wanted = purpose("special-industry")
    asked(wanted, cast.clerk, message=f"{NAME}：请您确认。")
    consent(wanted, cast.clerk, cast.person, case_number="2")
    asked(wanted, cast.clerk, person=UNKNOWN, name="无此示例")
    make_link(
        user=cast.person, subject=own.subject, fields=["administrative-penalty"], recipient=NAME,
        lifetime=datetime.timedelta(days=1),
    )  # fmt: skip
    there = SimpleNamespace(cast=cast, person=own.subject)
    public_words(there, record=own)
    a_deferral(there, access_id=AccessLog.objects.latest("pk").pk)
