"""The ledger of disclosures: written first, then the data is read."""

from collections.abc import Iterable

from creditplatform.core.enums import AccessResult, Authority, Door
from creditplatform.core.models import AccessLog, Agency, User


def record_disclosure(
    *,
    subject_ref: int,
    actor: User | None,
    purpose: str,
    authority: Authority,
    fields: Iterable[str],
    agency: Agency | None = None,
    reference: str = "",
    case_number: str = "",
    door: Door = Door.WEB,
    result: AccessResult = AccessResult.SHOWN,
) -> AccessLog:
    """Write who is about to see which fields of a person, and why; one INSERT, no lock."""
    return AccessLog.objects.create(
        subject_ref=subject_ref,
        actor=actor,
        agency=agency,
        purpose=purpose,
        authority=authority,
        reference=reference,
        case_number=case_number,
        fields=sorted(set(fields)),
        door=door,
        result=result,
    )


def record_disclosures(entries: list[AccessLog]) -> None:
    """Write many disclosures in one statement, for lists and batches."""
    AccessLog.objects.bulk_create(entries)
