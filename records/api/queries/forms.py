"""The forms of what is asked and answered about persons, with examples; the documentation of the interface."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from creditplatform.core.enums import Authority
from creditplatform.core.identity import PERSON_KINDS, IdentifierKind
from records.enums import AuthorisationState, BatchCheckState, HumanReviewState, NotChecked, Outcome, QueryState

DOCUMENTS = [kind.value for kind in PERSON_KINDS]
RECEIPT = "a4xq7m2knbvw5yz3c6dphtj2fe"
TOKEN = "mfj3w5q7ya2kx6nbvzc4dphtre"  # noqa: S105 - an invented number
PERSON = {"name": "示例甲", "document": "resident_id", "number": "441300199001019986"}
BY_CONSENT = {"authority": "consent", "reference": RECEIPT}
BY_STATUTE = {"authority": "statute", "reference": "company-law-178"}
ASKED = {"purpose": "green-channel", **BY_CONSENT, "case_number": "惠市监许〔2026〕18号", **PERSON}
NAMED = {
    "record": TOKEN, "entry": "administrative-penalty", "title": "行政处罚", "unit": "惠州市市场监督管理局",
    "decided_on": "2026-09-02", "disputed": False, "statement": "",
}  # fmt: skip
ANSWER = {
    "outcome": "no",
    "reasons": [{"code": "records", "message": "期限内有不良记录"}],
    "rule": {
        "decided_after": "2023-11-26", "decided_until": "2026-11-26", "years": 3, "tiers": ["general", "serious"],
        "legal_basis": "惠州市实施方案（三）1",
    },
    "records": [NAMED],
    "review": "您或者当事人可以要求由本单位人员重新认定。",
    "access": TOKEN,
}  # fmt: skip
WAITING = {
    "query": TOKEN, "state": "submitted", "refusal": "", "asked_at": "2026-11-26T09:30:00+08:00",
    "address": f"https://credit.example.org/api/v1/queries/{TOKEN}/",
}  # fmt: skip


RECORDS = {
    "records": [
        {
            "record": TOKEN, "entry": "administrative-penalty", "title": "行政处罚", "disputed": False, "statement": "",
            "fields": [
                {"code": "CF_WSH", "name": "行政处罚决定书文号", "value": "示例罚〔2026〕1号", "unit": ""},
                {"code": "CF_NR_FK", "name": "罚款金额", "value": "10", "unit": "万元"},
            ],
        }
    ]
}  # fmt: skip
REVIEW = {
    "review": TOKEN, "state": "requested", "due_on": "2026-12-10", "automatic_answer": "no", "decision": "",
    "grounds": "",
}  # fmt: skip
LIST = {
    "purpose": "green-channel", "authority": "consent", "case_number": "惠市监许〔2026〕18号",
    "people": [PERSON, {"name": "示例乙", "number": "441300199202029988"}],
}  # fmt: skip
CHECK = {
    "batch": TOKEN, "state": "checking", "rows": 2, "checked": 0, "refusal": "", "keep_until": None,
    "address": f"https://credit.example.org/api/v1/queries/batch/{TOKEN}/",
    "results": f"https://credit.example.org/api/v1/queries/batch/{TOKEN}/results/",
}  # fmt: skip
RESULTS = {
    "results": [
        {"row": 1, "outcome": "yes", "problem": "", "reasons": ["clean"], "records": []},
        {"row": 2, "outcome": "", "problem": "not_authorised", "reasons": [], "records": []},
    ],
    "next": None,
}
CONSENT_REQUEST = {
    "purpose": "green-channel", "case_number": "惠市监许〔2026〕18号", **PERSON, "message": "申请绿色通道。",
}  # fmt: skip
ASKED_FOR = {
    "authorisation": RECEIPT, "state": "requested", "purpose": "green-channel",
    "requested_fields": ["administrative-penalty"], "granted_fields": [],
    "answer_until": "2026-12-26T09:30:00+08:00", "expires_at": None, "uses_left": 0,
}  # fmt: skip
CONSENT = {
    **ASKED_FOR, "state": "granted", "granted_fields": ["administrative-penalty"],
    "expires_at": "2027-01-26T09:30:00+08:00", "uses_left": 1,
}  # fmt: skip

REPORT_REQUEST = {"case_number": "惠市监许〔2026〕18号", "language": "zh-hans"}
REPORT = {
    "report": TOKEN, "issued_at": "2026-11-26T09:30:00+08:00", "valid_until": None,
    "verify": f"https://credit.example.org/verify/{TOKEN}/",
    "pdf": f"https://credit.example.org/api/v1/reports/{TOKEN}/pdf/",
    "json": f"https://credit.example.org/api/v1/reports/{TOKEN}/json/",
}  # fmt: skip


def example(name: str, value: object, **words: Any) -> OpenApiExample:
    """One example of a body that is sent, or of an answer."""
    return OpenApiExample(name, value=value, **words)


class QuestionForm(serializers.Serializer):  # type: ignore[misc]
    """A question about one person, with purpose, authority and case."""

    purpose = serializers.CharField(help_text="Code of a purpose of use that is open to the client's unit.")
    authority = serializers.ChoiceField([Authority.CONSENT.value, Authority.STATUTE.value])
    reference = serializers.CharField(help_text="Number of the consent receipt, or code of the purpose's statute.")
    case_number = serializers.CharField(max_length=60, help_text="Of the file this is needed for; the person reads it.")
    name = serializers.CharField(help_text="As on the document; spaces and widths do not matter.")
    document = serializers.ChoiceField(DOCUMENTS, default=IdentifierKind.RESIDENT_ID.value)
    number = serializers.CharField(help_text="Number of the document.")


class ReasonForm(serializers.Serializer):  # type: ignore[misc]
    """Why the answer is what it is."""

    code = serializers.CharField()
    message = serializers.CharField(help_text="In the language asked for.")


class RuleForm(serializers.Serializer):  # type: ignore[misc]
    """The rule the answer was given by."""

    decided_after = serializers.DateField()
    decided_until = serializers.DateField()
    years = serializers.IntegerField()
    tiers = serializers.ListField(child=serializers.CharField())
    legal_basis = serializers.CharField()


class NamedRecordForm(serializers.Serializer):  # type: ignore[misc]
    """A record the answer rests on, without what stands in it."""

    record = serializers.CharField()
    entry = serializers.CharField()
    title = serializers.CharField()
    unit = serializers.CharField()
    decided_on = serializers.DateField()
    disputed = serializers.BooleanField(help_text="An objection is being checked.")
    statement = serializers.CharField(allow_blank=True, help_text="What the person says about it; hand it on with it.")


class EligibilityForm(serializers.Serializer):  # type: ignore[misc]
    """Yes, no or a person decides; never a score."""

    outcome = serializers.ChoiceField(Outcome.choices)
    reasons = ReasonForm(many=True)
    rule = RuleForm()
    records = NamedRecordForm(many=True)
    review = serializers.CharField(help_text="That a person looks again where somebody asks for it.")
    access = serializers.CharField(required=False, help_text="Number of this look, to name when a person is asked for.")


class OpenFieldForm(serializers.Serializer):  # type: ignore[misc]
    """A field that is open under this authority."""

    code = serializers.CharField()
    name = serializers.CharField()
    value = serializers.CharField(help_text="As it is kept; an amount in its `unit`, not in yuan.")
    unit = serializers.CharField(
        allow_blank=True,
        help_text="Unit of an amount: `万元` is 10,000 yuan, 10 are 100,000 yuan; never translated. Else empty.",
    )


class RecordForm(serializers.Serializer):  # type: ignore[misc]
    """A record as far as purpose, consent and openness open it."""

    record = serializers.CharField()
    entry = serializers.CharField()
    title = serializers.CharField()
    disputed = serializers.BooleanField(help_text="An objection is being checked.")
    statement = serializers.CharField(allow_blank=True, help_text="What the person says about it; hand it on with it.")
    fields = OpenFieldForm(many=True)


class RecordsForm(serializers.Serializer):  # type: ignore[misc]
    """Records of a person; an empty list does not say whether anybody is on file."""

    records = RecordForm(many=True)


class ApprovalForm(serializers.Serializer):  # type: ignore[misc]
    """A query that a second person of the unit has to approve on the desk."""

    query = serializers.CharField()
    state = serializers.ChoiceField(QueryState.choices)
    refusal = serializers.CharField(allow_blank=True)
    asked_at = serializers.DateTimeField()
    address = serializers.URLField(help_text="Ask here until the state is `approved`, then post to `…/result/`.")


class ResultOfQueryForm(serializers.Serializer):  # type: ignore[misc]
    """What an approved query shows: records, or whether the record is clean."""

    records = RecordForm(many=True)
    eligibility = EligibilityForm(allow_null=True)


class ReviewRequestForm(serializers.Serializer):  # type: ignore[misc]
    """Which answer a person should look at again."""

    access = serializers.CharField(help_text="The number that came with the answer.")
    words = serializers.CharField(required=False, max_length=500, help_text="What should be considered.")


class ReviewForm(serializers.Serializer):  # type: ignore[misc]
    """Where an answer stands that is before a person."""

    review = serializers.CharField()
    state = serializers.ChoiceField(
        HumanReviewState.choices, help_text="`ended`: the consent has ended, and nothing is decided."
    )
    due_on = serializers.DateField(allow_null=True, help_text="Day by which a person decides.")
    automatic_answer = serializers.CharField(help_text="`yes`, `no` or `person`.")
    decision = serializers.CharField(allow_blank=True, help_text="`yes` or `no`; empty until then.")
    grounds = serializers.CharField(allow_blank=True)


class PersonForm(serializers.Serializer):  # type: ignore[misc]
    """Somebody of a list."""

    name = serializers.CharField(allow_blank=True)
    document = serializers.CharField(required=False, allow_blank=True, help_text="`resident_id` where left out.")
    number = serializers.CharField(allow_blank=True)


class ListForm(serializers.Serializer):  # type: ignore[misc]
    """A list of up to 100,000 persons."""

    purpose = serializers.CharField()
    authority = serializers.ChoiceField([Authority.CONSENT.value, Authority.STATUTE.value])
    reference = serializers.CharField(
        required=False, allow_blank=True,
        help_text="Code of the purpose's statute. Under consent nothing: each person's own consent is found and used.",
    )  # fmt: skip
    case_number = serializers.CharField(max_length=60)
    people = PersonForm(many=True)


class CheckForm(serializers.Serializer):  # type: ignore[misc]
    """Where a list stands."""

    batch = serializers.CharField()
    state = serializers.ChoiceField(BatchCheckState.choices)
    rows = serializers.IntegerField()
    checked = serializers.IntegerField()
    refusal = serializers.CharField(allow_blank=True)
    keep_until = serializers.DateField(allow_null=True, help_text="Results are removed on this day.")
    address = serializers.URLField()
    results = serializers.URLField()


class ResultForm(serializers.Serializer):  # type: ignore[misc]
    """The answer to one row; none of the problems says whether anybody is on file."""

    row = serializers.IntegerField(help_text="Place in the list, from 1.")
    outcome = serializers.ChoiceField(Outcome.choices, allow_blank=True)
    problem = serializers.ChoiceField(NotChecked.choices, allow_blank=True)
    reasons = serializers.ListField(child=serializers.CharField())
    records = serializers.ListField(child=serializers.CharField())


class ResultsForm(serializers.Serializer):  # type: ignore[misc]
    """A page of answers."""

    results = ResultForm(many=True)
    next = serializers.URLField(allow_null=True)


class ConsentRequestForm(serializers.Serializer):  # type: ignore[misc]
    """What a person is asked to allow."""

    purpose = serializers.CharField()
    case_number = serializers.CharField(required=False, allow_blank=True, max_length=60)
    name = serializers.CharField()
    document = serializers.ChoiceField(DOCUMENTS, default=IdentifierKind.RESIDENT_ID.value)
    number = serializers.CharField()
    fields = serializers.ListField(
        child=serializers.CharField(), required=False,
        help_text="Kinds of record, each as `entry` or `entry.field`; where left out or empty, all of the purpose.",
    )  # fmt: skip
    message = serializers.CharField(required=False, max_length=500, help_text="What the person reads beside it.")


class ConsentForm(serializers.Serializer):  # type: ignore[misc]
    """Where a consent stands, for the unit that asked."""

    authorisation = serializers.CharField(help_text="Number of the receipt; name it as `reference` when you ask.")
    state = serializers.ChoiceField(AuthorisationState.choices)
    purpose = serializers.CharField()
    requested_fields = serializers.ListField(child=serializers.CharField())
    granted_fields = serializers.ListField(child=serializers.CharField())
    answer_until = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    uses_left = serializers.IntegerField()


class ReportRequestForm(serializers.Serializer):  # type: ignore[misc]
    """For which case a report is made with a consent."""

    case_number = serializers.CharField(max_length=60, help_text="Of the file this is needed for; the person reads it.")
    language = serializers.ChoiceField(
        settings.LANGUAGES, required=False, help_text="Of the report; `zh-hans` where left out."
    )


class ReportForm(serializers.Serializer):  # type: ignore[misc]
    """A report that was made; nothing about the person stands here."""

    report = serializers.CharField(help_text="Number of the report.")
    issued_at = serializers.DateTimeField()
    valid_until = serializers.DateField(allow_null=True, help_text="None where no validity is set.")
    verify = serializers.URLField(help_text="Here anybody who holds the report checks it.")
    pdf = serializers.URLField(help_text="The signed PDF, as long as the consent lasts.")
    json = serializers.URLField(help_text="The same content as signed JSON (JWS).")
