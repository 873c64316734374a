"""Structured data of a public record: the same facts as on its page, and not one more."""

from rest_framework import serializers


class Answer(serializers.Serializer):  # type: ignore[misc]  # the framework bears no types
    """Something that is only ever read."""


class NamedSerializer(Answer):
    """A thing with a code and a name in both languages."""

    code = serializers.CharField()
    name = serializers.CharField()
    name_en = serializers.CharField()


class UnitSerializer(NamedSerializer):
    """A unit, and where citizens reach it."""

    phone = serializers.CharField()


class PartySerializer(Answer):
    """Whom the record is about: name as it may be shown, codes of organisations only."""

    kind = serializers.CharField(source="record.subject_kind")
    name = serializers.CharField()
    codes = serializers.ListField(child=serializers.CharField())


class ContentSerializer(Answer):
    """One published field with its value."""

    code = serializers.CharField(source="field.code")
    name = serializers.CharField(source="field.name")
    name_en = serializers.CharField(source="field.name_en")
    value = serializers.CharField()


class PublicationSerializer(Answer):
    """When it may be repaired, and the first day on which it is no longer shown; empty means no end."""

    minimum_over_on = serializers.DateField(source="repairable_from")
    withdrawn_on = serializers.DateField(source="publish_until")


class RecordSerializer(Answer):
    """A public record, made from its `RecordPage`.

    `decided_on` is the day of receipt where `dated_by_receipt` says so. `statement` is what the person says about it,
    looked over by an official, empty where nothing is shown.
    """

    token = serializers.CharField(source="record.token")
    site = serializers.CharField(source="record.site.code")
    register = NamedSerializer(source="record.entry")
    party = PartySerializer(source="*")
    document_number = serializers.CharField(source="record.document_number")
    decided_on = serializers.DateField(source="record.decided_on")
    dated_by_receipt = serializers.BooleanField()
    deciding_unit = serializers.CharField(source="unit_as_sent")
    source_unit = UnitSerializer(source="record.agency")
    effects = NamedSerializer(many=True)
    tier = serializers.CharField(source="record.tier")
    publication = PublicationSerializer(source="record")
    disputed = serializers.BooleanField(source="record.disputed")
    statement = serializers.CharField(source="words")
    content = ContentSerializer(source="contents", many=True)
    legal_basis = serializers.CharField(source="record.version.legal_basis.citation")
    published_by = serializers.CharField(source="published_by.citation")
