"""What a report says, as plain data: the same for the page of paper and for the signed JSON."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from creditplatform.core import masking, wording
from creditplatform.core.identity import IdentifierKind
from creditplatform.core.models import Agency, Site
from creditplatform.core.rules import RuleBook
from creditplatform.core.vault import public_token
from records import sentences
from records.enums import FieldRole, Tier
from records.models import CatalogueEntry, CreditReport, EntryVersion, Subject
from records.models.record import TOKEN_KIND
from records.queries.disclosure import shown
from records.querysets import PUBLISHED
from records.reports import looked
from records.reports.extract import Extract, key_of
from records.reports.order import Order
from records.reports.sections import ADVICE, SECTIONS, Section, section_of

SCHEMA = "credit-report/1"
GROUP = 4
# Said in the head of every record, or about the person alone.
ELSEWHERE = frozenset(
    {
        FieldRole.SUBJECT_NAME, FieldRole.SUBJECT_KIND, FieldRole.IDENTITY_KIND, FieldRole.IDENTITY_NUMBER,
        FieldRole.DOCUMENT_NUMBER, FieldRole.DECIDED_ON, FieldRole.AGENCY_NAME, FieldRole.AGENCY_CODE,
        FieldRole.SOURCE_NAME, FieldRole.SOURCE_CODE, FieldRole.SOURCE_STATUS,
    }
)  # fmt: skip


@dataclass(frozen=True)
class Frame:
    """What stands around the records: who issues, when, under which number, until when it holds."""

    site: Site
    code: str
    verify: str
    at: datetime.datetime
    valid_until: datetime.date | None
    rulebook: RuleBook
    recipient: Agency | None = None
    case_number: str = ""


def grouped(code: str) -> str:
    """A code in groups of four, as it is read out and typed in."""
    return "-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP)).upper()


def file_name(report: CreditReport, *, signed: bool) -> str:
    """What a downloaded file is called, in ASCII: kind, day of issue, first group of the number."""
    kind = "unit" if report.agency_id else report.kind
    day = timezone.localdate(report.issued_at).isoformat()
    return f"credit-report-{kind}-{day}-{report.code[:GROUP].upper()}.{'jws' if signed else 'pdf'}"


def content(subject: Subject, order: Order, found: Extract, frame: Frame) -> dict[str, Any]:
    """The whole report in the active language; three queries more where the person's own looks list belongs to it."""
    at = timezone.localtime(frame.at)
    own_full = order.own and not order.special
    return {
        "schema": SCHEMA,
        "number": grouped(frame.code),
        "verify": frame.verify,
        "kind": str(order.kind),
        "title": title(order),
        "language": order.language,
        "issued_by": {"site": frame.site.label, "sponsor": frame.site.sponsor_label, "phone": phone(frame.site.phone)},
        "issued_for": {"unit": frame.recipient.label, "case": frame.case_number} if frame.recipient else None,
        "issued_at": at.isoformat(timespec="seconds"),
        "cut_off": at.isoformat(timespec="seconds"),
        "as_of": order.as_of.isoformat(),
        "historic": order.as_of < at.date(),
        "period": period(order),
        "valid_until": frame.valid_until.isoformat() if frame.valid_until else None,
        "person": person(subject, order),
        "scope": scope(order, at.date()),
        "sections": special_sections(order, found) if order.special else sections(order, found),
        "objection": objection(frame.site),
        "looks": looked.looks(subject, frame.rulebook, frame.at, frame.site.code) if own_full else None,
    }


def title(order: Order) -> str:
    """What the report is called."""
    if order.special:
        return _("Special credit report in place of certificates")
    if period(order):
        return _("Personal public credit report, decisions of a period")
    return _("Personal public credit report")


def phone(number: str) -> str:
    """A telephone number with the mark of the demonstration in the language of the report."""
    return wording.mark_translated(number)


