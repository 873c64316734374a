"""What a record says to the person it is about, in plain sentences with dates."""

import datetime
import re
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from creditplatform.core.enums import AgencyKind
from creditplatform.core.wording import after_one_another, in_yuan, joined
from records.enums import FieldRole, FieldType, InformationClass, Outcome, Polarity, RecordState, SubjectKind
from records.feeds.values import NO_END
from records.feeds.vocabulary import SUBJECT_KINDS, codes, effects
from records.labels import code_label, effect_label
from records.models import CreditRecord, EntryField

EXPLAINED = re.compile(r"\s*[(（][^()（）]*[)）]\s*$")
UNIT_OF_AMOUNTS = "万元"  # 10,000 yuan; the same in every language, since systems compare it
KEPT_IN = re.compile(r"\s*[(（](?:万元|10,000 yuan)[)）]\s*$", re.IGNORECASE)


ACTS = frozenset({InformationClass.ADMINISTRATIVE, InformationClass.ABNORMAL, InformationClass.SERIOUS_LIST})


class Tone(StrEnum):
    """How a status is marked; always beside words, never by colour alone."""

    GOOD = "good"
    INFO = "info"
    WARN = "warn"
    BAD = "bad"


# How a yes, a no and a question for a person are marked, with the sign beside the words.
OUTCOME_MARKS = {
    Outcome.YES: (Tone.GOOD, "✓"), Outcome.NO: (Tone.BAD, "✕"), Outcome.PERSON: (Tone.WARN, "?"),
}  # fmt: skip


@dataclass(frozen=True)
class Status:
    """A status in words with its sign and tone."""

    tone: Tone
    sign: str
    words: str


def effect_labels(codes: list[str]) -> list[str]:
    """Labels of effect codes in the language of the page."""
    return [effect_label(code) for code in codes if code in effects().by_code]


def shown_label(field: EntryField) -> str:
    """A field's name; of an amount without the unit in which it is kept, since it is shown in yuan.

    Nor does the name explain codes that are shown in words.
    """
    if field.code in codes():
        return EXPLAINED.sub("", field.label)
    return KEPT_IN.sub("", field.label) if field.type == FieldType.AMOUNT else field.label


def kept_unit(field: EntryField) -> str:
    """The unit of a field's text as it is kept and handed to systems; empty for whatever is no amount."""
    return UNIT_OF_AMOUNTS if field.type == FieldType.AMOUNT else ""


def shown_value(field: EntryField, text: str) -> str:
    """A field's text as a page shows it: amounts in yuan, effects, kinds of subject, codes and no last day in words."""
    if field.type == FieldType.AMOUNT:
        return in_yuan(text)
    if field.type == FieldType.EFFECTS:
        codes = effects().find(text, field.separators, frozenset(field.choices))
        return joined(effect_labels(codes)) if codes else text
    if field.type == FieldType.DATE and text == NO_END.isoformat():
        return _("without an end")
    if field.role == FieldRole.SUBJECT_KIND and text in SUBJECT_KINDS:
        return str(SUBJECT_KINDS[text].label)
    return code_label(field.code, text)


def what_happened(record: CreditRecord) -> str:
    """One sentence: who decided what, when, under which number."""
    values = {
        "agency": record.agency.label,
        "entry": record.entry.label,
        "day": record.decided_on.isoformat(),
        "effects": joined(effect_labels(record.effects)),
        "number": record.document_number or _("no number given"),
    }
    if record.effects:
        return _("%(agency)s decided on %(day)s: %(effects)s (%(entry)s, %(number)s).") % values
    return _("%(agency)s recorded on %(day)s: %(entry)s (%(number)s).") % values


def shown_until(record: CreditRecord, on: datetime.date, *, public: bool) -> str:
    """One sentence: whether the public sees it (as `publishable` says), and the last day on which it does."""
    if public:
        if record.publish_until is None:
            return _("It is shown to the public without an end date.")
        return _("It is shown to the public until %(day)s and then disappears by itself.") % {"day": _last_day(record)}
    return str(_not_shown(record, on))


