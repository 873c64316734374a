"""The forms of announcements, with examples; the documentation of the interface."""

from rest_framework import serializers

from creditplatform.core.identity import IdentifierKind
from records.api.queries.forms import DOCUMENTS, PERSON, RECEIPT
from records.enums import PriorNoticeState
from records.models.prior_notice import LONGEST_ANSWER, LONGEST_CASE, LONGEST_INTENDED
from records.services.announcements import LONGEST_DOCUMENT

REQUEST = {
    "entry": "administrative-penalty", **PERSON, "intended": "拟对销售不合格产品的行为罚款一万元。",
    "document_number": "", "case_number": "惠市监案〔2026〕18号",
}  # fmt: skip
ANNOUNCED = {
    "announcement": RECEIPT, "state": "announced", "entry": "administrative-penalty", "document_number": "",
    "case_number": "惠市监案〔2026〕18号", "reply_until": "2026-12-03", "announced_at": "2026-11-26T09:30:00+08:00",
    "shown_at": None, "read_at": None, "replied_at": None, "reply": "", "considered": "", "record": "",
    "came_early": False,
}  # fmt: skip
REPLIED = {
    **ANNOUNCED, "state": "replied", "shown_at": "2026-11-27T08:10:00+08:00", "read_at": "2026-11-27T08:12:00+08:00",
    "replied_at": "2026-11-28T20:00:00+08:00", "reply": "产品已全部召回，检测报告已补交。",
}  # fmt: skip

ANSWER = {"words": "已核对召回记录，罚款降为五千元。"}
CONSIDERED = {**REPLIED, "reply": "", "considered": ANSWER["words"]}
WITHDRAWN = {**ANNOUNCED, "state": "withdrawn", "shown_at": "2026-11-27T08:10:00+08:00"}


class AnswerForm(serializers.Serializer):  # type: ignore[misc]
    """How the unit has taken the reply into account."""

    words = serializers.CharField(max_length=LONGEST_ANSWER, help_text="In plain words; the person reads it.")


class EndForm(serializers.Serializer):  # type: ignore[misc]
    """That nothing comes of it, and how a reply was taken into account."""

    words = serializers.CharField(
        required=False, allow_blank=True, max_length=LONGEST_ANSWER, help_text="Only where the person has replied."
    )


class AnnouncementRequestForm(serializers.Serializer):  # type: ignore[misc]
    """What is announced to whom."""

    entry = serializers.CharField(help_text="Code of a catalogue entry whose records the client's unit may send.")
    name = serializers.CharField(help_text="As on the document; spaces and widths do not matter.")
    document = serializers.ChoiceField(DOCUMENTS, default=IdentifierKind.RESIDENT_ID.value)
    number = serializers.CharField(help_text="Number of the document.")
    intended = serializers.CharField(
        max_length=LONGEST_INTENDED, help_text="What is intended and why, in plain words; the person reads it."
    )
    reply_until = serializers.DateField(
        required=False, help_text="Last day for the reply; left out, the usual number of working days."
    )
    document_number = serializers.CharField(
        required=False, allow_blank=True, max_length=LONGEST_DOCUMENT,
        help_text="Of the decision, where it has one already: then only the record of this number follows.",
    )  # fmt: skip
    case_number = serializers.CharField(
        required=False, allow_blank=True, max_length=LONGEST_CASE, help_text="Of the unit's file; the person reads it."
    )


class AnnouncementForm(serializers.Serializer):  # type: ignore[misc]
    """An announcement as it stands now; it names nobody."""

    announcement = serializers.CharField(help_text="Its number.")
    state = serializers.ChoiceField(PriorNoticeState.choices)
    entry = serializers.CharField()
    document_number = serializers.CharField(allow_blank=True)
    case_number = serializers.CharField(allow_blank=True)
    reply_until = serializers.DateField()
    announced_at = serializers.DateTimeField()
    shown_at = serializers.DateTimeField(allow_null=True, help_text="When the person was shown the letter.")
    read_at = serializers.DateTimeField(allow_null=True, help_text="When the person said they have read it.")
    replied_at = serializers.DateTimeField(allow_null=True)
    reply = serializers.CharField(allow_blank=True, help_text="What the person said; to be given it is a look.")
    considered = serializers.CharField(allow_blank=True, help_text="How the unit has taken the reply into account.")
    record = serializers.CharField(allow_blank=True, help_text="Number of the record that has followed.")
    came_early = serializers.BooleanField(help_text="The record came before a reply and before its time had passed.")
