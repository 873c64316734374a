"""What a team using django-import-export would write for the same rows: two resources over the same model.

Both do what the pipeline does to a row: numbers checked and found by blind index, personal values sealed,
tier and dates computed, content kept by field code. The bulk one makes and finds its subjects for the
whole file at once and spares every look at the table that it may.
"""

import datetime
from functools import cache
from hashlib import blake2b
from typing import Any

import msgspec
from import_export import fields, resources, widgets

from creditplatform.core.identity import IdentifierKind, check, grams
from records import rules
from records.enums import Polarity, SubjectKind
from records.feeds.plan import Plan, plan_for
from records.feeds.values import parse_amount, parse_date
from records.feeds.vocabulary import IDENTIFIER_KINDS, SUBJECT_KINDS, effects
from records.identifiers import Identifier, identifier, name_index
from records.models import CreditRecord, Feed, Subject

FEED = "benchmark-penalty"


@cache
def plan() -> Plan:
    """Version, unit and rules of the day, read once."""
    return plan_for(Feed.objects.select_related("agency", "entry").get(code=FEED))


@cache
def record_periods(tier: str, decided_on: datetime.date) -> rules.Periods:
    """The dates of a record, remembered as a careful developer would."""
    return rules.periods(rules.Tier(tier), decided_on, plan().today, plan().rulebook, field=plan().key_field)


@cache
def effect_codes(text: str) -> tuple[str, ...]:
    """The codes of the kinds of penalty, remembered too."""
    found = effects().find(text, ";；", frozenset())
    if found is None:
        raise ValueError("Unknown kind of penalty")
    return tuple(found)


def subject_of(row: dict[str, str]) -> tuple[str, Identifier]:
    """Kind and checked number of the party."""
    kind = SUBJECT_KINDS[row["CF_XDR_LB"]]
    if kind == SubjectKind.PERSON:
        number = identifier(IDENTIFIER_KINDS[row["CF_XDR_ZJLX"]], row["CF_XDR_ZJHM"])
    else:
        number = identifier(IdentifierKind.CREDIT_CODE, row["CF_XDR_SHXYM"])
    if check(number.kind, number.number):
        raise ValueError("The number is wrong")
    return kind, number


def subject_values(kind: str, number: Identifier, name: str) -> dict[str, Any]:
    """The columns of a new subject."""
    values: dict[str, Any] = {"kind": kind, "identifier_kind": number.kind, "name_index": name_index(name)}
    if kind == SubjectKind.PERSON:
        return {**values, "number_sealed": number.number, "name_sealed": name}
    return {**values, "code": number.number, "name": name, "codes": [number.number], "grams": grams(name)}


class PenaltyResource(resources.ModelResource):
    """The default mode: rows one by one, each found by its natural key, with a diff for the preview."""

    subject_id = fields.Field("subject_id", "subject_id", widget=widgets.IntegerWidget())
    entry_id = fields.Field("entry_id", "entry_id", widget=widgets.IntegerWidget())
    agency_id = fields.Field("agency_id", "agency_id", widget=widgets.IntegerWidget())
    document_number = fields.Field("document_number", "CF_WSH")
    decided_on = fields.Field("decided_on", "CF_JDRQ", widget=widgets.DateWidget("%Y-%m-%d"))

    class Meta:
        model = CreditRecord
        fields = ("subject_id", "entry_id", "agency_id", "document_number", "decided_on")
        import_id_fields = ("subject_id", "entry_id", "agency_id", "document_number")

    def before_import(self, dataset: Any, **_options: Any) -> None:
        """Make room for the keys that the file does not know."""
        for name in ("subject_id", "entry_id", "agency_id"):
            dataset.append_col([None] * len(dataset), header=name)

    def before_import_row(self, row: dict[str, Any], **_options: Any) -> None:
        """Find or make the party, and say what every row has in common."""
        kind, number = subject_of(row)
        row["subject_kind"] = kind
        row["subject_id"] = self.find_subject(kind, number, row["CF_XDR_MC"])
        row["entry_id"], row["agency_id"] = plan().version.entry_id, plan().agency.pk

    def find_subject(self, kind: str, number: Identifier, name: str) -> int:
        """The key of the party, made where it is new."""
        found, _created = Subject.objects.get_or_create(
            number_index=number.blind_index, defaults=subject_values(kind, number, name)
        )
        return int(found.pk)

    def before_save_instance(self, instance: CreditRecord, row: dict[str, Any], **_options: Any) -> None:
        """Everything that is computed or gathered from several columns."""
        instance.subject_kind = row["subject_kind"]
        # Objects instead of keys: the library prints every instance, which would otherwise fetch the entry each time.
        instance.entry, instance.version = plan().version.entry, plan().version
        instance.agency, instance.site_id = plan().agency, plan().agency.site_id
        instance.field, instance.polarity = plan().key_field, Polarity.NEGATIVE
        self._set_periods(instance, row)
        self._set_content(instance, row)

    def _set_periods(self, instance: CreditRecord, row: dict[str, Any]) -> None:
        instance.effects = list(effect_codes(row["CF_CFLB"]))
        instance.tier = rules.tier_of_effects(instance.effects, plan().rulebook, plan().today)
        found = record_periods(instance.tier, instance.decided_on)
        instance.repairable_from, instance.publish_until = found.repairable_from, found.publish_until
        instance.retain_until = found.retain_until

    def _set_content(self, instance: CreditRecord, row: dict[str, Any]) -> None:
        for code in ("CF_NR_FK", "CF_NR_WFFF"):
            row[code] = row[code] and parse_amount(row[code])
        for code in ("CF_YXQ", "CF_GSJZQ"):
            row[code] = row[code] and str(parse_date(row[code]))
        content = {field.code: row[field.code] for field in plan().content if row.get(field.code)}
        if instance.subject_kind == SubjectKind.PERSON:
            content.pop("CF_XDR_MC")
        sealed = {field.code: row[field.code] for field in plan().sealed_content if row.get(field.code)}
        instance.payload = content
        instance.sealed_payload = msgspec.json.encode(sealed).decode() if sealed else None
        parts = (msgspec.json.encode(content), msgspec.json.encode(sealed), row["CF_JDRQ"].encode())
        instance.digest = blake2b(b"\0".join(parts), digest_size=16, key=plan().digest_key).digest()


class BulkPenaltyResource(PenaltyResource):
    """The bulk mode: no diff, no look for an existing row, subjects made and found for the whole file at once."""

    class Meta:
        use_bulk = True
        batch_size = 1000
        skip_diff = True
        skip_html_diff = True
        force_init_instance = True

    def before_import(self, dataset: Any, **_options: Any) -> None:
        """Make the parties that are not on file, then learn the keys of all of them."""
        super().before_import(dataset)
        wanted: dict[bytes, Subject] = {}
        for row in dataset.dict:
            kind, number = subject_of(row)
            index = number.blind_index
            if index not in wanted:
                wanted[index] = Subject(number_index=index, **subject_values(kind, number, row["CF_XDR_MC"]))
        Subject.objects.bulk_create(wanted.values(), batch_size=1000, ignore_conflicts=True)
        found = Subject.objects.filter(number_index__in=list(wanted)).values_list("number_index", "pk")
        self._subjects = {bytes(index): pk for index, pk in found}

    def find_subject(self, kind: str, number: Identifier, name: str) -> int:
        """The key learned at the beginning."""
        return self._subjects[number.blind_index]