def period(order: Order) -> dict[str, str | None] | None:
    """The period chosen, if one was."""
    if not order.period_from and not order.period_until:
        return None
    ends = {"from": order.period_from, "until": order.period_until}
    return {name: day.isoformat() if day else None for name, day in ends.items()}


def person(subject: Subject, order: Order) -> dict[str, str]:
    """Name, kind of document and number; the number masked unless the person wants it whole."""
    number = subject.number_sealed or ""
    shown_number = number if order.whole_number and order.own else masking.mask("id_number_last4", number)
    kind = IdentifierKind(subject.identifier_kind)
    return {"name": subject.name_sealed or "", "document": str(kind.label), "number": shown_number}


def scope(order: Order, today: datetime.date) -> list[str]:
    """What the report covers and what its silence does not mean."""
    said = [_("It covers what units have sent to this platform about the person with this number; it matches by number"
              " only, never by name.")]  # fmt: skip
    if order.as_of < today:
        said.append(
            _("It shows a past state: what was on file and shown at the end of %(day)s. Records may have been"
              " corrected, repaired, withdrawn or ended since; it does not say what holds today.")
            % {"day": order.as_of.isoformat()}
        )  # fmt: skip
    said.append(
        _("Records that are repaired, withdrawn, expired or withheld until their source answers are left out by law"
          " or by rule; that nothing is shown does not prove that nothing ever happened.")
    )  # fmt: skip
    if period(order):
        said.append(_("It is limited to decisions of the period named above; of others it says nothing."))
    if order.special:
        chosen = CatalogueEntry.objects.in_bulk(order.entries, field_name="code")
        kinds = wording.joined(chosen[code].label for code in order.entries)
        said.append(
            _("It is limited to the kinds of record the person has chosen: %(kinds)s. Of anything else it says nothing,"
              " not even whether there is any.") % {"kinds": kinds}
        )  # fmt: skip
    if order.grant:
        kinds = wording.joined(version.entry.label for version in covered(order))
        said.append(
            _("It is limited to what the purpose and the person's authorisation cover: %(kinds)s. Of anything else it"
              " says nothing, not even whether there is any.") % {"kinds": kinds}
        )  # fmt: skip
    said.append(_("It holds no score and no judgement of the person."))
    return said


def objection(site: Site) -> list[str]:
    """Whom to turn to against an entry, and against the report."""
    return [
        _("Against an entry: the unit that decided it, whose name and telephone number stand beside it. Correcting an"
          " error is free of charge, and the platform applies it at once."),
        _("If the unit does not answer, or for anything else: %(sponsor)s, %(phone)s.")
        % {"sponsor": site.sponsor_label, "phone": phone(site.phone)},
    ]  # fmt: skip


def sections(order: Order, found: Extract) -> list[dict[str, Any]]:
    """Every section in its order; one without anything says so."""
    by_section: dict[str, list[dict[str, Any]]] = {}
    for record in found.records:
        by_section.setdefault(section_of(record.version), []).append(item(record, order))
    for code, items in found.further.items():
        more = [{"title": "", "sentence": one.sentence, "facts": [list(fact) for fact in one.facts]} for one in items]
        by_section.setdefault(code, []).extend(more)
    kept = [section for section in SECTIONS if section.records or order.own]
    kinds = kinds_by_section(order)
    return [_section(number, section, by_section, found, order, kinds) for number, section in enumerate(kept, 1)]


def _section(
    number: int,
    section: Section,
    items: dict[str, list[dict[str, Any]]],
    found: Extract,
    order: Order,
    kinds: dict[str, list[str]],
) -> dict[str, Any]:
    here: dict[str, Any] = {"code": section.code, "number": number, "title": str(section.title)}
    said = items.get(section.code, [])
    if section.code == ADVICE:
        return {**here, "advice": advice(found.records, order.as_of), "items": [], "empty": ""}
    return {**here, "advice": [], "items": said, "empty": "" if said else nothing(order, kinds.get(section.code, []))}


