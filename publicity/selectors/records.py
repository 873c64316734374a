"""One public record, prepared for its page and for the structured data."""

import datetime
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from creditplatform.core import vault
from creditplatform.core.enums import AgencyKind
from creditplatform.core.identity import IdentifierKind
from creditplatform.core.masking import Mask, hide_numbers, mask
from creditplatform.core.models import Site
from creditplatform.core.rules import RuleBook, load_rulebook
from publicity.rules import public_codes
from records.enums import FieldRole, Polarity, SubjectKind
from records.feeds.columns import is_open_text
from records.feeds.vocabulary import Effect, effects
from records.models import CreditRecord, EntryField, LegalBasis
from records.models.catalogue import chinese
from records.models.record import TOKEN_KIND
from records.selectors import RECONSIDERATION_DAYS, unit_label
from records.sentences import reconsideration_sentence, shown_label, shown_value
from records.services.public_words import public_text

LAWS = ("version__legal_basis", "version__publication_basis", "version__person_publication_basis")
NEVER_ASKED_FOR = ("sealed_payload", "statement", "digest", "subject__number_sealed", "subject__phone_sealed",
                   "subject__address_sealed")  # fmt: skip
# Parts that the page says in a place of their own.
SAID_ELSEWHERE = frozenset(
    {
        FieldRole.SUBJECT_NAME, FieldRole.SUBJECT_KIND, FieldRole.CREDIT_CODE, FieldRole.ORGANISATION_CODE,
        FieldRole.REGISTRATION_NUMBER, FieldRole.TAX_NUMBER, FieldRole.INSTITUTION_NUMBER,
        FieldRole.SOCIAL_GROUP_NUMBER, FieldRole.DOCUMENT_NUMBER, FieldRole.DECIDED_ON, FieldRole.EFFECTS,
        FieldRole.AGENCY_NAME, FieldRole.AGENCY_CODE, FieldRole.SOURCE_NAME, FieldRole.SOURCE_CODE,
    }
)  # fmt: skip

RECEIVED = _("Received by this platform, checked and made public")
RECEIVED_UNDATED = _("Received without a date of its own and made public from this day")
MINIMUM_OVER = _("Minimum publication over: repair can be applied for")
END_OF_NEGATIVE = _("Maximum publication over: withdrawn by itself")
END_OF_OTHERS = _("Validity over: withdrawn by itself")


class When(StrEnum):
    """Where a step of a record's life lies, seen from today."""

    PAST = "past"
    NOW = "now"
    COMING = "coming"


@dataclass(frozen=True, slots=True)
class Step:
    """One day in the life of a record."""

    on: datetime.date
    text: str | Promise
    when: When = When.PAST


@dataclass(frozen=True, slots=True)
class Content:
    """One published field with its value, masked as the catalogue says."""

    field: EntryField
    value: str

    @property
    def label(self) -> str:
        """The name of the field; of an amount without the unit in which it is kept."""
        return shown_label(self.field)

    @property
    def shown(self) -> str:
        """The value as the page shows it: amounts in yuan, with their unit."""
        return shown_value(self.field, self.value)


