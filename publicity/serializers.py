"""Structured data of a public record: the same facts as on its page, and not one more."""

from typing import Any

from rest_framework import serializers

from publicity.selectors.records import RecordPage
from records.models import CreditRecord


class NamedSerializer(serializers.Serializer[Any]):
    """A thing with a code and a name in both languages."""

    code = serializers.CharField()
    name = serializers.CharField()
    name_en = serializers.CharField()


class UnitSerializer(NamedSerializer):
    """A unit, and where citizens reach it."""

    phone = serializers.CharField()


class PartySerializer(serializers.Serializer[RecordPage]):
    """Whom the record is about: name as it may be shown, codes of organisations only."""

    kind = serializers.CharField(source="record.subject_kind")
    name = serializers.CharField()
    codes = serializers.ListField(child=serializers.CharField())


class ContentSerializer(serializers.Serializer[Any]):
    """One published field with its value."""

    code = serializers.CharField(source="field.code")
    name = serializers.CharField(source="field.name")
    name_en = serializers.CharField(source="field.name_en")
    value = serializers.CharField()


class PublicationSerializer(serializers.Serializer[CreditRecord]):
    """When it may be repaired, and the first day on which it is no longer shown; empty means no end."""

    minimum_over_on = serializers.DateField(source="repairable_from")
    withdrawn_on = serializers.DateField(source="publish_until")


class RecordSerializer(serializers.Serializer[RecordPage]):
    """A public record. `decided_on` is the day of receipt where `dated_by_receipt` says so."""

    token = serializers.CharField(source="record.token")
    site = serializers.CharField(source="record.site.code")
    register = NamedSerializer(source="record.entry")
    party = PartySerializer(source="*")
    document_number = serializers.CharField(source="record.document_number")
    decided_on = serializers.DateField(source="record.decided_on")
    dated_by_receipt = serializers.BooleanField()
    deciding_unit = serializers.CharField()
    source_unit = UnitSerializer(source="record.agency")
    effects = NamedSerializer(many=True)
    tier = serializers.CharField(source="record.tier")
    publication = PublicationSerializer(source="record")
    disputed = serializers.BooleanField(source="record.disputed")
    content = ContentSerializer(source="contents", many=True)
    legal_basis = serializers.CharField(source="record.version.legal_basis.citation")
