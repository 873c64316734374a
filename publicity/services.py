"""What the public sites write: the ledger of disclosures, for persons whom a law publishes."""

from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import Authority, Door
from creditplatform.core.models import User
from publicity.selectors.records import RecordPage
from records.enums import FieldRole, OwnPurpose


def note_disclosure(*, page: RecordPage, user: User | None, door: Door = Door.WEB) -> None:
    """Write into the ledger that a person's public record is about to be shown, and by which law.

    Records of organisations are no personal data and leave no line. The visitor of a public page is mostly
    nobody we know; the line then says when and by which law.
    """
    if not page.is_person:
        return
    record, law = page.record, page.published_by
    record_disclosure(
        subject_ref=record.subject_id,
        actor=user,
        purpose=OwnPurpose.PUBLIC_PAGE,
        authority=Authority.PUBLICATION,
        reference=law.original_citation[:200] if law else "",
        fields=[FieldRole.SUBJECT_NAME.value, *(content.field.code for content in page.contents)],
        door=door,
    )