@dataclass(frozen=True)
class RecordPage:
    """Everything the public page of a record says; nothing here is not public today."""

    record: CreditRecord
    fields: list[EntryField]
    rulebook: RuleBook
    today: datetime.date
    words: str = ""

    @property
    def is_person(self) -> bool:
        """Whether the record is about a natural person, whom a law publishes."""
        return self.record.subject_kind == SubjectKind.PERSON

    @cached_property
    def by_role(self) -> dict[str, EntryField]:
        """Fields of the version that feed a part of the record, by that part."""
        return {field.role: field for field in self.fields if field.role}

    @cached_property
    def name(self) -> str:
        """The name as it may be shown: organisations whole, persons under the mask of the catalogue."""
        subject = self.record.subject
        if not self.is_person:
            return subject.name
        field = self.by_role.get(FieldRole.SUBJECT_NAME)
        if field is None or not field.published:
            return ""
        return mask(field.mask, subject.name_sealed or "")

    @cached_property
    def codes(self) -> list[str]:
        """Numbers of the organisation that may be shown, the one it is known by first; of a person none."""
        subject = self.record.subject
        if self.is_person or IdentifierKind(subject.identifier_kind).personal:
            return []
        return public_codes([subject.code, *subject.codes])

    @cached_property
    def contents(self) -> list[Content]:
        """Published fields with a value, in the order of the catalogue."""
        shown = [field for field in self.fields if field.published and field.role not in SAID_ELSEWHERE]
        return [Content(field, value) for field in shown if (value := self._value(field))]

    @property
    def effects(self) -> list[Effect]:
        """What the decision does, from the vocabulary."""
        known = effects().by_code
        return [known[code] for code in self.record.effects if code in known]

    @property
    def effect_labels(self) -> list[str]:
        """What the decision does, in the language of the page."""
        return [effect.name if chinese() else effect.name_en for effect in self.effects]

    @property
    def unit_as_sent(self) -> str:
        """The unit that decided, as the decision names it, else the unit that sent the record."""
        return self._value(self.by_role.get(FieldRole.AGENCY_NAME)) or self.record.agency.label

    @cached_property
    def deciding_unit(self) -> str:
        """The unit that decided, in the language of the page where it is one of ours; else as sent."""
        return unit_label(self.record.agency, self._value(self.by_role.get(FieldRole.AGENCY_NAME)))

    @property
    def dated_by_receipt(self) -> bool:
        """Whether the source gives no date of decision, so that the day of receipt counts."""
        return FieldRole.DECIDED_ON not in self.by_role

    @property
    def negative(self) -> bool:
        """Whether the record speaks against its subject, so that it has tiers and can be repaired."""
        return self.record.polarity == Polarity.NEGATIVE

    @property
    def published_by(self) -> LegalBasis | None:
        """The law that makes the record public."""
        return self.record.version.publication_basis_for(self.record.subject_kind)

    @property
    def reconsiderable(self) -> bool:
        """Whether an administrative organ decided, so that reconsideration is open; courts have their own ways."""
        return self.negative and self.record.agency.kind != AgencyKind.COURT

    @property
    def months(self) -> tuple[int, int] | None:
        """Shortest and longest publication in whole months from the decision; None without a tier."""
        record = self.record
        if record.repairable_from is None or record.publish_until is None:
            return None
        start = record.decided_on
        return _months(start, record.repairable_from), _months(start, record.publish_until)

    @property
    def repairable_now(self) -> bool:
        """Whether the minimum publication is over."""
        start = self.record.repairable_from
        return start is not None and start <= self.today

    @property
    def objection_days(self) -> int | None:
        """Working days within which an objection is answered on this site."""
        return self._clock("clock.objection.total.working_days")

    @property
    def reconsideration_days(self) -> int | None:
        """Days to ask for administrative reconsideration, where the rule is on file."""
        return self._clock(RECONSIDERATION_DAYS)

    @property
    def reconsideration(self) -> str:
        """Organ and last day of reconsideration, as far as they follow from the record."""
        return reconsideration_sentence(self.record, self.today, self.reconsideration_days)

    @property
    def steps(self) -> list[Step]:
        """The life of the record in the order of time; the last step that has come is the present one."""
        known = sorted(self._known_steps(), key=lambda step: step.on)
        reached = [step for step in known if step.on <= self.today]
        coming = known[len(reached) :]
        return [
            *(Step(step.on, step.text) for step in reached[:-1]),
            *(Step(step.on, step.text, When.NOW) for step in reached[-1:]),
            *(Step(step.on, step.text, When.COMING) for step in coming),
        ]

    def _known_steps(self) -> list[Step]:
        record = self.record
        received = timezone.localdate(record.received_at)
        if self.dated_by_receipt:
            steps = [Step(record.decided_on, RECEIVED_UNDATED)]
        else:
            steps = [
                Step(record.decided_on, _("Decided")),
                Step(max(received, record.decided_on), RECEIVED),
            ]
        if self.negative and record.repairable_from:
            steps.append(Step(record.repairable_from, MINIMUM_OVER))
        if record.publish_until:
            steps.append(Step(record.publish_until, END_OF_NEGATIVE if self.negative else END_OF_OTHERS))
        return steps

    def _value(self, field: EntryField | None) -> str:
        """The text of a published field; personal ones are not in the open part at all.

        Free texts that came before they were checked for numbers of persons show none either.
        """
        if field is None or not field.published:
            return ""
        text = mask(field.mask or Mask.NONE, str(self.record.payload.get(field.code, "")))
        return hide_numbers(text) if is_open_text(field) else text

    def _clock(self, key: str) -> int | None:
        found = self.rulebook.versions(key, since=self.today, until=self.today, site=self.record.site.code)
        return int(found[0].value) if found else None


def record_page(site: Site, token: str) -> RecordPage | None:
    """The page of a record that is public on this site right now; None for any other token, whatever the cause.

    Three queries: rule values, the record, the fields of its version; of a person also the own words. Whoever shows
    the page of a person writes the disclosure first (`publicity.services`).
    """
    pk = vault.pk_of_token(TOKEN_KIND, token)
    if pk is None:
        return None
    today, rulebook = timezone.localdate(), load_rulebook()
    record = (
        CreditRecord.objects.publishable(on=today, rulebook=rulebook)
        .filter(pk=pk, site=site)
        .select_related("subject", "entry", "agency__region", "site", *LAWS)
        .defer(*NEVER_ASKED_FOR)
        .first()
    )
    if record is None:
        return None
    fields = list(record.version.fields.order_by("position"))
    said = public_text(record.pk) if record.subject_kind == SubjectKind.PERSON else ""
    # No number may be written into them here; what another platform sent was not asked.
    return RecordPage(record, fields, rulebook, today, hide_numbers(said))


def _months(start: datetime.date, end: datetime.date) -> int:
    return (end.year - start.year) * 12 + end.month - start.month