def _not_shown(record: CreditRecord, on: datetime.date) -> str | Promise:
    if record.state != RecordState.IN_FORCE:
        return NO_LONGER[RecordState(record.state)]
    if record.withheld:
        return gettext_lazy("It is not shown until the source has answered.")
    if record.publish_until is not None and on >= record.publish_until:
        return format_lazy(gettext_lazy("Publication ended on {day}."), day=_last_day(record))
    if record.subject_kind == SubjectKind.PERSON:
        return gettext_lazy("It is not shown to the public: no law publishes this kind of record about a person.")
    return gettext_lazy("It is not shown to the public.")


NO_LONGER = {
    RecordState.REPAIRED: gettext_lazy("It was repaired: no longer shown, shared or used."),
    RecordState.REVOKED: gettext_lazy("The unit that decided has withdrawn it: no longer shown, shared or used."),
    RecordState.EXPIRED: gettext_lazy("Publication has ended."),
    RecordState.ARCHIVED: gettext_lazy("It is archived and no longer used."),
}


def repair_sentence(record: CreditRecord, on: datetime.date) -> str:
    """One sentence on repair for an unfavourable record in force; empty where there is nothing to repair."""
    if record.polarity != Polarity.NEGATIVE or record.state != RecordState.IN_FORCE or not record.repairable_from:
        return ""
    if on >= record.repairable_from:
        return _("You may apply for repair now, once the duties of the decision are fulfilled. It is free of charge.")
    return _("You may apply for repair from %(day)s, once the duties of the decision are fulfilled. It is free.") % {
        "day": record.repairable_from.isoformat()
    }


IN_TIME = gettext_lazy(
    "Administrative reconsideration: within %(days)s days of learning of the decision, so until %(day)s at least."
)
TIME_OVER = gettext_lazy(
    "Administrative reconsideration: within %(days)s days of learning of the decision. If you learned of it on the day"
    " it was made, they ended on %(day)s; if later, they run from then."
)
ORGAN = gettext_lazy(
    "As a rule ask the people's government of %(region)s; for decisions of customs, taxation, finance, foreign exchange"
    " or state security, the authority one level above. The decision itself names organ, court and time."
)


def reconsideration_sentence(record: CreditRecord, on: datetime.date, days: int | None) -> str:
    """Organ and last day of administrative reconsideration; empty where no administrative organ decided against them.

    `days` from the day the person learns of the decision (Administrative Reconsideration Law, 2023). Nobody here knows
    that day, so the one counted from the decision is told as the earliest end.
    """
    if days is None or record.polarity != Polarity.NEGATIVE or not _is_act(record):
        return ""
    end = record.decided_on + datetime.timedelta(days=days)
    values = {"days": days, "day": end.isoformat(), "region": record.agency.region.label}
    return after_one_another(str(words) % values for words in (IN_TIME if on <= end else TIME_OVER, ORGAN))


def _is_act(record: CreditRecord) -> bool:
    """Whether an administrative organ decided something about somebody, which can be asked to be reconsidered."""
    return record.agency.kind == AgencyKind.DEPARTMENT and record.version.information_class in ACTS


def _last_day(record: CreditRecord) -> str:
    return record.last_day_shown.isoformat() if record.last_day_shown else ""


def status(record: CreditRecord, *, public: bool) -> Status:
    """The status of a record in two or three words; `public` as `publishable` says."""
    if record.disputed:
        return Status(Tone.WARN, "▲", _("Disputed, being checked"))
    if record.state != RecordState.IN_FORCE:
        tone = Tone.GOOD if record.state == RecordState.REPAIRED else Tone.INFO
        return Status(tone, "✓", str(RecordState(record.state).label))
    if public:
        if record.publish_until is None:
            return Status(Tone.INFO, "●", _("Public, without end"))
        return Status(Tone.INFO, "●", _("Public until %(day)s") % {"day": _last_day(record)})
    return Status(Tone.GOOD, "○", _("Not public"))
