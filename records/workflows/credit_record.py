"""Credit record: in force → revoked by the unit that decided, by form or delivery, expired, archived.

Steps of the platform are taken by set for many records at once, see `services.expiry` and `services.withdrawal`.
"""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core import outbox
from creditplatform.core.enums import Role
from creditplatform.core.models import User
from creditplatform.core.workflow import Data, Step, Workflow, platform
from records.enums import RecordState
from records.models import CreditRecord
from records.services.ties import end_ties


def officer_of_the_source(record: CreditRecord, user: User | None) -> bool:
    """Officers and supervisors of the unit that decided: the unit that decided is the unit that corrects."""
    deciding = {Role.OFFICER, Role.SUPERVISOR}
    return user is not None and any(
        m.agency_id == record.agency_id and m.role in deciding for m in user.memberships_in_force
    )


def date_the_change(record: CreditRecord, user: User | None, data: Data) -> None:
    """Note when the record last changed."""
    record.changed_at = timezone.now()


def end_what_rests_on_it(record: CreditRecord, user: User | None, data: Data) -> None:
    """Memberships and affiliations that rest on the record end with it."""
    end_ties([record.pk])


def tell_consumers(record: CreditRecord, user: User | None, data: Data) -> None:
    """Whoever was told of the record is told of its end."""
    outbox.publish("records.withdrawn", records=[record.pk], cause="revoked")


def tell_of_the_end_elsewhere(record: CreditRecord, user: User | None, data: Data) -> None:
    """The same news as of a withdrawal here, each time anew."""
    outbox.publish("records.withdrawn", records=[record.pk], cause="revoked", stamp=_stamp(record))


def tell_of_the_restoration(record: CreditRecord, user: User | None, data: Data) -> None:
    """Whoever was told of the end is told that the record stands again."""
    outbox.publish("records.reinstated", records=[record.pk], stamp=_stamp(record))


def tell_of_the_expiry(record: CreditRecord, user: User | None, data: Data) -> None:
    """The same news as when the period runs out here."""
    outbox.publish("records.expired", records=[record.pk], on=timezone.localdate().isoformat())


def tell_of_the_archive(record: CreditRecord, user: User | None, data: Data) -> None:
    """The same news as when the retention period runs out here."""
    outbox.publish("records.archived", records=[record.pk], on=timezone.localdate().isoformat())


def _stamp(record: CreditRecord) -> str:
    return f"exchange {record.changed_at.isoformat()}"


S = RecordState
CREDIT_RECORD: Workflow[Any] = Workflow(
    name="credit_record",
    title=_("Credit record"),
    states=RecordState,
    initial=S.IN_FORCE,
    final=frozenset({S.ARCHIVED}),
    steps=(
        Step(
            "revoke", _("Withdraw"), frozenset({S.IN_FORCE, S.EXPIRED, S.REPAIRED}), S.REVOKED,
            by=officer_of_the_source, effects=(date_the_change, end_what_rests_on_it, tell_consumers),
            reason_required=True,
            tells=_("The unit that decided has withdrawn this record. It is no longer shown or used."),
        ),
        Step(
            "withdraw_by_source", _("Withdraw by delivery"), frozenset({S.IN_FORCE, S.EXPIRED, S.REPAIRED}), S.REVOKED,
            by=platform,
            tells=_("The source has withdrawn this record in a delivery. It is no longer shown or used."),
        ),
        Step(
            "reinstate_by_source", _("Bring back by delivery"), frozenset({S.REVOKED}), S.IN_FORCE, by=platform,
            tells=_("The source has said in a new delivery that this record stands again."),
        ),
        Step(
            "reinstate_repaired_by_source", _("Bring back by delivery, repaired as before"), frozenset({S.REVOKED}),
            S.REPAIRED, by=platform,
            tells=_("The source has said in a new delivery that this record stands again. It stays repaired."),
        ),
        Step(
            "expire", _("End publication"), frozenset({S.IN_FORCE}), S.EXPIRED, by=platform,
            tells=_("The publication period has ended. The record is no longer shown to the public."),
        ),
        Step(
            "expired_at_source", _("Follow the end of publication elsewhere"), frozenset({S.IN_FORCE}), S.EXPIRED,
            by=platform, effects=(date_the_change, tell_of_the_expiry),
            tells=_("Its publication or its sharing has ended where the record came from. It is no longer shown here."),
        ),
        Step(
            "archive", _("Archive"), frozenset(S) - {S.ARCHIVED}, S.ARCHIVED, by=platform,
            effects=(tell_of_the_archive,),
            tells=_("The record may be kept no longer. It is neither shown nor used any more."),
        ),
        Step(
            "repaired_at_source", _("Follow a repair elsewhere"), frozenset({S.IN_FORCE, S.EXPIRED}), S.REPAIRED,
            by=platform, effects=(date_the_change,),
            tells=_("The record was repaired where it came from. It is no longer shown or used here either."),
        ),
        Step(
            "revoked_at_source", _("Follow a withdrawal elsewhere"), frozenset({S.IN_FORCE, S.EXPIRED, S.REPAIRED}),
            S.REVOKED, by=platform, effects=(date_the_change, end_what_rests_on_it, tell_of_the_end_elsewhere),
            tells=_("The unit that decided has withdrawn this record. It is no longer shown or used."),
        ),
        Step(
            "restored_at_source", _("Follow a restoration elsewhere"), frozenset({S.EXPIRED, S.REPAIRED}),
            S.IN_FORCE, by=platform, effects=(date_the_change, tell_of_the_restoration),
            tells=_("The record holds again where it came from, and so it does here."),
        ),
    ),
)  # fmt: skip
