"""The forms of what the interface says of feeds, batches and problems; also its documentation."""

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from records.api.deliveries import examples
from records.enums import BatchState, ColumnFate, FeedFormat, FieldType, Required, Rhythm, RowState


class FieldForm(serializers.Serializer):  # type: ignore[misc]
    """A field of the catalogue entry: what a column may hold."""

    code = serializers.CharField(help_text="Code of the field; a name of a column that always works.")
    name = serializers.CharField(help_text="Chinese name of the column standard.")
    name_en = serializers.CharField(help_text="English name.")
    type = serializers.ChoiceField(FieldType.choices)
    length = serializers.IntegerField(help_text="Most characters.")
    required = serializers.ChoiceField(Required.choices, help_text="When the field must be filled.")
    when_field = serializers.CharField(allow_blank=True, help_text="With `when`: the field it depends on.")
    when_any = serializers.ListField(
        child=serializers.CharField(), help_text="With `when`: the values of that field; empty means any value."
    )
    one_of = serializers.CharField(allow_blank=True, help_text="Of the fields of one group at least one is filled.")
    pattern = serializers.CharField(allow_blank=True, help_text="Regular expression the whole value matches.")
    choices = serializers.ListField(child=serializers.CharField(), help_text="Allowed values; empty means free text.")
    personal = serializers.BooleanField(help_text="Personal data: kept sealed, never published.")
    headers = serializers.ListField(
        child=serializers.CharField(), source="aliases", help_text="Other headers that stand for the field."
    )


class FeedForm(serializers.Serializer):  # type: ignore[misc]
    """A feed of the client's unit: what it promised to deliver."""

    code = serializers.CharField()
    name = serializers.CharField()
    name_en = serializers.CharField()
    entry = serializers.CharField(help_text="Code of the catalogue entry.")
    version = serializers.IntegerField(allow_null=True, help_text="Version in force today; null where none is.")
    format = serializers.ChoiceField(FeedFormat.choices)
    rhythm = serializers.ChoiceField(Rhythm.choices)
    active = serializers.BooleanField(help_text="A feed that is switched off takes no deliveries.")
    dated_by_receipt = serializers.BooleanField(help_text="Rows without a date count from their first receipt.")
    template = serializers.URLField(help_text="The template workbook.")
    batches = serializers.URLField(help_text="Where deliveries are posted.")
    fields = serializers.ListField(child=FieldForm())


class FeedsForm(serializers.Serializer):  # type: ignore[misc]
    """All feeds of the client's unit."""

    feeds = FeedForm(many=True)


class ColumnForm(serializers.Serializer):  # type: ignore[misc]
    """A column of a file and what becomes of it."""

    header = serializers.CharField(help_text="As in the file; what looks like a number of a person is hidden.")
    field = serializers.CharField(allow_blank=True, help_text="Code of the field; empty where there is none.")
    fate = serializers.ChoiceField(ColumnFate.choices)
    filled = serializers.BooleanField(required=False, help_text="Whether the first rows hold anything in it.")


class ReceiptForm(serializers.Serializer):  # type: ignore[misc]
    """What became of a delivery; received = accepted + unchanged + quarantined + rejected at every moment."""

    batch = serializers.IntegerField(help_text="Number of the batch.")
    state = serializers.ChoiceField(
        BatchState.choices,
        help_text="`received` and `checking`: at work, ask again. `mapping`: confirm the columns. Others: at its end.",
    )
    received = serializers.IntegerField(help_text="Rows read.")
    accepted = serializers.IntegerField(help_text="Rows that made or changed a record.")
    unchanged = serializers.IntegerField(help_text="Rows that said what is on record already.")
    quarantined = serializers.IntegerField(help_text="Rows set aside, to be mended.")
    rejected = serializers.IntegerField(help_text="Rows that may not be kept at all.")
    seconds = serializers.FloatField(help_text="Seconds of work.")
    problems = serializers.DictField(child=serializers.IntegerField(), help_text="Number of rows by problem code.")
    error = serializers.CharField(allow_blank=True, help_text="With `refused`: code of the reason.")
    message = serializers.CharField(allow_blank=True, help_text="The reason in words.")
    feed = serializers.CharField(help_text="Code of the feed.")
    columns = ColumnForm(many=True)
    agency_unchecked = serializers.BooleanField(
        help_text="No credit code of the unit is on file, so it was not checked who may decide and send."
    )


class ProblemForm(serializers.Serializer):  # type: ignore[misc]
    """One thing wrong with one field, and how to mend it."""

    field = serializers.CharField(allow_blank=True, help_text="Code of the field; empty where it is the whole row.")
    code = serializers.CharField(help_text="Stable code of the problem.")
    message = serializers.CharField(help_text="How to mend it, in the language asked for.")


class RowForm(serializers.Serializer):  # type: ignore[misc]
    """A row that was not accepted; never its values."""

    row = serializers.IntegerField(help_text="Number of the row, from 1.")
    line = serializers.IntegerField(help_text="Line of the file; in JSON the number of the record.")
    state = serializers.ChoiceField(RowState.choices)
    batch = serializers.IntegerField(help_text="The delivery that set the row aside; an earlier one where it repeats.")
    problems = ProblemForm(many=True)


class ProblemsForm(serializers.Serializer):  # type: ignore[misc]
    """A page of rows that were not accepted, in the order of the file."""

    rows = RowForm(many=True)
    next = serializers.URLField(allow_null=True, help_text="The next page; null after the last one.")


class WaitingForm(serializers.Serializer):  # type: ignore[misc]
    """A batch that waits for its columns, with what is proposed for each."""

    batch = serializers.IntegerField()
    columns = ColumnForm(many=True)


class MappingForm(serializers.Serializer):  # type: ignore[misc]
    """What was confirmed for a feed, and the batches that wait for a confirmation."""

    feed = serializers.CharField()
    columns = serializers.DictField(
        child=serializers.CharField(allow_blank=True), help_text="Field code by header; empty: not taken in."
    )
    waiting = WaitingForm(many=True)


@extend_schema_serializer(examples=[OpenApiExample("Confirm two columns", value=examples.CHOICES, request_only=True)])
class ConfirmForm(serializers.Serializer):  # type: ignore[misc]
    """Which column is which field, said once for the feed."""

    columns = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=40),
        allow_empty=False,
        help_text="Field code by header as in the file; an empty code leaves the column out from now on.",
    )


class DeliveryForm(serializers.Serializer):  # type: ignore[misc]
    """Records by field code or any known header."""

    rows = serializers.ListField(
        child=serializers.DictField(child=serializers.CharField(allow_blank=True, allow_null=True)),
        help_text="One object per record; values are texts, numbers or null.",
    )
