"""What a request for consent would show, prepared for the person who is to answer it, kind of record by kind."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.utils import timezone

from creditplatform.core.enums import Door
from creditplatform.core.models import User
from creditplatform.core.rules import RuleMissing, load_rulebook
from creditplatform.core.wording import bracketed
from records import sentences
from records.enums import Outcome, RepresentationScope, VersionState
from records.models import Authorisation, CatalogueEntry, EntryField, Subject
from records.queries.disclosure import Asker, Shown, disclose, register_answer
from records.queries.eligibility import Criteria, Person, answers
from records.queries.grants import Grant, grant_to_preview
from records.queries.scope import FieldScope
from records.selectors import is_own, representation_by, shown_text


@dataclass(frozen=True)
class ShownRecord:
    """A record as its reader sees it: one sentence, name and text of each field, the person's statement."""

    happened: str
    fields: list[tuple[str, str]]
    statement: str
    disputed: bool


@dataclass(frozen=True)
class Kind:
    """A kind of record asked for: the names that stand for it with their labels, and what would be shown of it now."""

    code: str
    label: str
    choices: list[tuple[str, str]]
    records: list[ShownRecord]


@dataclass(frozen=True)
class Preview:
    """Everything a request would show now; `answer` is the yes or no it would get, where there is one.

    A purpose answers yes or no only to a unit that has asked for everything it looks at.
    """

    kinds: list[Kind]
    answer: Outcome | None
    years: int

    @property
    def with_records(self) -> list[Kind]:
        """Kinds of which something is on file."""
        return [kind for kind in self.kinds if kind.records]

    @property
    def without_records(self) -> list[Kind]:
        """Kinds of which nothing is on file now."""
        return [kind for kind in self.kinds if not kind.records]


def preview(case: Authorisation, subject: Subject, user: User) -> Preview:
    """Exactly what would be shown now if all of it were allowed; the look stands in the access log as the own one.

    That of a representative stands there with the representation and with the number of the request. Raises
    NotPermitted where it does not cover the answer.
    """
    own = is_own(user, subject)
    by = None if own else representation_by(user, subject, RepresentationScope.CONSENT)
    grant = grant_to_preview(case, by)
    asker = Asker(agency=None, user=user, door=Door.WEB, case_number="" if own else case.number)
    shown = disclose(subject, grant, asker) if case.purpose.gives_records else []
    answer, years = _answer(case, subject, grant)
    if not case.purpose.gives_records:
        register_answer(subject.pk, grant, asker, grant.scope.entries)
    return Preview(kinds(case.requested_fields, shown), answer, years)


def kinds(names: Collection[str], shown: Sequence[Shown]) -> list[Kind]:
    """The kinds of record that names stand for, with what is shown of each; two queries."""
    scope = FieldScope.of(names)
    entries = CatalogueEntry.objects.in_bulk(scope.entries, field_name="code")
    labels = _field_labels(scope)
    found = []
    for code in scope.entries:
        own = [name for name in scope.names if name.partition(".")[0] == code]
        choices = [(name, labels.get(name, "")) for name in own]
        records = [shown_record(one) for one in shown if one.record.entry.code == code]
        found.append(Kind(code, entries[code].label if code in entries else code, choices, records))
    return found


def name_labels(names: Collection[str]) -> dict[str, str]:
    """The label of each name of a scope, a single field beside its kind of record; two queries."""
    labels = {}
    for kind in kinds(names, []):
        for name, field in kind.choices:
            labels[name] = kind.label + (bracketed(field) if field else "")
    return labels


def shown_record(one: Shown) -> ShownRecord:
    """A record with its fields in the words of a page."""
    fields = [(sentences.shown_label(item), shown_text(one.record, item, text)) for item, text in one.fields]
    return ShownRecord(sentences.what_happened(one.record), fields, one.statement, one.record.disputed)


def _field_labels(scope: FieldScope) -> dict[str, str]:
    """Labels of single fields by their names in a scope; nothing where whole kinds of record are asked for."""
    single = [name for name in scope.names if "." in name]
    if not single:
        return {}
    fields = EntryField.objects.filter(
        version__entry__code__in=scope.entries, version__state=VersionState.IN_FORCE
    ).select_related("version__entry")
    return {f"{item.version.entry.code}.{item.code}": item.label for item in fields}


def _answer(case: Authorisation, subject: Subject, grant: Grant) -> tuple[Outcome | None, int]:
    asked, all_of_it = FieldScope.of(case.requested_fields), FieldScope.of(case.purpose.fields)
    if not case.purpose.gives_eligibility or not asked.covers(all_of_it):
        return None, 0
    try:
        criteria = Criteria.on(timezone.localdate(), load_rulebook(), case.agency.site.code)
    except RuleMissing:
        return None, 0
    person = Person(0, bytes(subject.number_index), bytes(case.name_index))
    return answers([person], grant, criteria)[0].outcome, criteria.years
