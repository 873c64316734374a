"""A record, a person, a draft version and whatever else an act of a test needs."""

import datetime
from typing import Any

from django.db import models

from creditplatform.core.enums import Authority, Door
from creditplatform.core.models import (
    AccessLog,
    Agency,
    Notice,
    RuleValue,
)
from creditplatform.core.vault import blind_index
from records.enums import AffiliationRole, FieldType, VersionState
from records.models import (
    Affiliation,
    CreditRecord,
    Entitlement,
    EntryField,
    EntryVersion,
    Feed,
    FeedBatch,
    KeyGroup,
    KeyGroupMembership,
    QuarantinedRow,
    Subject,
    UnitNotice,
)
from tests.cast import Cast
from tests.deliveries import one_record

DAY = datetime.date(2026, 1, 1)


class World:
    """What the provocations need: a record, a person, a draft version, each made once per test."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.record = one_record(1)
        self.person: Subject = cast.person.real_name.subject
        self.company = self.record.subject
        self.market = Agency.objects.get(code="hz-market")
        self.version = self.record.version

    @property
    def negative(self) -> models.QuerySet[CreditRecord]:
        return CreditRecord.objects.filter(pk=self.record.pk)

    @property
    def neutral(self) -> models.QuerySet[CreditRecord]:
        """A record of a company that speaks neither for nor against it."""
        entitlement = Entitlement.objects.filter(
            entry__versions__polarity="positive", entry__versions__state="in_force"
        ).select_related("agency")[0]
        version = entitlement.entry.versions.get(state="in_force")
        copy = CreditRecord.objects.get(pk=self.record.pk)
        copy.pk, copy.entry_id, copy.version, copy.polarity = None, entitlement.entry_id, version, version.polarity
        copy.agency, copy.site_id = entitlement.agency, entitlement.agency.site_id
        copy.save(force_insert=True)
        return CreditRecord.objects.filter(pk=copy.pk)

    def draft(self, **changes: Any) -> EntryVersion:
        """A copy of a version as a draft."""
        copy = EntryVersion.objects.get(pk=self.version.pk)
        values = {"pk": None, "number": 90, "state": VersionState.DRAFT, **changes}
        for name, value in values.items():
            setattr(copy, name, value)
        copy.save()
        return copy

    def field(self, **values: Any) -> EntryField:
        words = {"position": 1, "code": "A", "name": "甲", "name_en": "A", "type": FieldType.TEXT, **values}
        words.setdefault("version", None)
        words["version"] = words["version"] or self.draft()
        return EntryField.objects.create(**words)

    def rule(self, **values: Any) -> RuleValue:
        words = {
            "key": "test.rule", "value": 1, "valid_from": DAY, "legal_basis": "law", "confirmed": True,
            "delivered": True, "in_force": True, **values,
        }  # fmt: skip
        return RuleValue.objects.create(**words)

    def batch(self, **values: Any) -> FeedBatch:
        feed = Feed.objects.get(code="hz-market-penalty")
        words = {"feed": feed, "file_name": "f", "file_digest": "0" * 64, "size": 1, "door": Door.COMMAND, **values}
        return FeedBatch.objects.create(**words)

    def row(self, **values: Any) -> QuarantinedRow:
        batch = FeedBatch.objects.all()[0]
        words = {
            "batch": batch, "feed": batch.feed, "row_number": 1, "line_number": 2, "cells": "{}", "state": "open",
            "row_digest": b"0" * 16, "problems": [{"field": "", "code": "x"}], **values,
        }  # fmt: skip
        return QuarantinedRow.objects.create(**words)

    def affiliation(self, **values: Any) -> Affiliation:
        words = {
            "person": self.person, "organisation": self.company, "role": AffiliationRole.MEMBER, "valid_from": DAY,
            **values,
        }  # fmt: skip
        return Affiliation.objects.create(**words)

    def key_group(self, **values: Any) -> KeyGroupMembership:
        words = {
            "subject": self.person, "group": KeyGroup.objects.all()[0], "licence_number": "1", "valid_from": DAY,
            **values,
        }  # fmt: skip
        return KeyGroupMembership.objects.create(**words)

    def organisation(self, **values: Any) -> Subject:
        words = {
            "kind": "organisation", "identifier_kind": "credit_code", "number_index": blind_index("x", "t"),
            "name_index": blind_index("y", "t"), "code": "C1", "name": "N1", **values,
        }  # fmt: skip
        return Subject.objects.create(**words)

    def notice(self, **values: Any) -> Notice:
        words = {
            "addressee": blind_index("x", "t"), "code": "c", "subject_key": "s", "text": "t", "text_en": "t", **values,
        }  # fmt: skip
        return Notice.objects.create(**words)

    def unit_notice(self, **values: Any) -> UnitNotice:
        words = {"agency": self.market, "code": "c", "day": DAY, "text": "t", "text_en": "t", **values}
        return UnitNotice.objects.create(**words)

    def look(self, **values: Any) -> AccessLog:
        words = {
            "door": Door.WEB, "purpose": "p", "authority": Authority.SELF, "subject_ref": 1, "result": "shown",
            **values,
        }  # fmt: skip
        return AccessLog.objects.create(**words)
