"""The sections of a personal report in their order, and which of them a kind of record belongs to.

Apps above add what they know with `contribute`, called from their `apps.ready()`; a report asks all of them.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from records.enums import Edition, InformationClass, KeyField, Polarity
from records.models import EntryVersion


@dataclass(frozen=True)
class Section:
    """One section; `records` says that records stand in it, the others are written by the report itself."""

    code: str
    title: Promise
    records: bool = True


BASIC, ADMINISTRATION, HONESTY, ADVICE, OTHER, LOCAL = "basic", "administration", "honesty", "advice", "other", "local"
SECTIONS = (
    Section(BASIC, _("Basic information")),
    Section(ADMINISTRATION, _("Administrative management")),
    Section(HONESTY, _("Honesty and trust")),
    Section("serious", _("Serious untrustworthiness")),
    Section("abnormal", _("Abnormal operation")),
    Section("commitments", _("Credit commitments")),
    Section("evaluation", _("Credit evaluation")),
    Section("judicial", _("Judgments and enforcement")),
    Section("qualifications", _("Titles and professional qualifications")),
    Section(OTHER, _("Other information")),
    Section(ADVICE, _("Advice on improving credit"), records=False),
    Section(LOCAL, _("Local supplement")),
)
CODES = tuple(section.code for section in SECTIONS)
BY_CLASS = {
    InformationClass.REGISTRATION: BASIC,
    InformationClass.ADMINISTRATIVE: ADMINISTRATION,
    InformationClass.HONOUR: HONESTY,
    InformationClass.SERIOUS_LIST: "serious",
    InformationClass.ABNORMAL: "abnormal",
    InformationClass.COMMITMENT: "commitments",
    InformationClass.EVALUATION: "evaluation",
    InformationClass.JUDICIAL: "judicial",
    InformationClass.QUALIFICATION: "qualifications",
}


def section_of(version: EntryVersion) -> str:
    """The section of a kind of record: by edition and key field where these say it, else by class of information."""
    if version.edition == Edition.LOCAL:
        return LOCAL
    if version.field == KeyField.VOLUNTEERING and version.polarity != Polarity.NEGATIVE:
        return HONESTY
    return BY_CLASS.get(InformationClass(version.information_class), OTHER)


@dataclass(frozen=True)
class Item:
    """What an app above says in a section, in the language of the report.

    `key` names the thing and `state` what of it may not change unnoticed; both are codes, never words.
    """

    key: str
    state: str
    sentence: str
    facts: list[tuple[str, str]] = field(default_factory=list)


Source = Callable[[int, datetime.date], list[Item]]
_sources: dict[str, list[Source]] = {}


def contribute(section: str, source: Source) -> None:
    """Let an app above say something in a section: given the key of the person and the day. ValueError if unknown."""
    if section not in CODES:
        raise ValueError(section)
    if source not in _sources.setdefault(section, []):
        _sources[section].append(source)


def contributed(subject_id: int, on: datetime.date) -> dict[str, list[Item]]:
    """What the apps above say about a person on a day, by section."""
    return {code: [item for source in sources for item in source(subject_id, on)] for code, sources in _sources.items()}