def nothing(order: Order, kinds: list[str]) -> str:
    """What a section without records says: never that there is none where the report was not to look there."""
    if order.grant and not kinds:
        return _("Not covered by the purpose or the person's authorisation: nothing is said here.")
    if order.grant:
        return _("Nothing on record of what is covered here: %(kinds)s.") % {"kinds": wording.joined(kinds)}
    if period(order):
        return _("Nothing on record within the period.")
    return _("Nothing on record.")


def covered(order: Order) -> list[EntryVersion]:
    """The kinds of record a report to a unit covers, each by its newest version that was published; one query.

    Also kinds that are no longer collected, of which records may stand.
    """
    if order.grant is None:
        return []
    versions = EntryVersion.objects.filter(entry__code__in=order.grant.scope.entries, state__in=PUBLISHED)
    newest = versions.order_by("entry__code", "-valid_from", "-pk").distinct("entry__code")
    return list(newest.select_related("entry"))


def kinds_by_section(order: Order) -> dict[str, list[str]]:
    """Names of the kinds of record a report to a unit covers, by the section they stand in."""
    kinds: dict[str, list[str]] = {}
    for version in covered(order):
        kinds.setdefault(section_of(version), []).append(version.entry.label)
    return kinds


def special_sections(order: Order, found: Extract) -> list[dict[str, Any]]:
    """One part for every kind of record chosen; where there is none, that is said in so many words."""
    entries = CatalogueEntry.objects.in_bulk(order.entries, field_name="code")
    parts = []
    for number, code in enumerate(order.entries, 1):
        said = [item(record, order) for record in found.records if record.entry.code == code]
        none = _("No record of this kind within the period.") if period(order) else _("No record of this kind.")
        parts.append(
            {"code": code, "number": number, "title": entries[code].label, "advice": [], "items": said,
             "empty": "" if said else none}
        )  # fmt: skip
    return parts


def item(record: Any, order: Order) -> dict[str, Any]:
    """One record: sentence, facts, the person's statement, and that it is disputed where it is."""
    return {
        "number": public_token(TOKEN_KIND, key_of(record)),
        "entry": record.entry.code,
        "title": record.entry.label,
        "sentence": sentences.what_happened(record),
        "facts": [list(fact) for fact in (*head(record), *fields(record, order))],
        "disputed": _("The person disputes this record; it is being checked.") if record.disputed else "",
        "statement": record.statement or "",
    }


def head(record: Any) -> list[tuple[str, str]]:
    """What is said of every record alike."""
    last = record.publish_until - datetime.timedelta(days=1) if record.publish_until else None
    facts = [
        (_("Number of the decision"), record.document_number or "—"),
        (_("Decided by"), wording.clauses([record.agency.label, phone(record.agency.phone)])),
        (_("Collected on the basis of"), record.version.legal_basis.citation),
        (_("Shown in reports until"), last.isoformat() if last else _("no end set")),
    ]
    if record.tier != Tier.NONE:
        facts.append((_("Tier"), str(Tier(record.tier).label)))
    return facts


def fields(record: Any, order: Order) -> Iterable[tuple[str, str]]:
    """The fields that are open to whoever the report is for, in the order of the catalogue."""
    if order.grant:
        pairs = shown(record, order.grant).fields
    else:
        of_version = [one for one in record.version.fields.all() if not one.personal]
        pairs = [(one, str(record.payload[one.code])) for one in of_version if record.payload.get(one.code)]
    for one, text in pairs:
        if one.role not in ELSEWHERE:
            yield sentences.shown_label(one), sentences.shown_value(one, text)


def advice(records: list[Any], on: datetime.date) -> list[str]:
    """What the person can do, from the records alone: what can be repaired and from when. No judgement."""
    said = []
    for record in records:
        repair = sentences.repair_sentence(record, on)
        if repair:
            said.append(wording.explained(f"{record.entry.label} {record.document_number}".strip(), repair))
    return said or [_("No record in this report needs to be repaired.")]
