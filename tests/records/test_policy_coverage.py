"""What the delivered catalogue covers: fields, groups, acts, archives; and that it holds nothing it must not."""

import re
from typing import Any

import pytest

from records.enums import AffiliationRole, FieldRole, InformationClass, KeyField, Openness, Polarity, SubjectKind
from records.feeds.mapping import ColumnMap, ColumnsToConfirm, map_columns
from records.labels import ACTS
from records.models import EntryField, EntryVersion
from records.models.catalogue_guards import FORBIDDEN_DATA
from records.services.policy import FOLDER, load_records_policy
from tests.records.test_policy_data import AGENCIES, BASES, ENTRIES, FEEDS, GROUPS, roles

IN_FORCE = {code: entry for code, entry in ENTRIES.items() if entry["state"] == "in_force"}
KINDS_OF_ACT = {
    "penalty": "administrative-penalty",
    "licence": "administrative-licence",
    "coercion": "administrative-coercion",
    "confirmation": "administrative-confirmation",
    "levy": "administrative-levy",
    "payment": "administrative-payment",
    "ruling": "administrative-ruling",
    "compensation": "administrative-compensation",
    "reward": "administrative-reward",
    "inspection": "administrative-inspection",
}
ASKED_FOR = {
    "court": ["judgment-defaulter", "consumption-restriction", "false-litigation"],
    "tax": ["tax-credit-a", "tax-major-violation", "tax-arrears"],
    "wage": ["wage-arrears", "labour-violation-publicity"],
    "honour": ["honesty-model", "moral-model", "outstanding-volunteer", "honest-member"],
    "volunteer": ["star-volunteer", "volunteer-registration", "volunteer-service-record"],
    "commitment": ["credit-commitment", "commitment-performance", "commitment-breach"],
    "contract": ["contract-performance"],
    "evaluation": ["public-credit-evaluation", "labour-integrity-grade"],
    "registration": ["business-registration"],
    "abnormal": ["abnormal-operations", "individual-business-abnormal"],
    "association": ["association-member", "association-member-firm", "association-sanction"],
    "student": ["student-file", "student-dishonesty"],
    "credit agency": ["credit-reporting-agency", "credit-agency-staff"],
}
TIES = {code: entry for code, entry in ENTRIES.items() if entry.get("affiliation")}
HEADER_2015 = [
    "行政处罚决定书文号", "处罚名称", "处罚类别1", "处罚类别2", "处罚事由", "处罚依据", "行政相对人名称",
    "行政相对人代码_1 (统一社会信用代码)", "行政相对人代码_2 (组织机构代码)", "行政相对人代码_3 (工商登记码)",
    "行政相对人代码_4 (税务登记号)", "行政相对人代码_5 (居民身份证号)", "法定代表人姓名", "处罚结果", "处罚决定日期",
    "处罚机关", "当前状态", "地方编码", "数据更新时间戳", "备注", "公示期限",
]  # fmt: skip
HEADER_2015_CODES = [
    "CF_WSH", "CF_CFMC", "CF_CFLB1", "CF_CFLB2", "CF_SY", "CF_YJ", "CF_XDR", "CF_XDR_SHXYM", "CF_XDR_ZDM",
    "CF_XDR_GSDJ", "CF_XDR_SWDJ", "CF_XDR_SFZ", "CF_FR", "CF_JG", "CF_JDRQ", "CF_XZJG", "CF_ZT", "DFBM", "SJC", "BZ",
]  # fmt: skip
HEADER_2018 = [
    "行政相对人名称 ", "行政相对人类别", "行政相对人代码_1（统一社会信用代码）", "行政相对人代码_2（工商注册号）",
    "行政相对人代码_3（组织机构代码）", "行政相对人代码_4（税务登记号）", "行政相对人代码_5（事业单位证书号）",
    "行政相对人代码_6（社会组织登记证号）", "法定代表人", "法定代表人证件类型", "法定代表人证件号码", "证件类型",
    "证件号码", "行政处罚决定文书号", "违法行为类型", "违法事实", "处罚依据", "处罚类别", "处罚内容",
    "罚款金额（万元）", "没收违法所得、没收非法财物的金额（万元）", "暂扣或吊销证照名称及编号", "处罚决定日期",
    "处罚有效期", "公示截至期", "处罚机关", "处罚机关统一社会信用代码", "数据来源单位",
    "数据来源单位统一社会信用代码", "备注",
]  # fmt: skip
HEADER_2015_LICENCE = [
    "行政许可决定书文号", "项目名称", "审批类别", "许可内容", "行政相对人名称", "行政相对人代码_1(统一社会信用代码)",
    "行政相对人代码_2(组织机构代码)", "行政相对人代码_3(工商登记码)", "行政相对人代码_4(税务登记号)",
    "行政相对人代码_5 (居民身份证号)", "法定代表人姓名", "许可决定日期", "许可截止期", "许可机关", "当前状态",
    "地方编码", "数据更新时间戳", "备注",
]  # fmt: skip
# What a unit that still sends the columns of 2015 states once for all its rows.
UNIT_STATES = {
    role.value: "x"
    for role in (FieldRole.SUBJECT_KIND, FieldRole.AGENCY_CODE, FieldRole.SOURCE_NAME, FieldRole.SOURCE_CODE)
}


def fields_of(code: str) -> list[EntryField]:
    """The fields of an entry as the loader makes them, without a database."""
    kept = ("code", "name", "name_en", "type", "required", "role", "aliases")
    return [EntryField(**{key: row[key] for key in kept if key in row}) for row in ENTRIES[code]["fields"]]


def mapped(code: str, header: list[str]) -> ColumnMap:
    return map_columns(header, fields_of(code), remembered={}, constants=UNIT_STATES, dated_elsewhere=False)


# --- what is covered ------------------------------------------------------------------------------------


def test_as_many_entries_as_were_promised() -> None:
    acts = set(KINDS_OF_ACT.values())
    assert len(ENTRIES) >= 60 and len(set(ENTRIES) - acts) >= 50 and len(set(IN_FORCE) - acts) >= 50


@pytest.mark.parametrize(("act", "code"), KINDS_OF_ACT.items())
def test_every_kind_of_administrative_act_has_its_entry(act: str, code: str) -> None:
    assert IN_FORCE[code]["act"] == act and IN_FORCE[code]["information_class"] == InformationClass.ADMINISTRATIVE


def test_every_act_has_a_label_and_every_label_an_act() -> None:
    assert set(ACTS) == set(KINDS_OF_ACT)
    assert {entry["act"] for entry in ENTRIES.values()} == {"", *ACTS}


def test_every_class_field_and_group_is_covered() -> None:
    assert {entry["information_class"] for entry in ENTRIES.values()} == set(InformationClass.values)
    assert {entry["field"] for entry in IN_FORCE.values()} == {"", *KeyField.values}
    assert {entry["key_group"] for entry in IN_FORCE.values()} == {"", *GROUPS}


@pytest.mark.parametrize("codes", ASKED_FOR.values(), ids=ASKED_FOR.keys())
def test_what_the_plans_ask_for_is_in_force(codes: list[str]) -> None:
    assert set(codes) <= set(IN_FORCE)


def test_every_entry_in_force_beside_the_lists_of_others_can_be_sent() -> None:
    """Some are delivered by feeds that a unit sets up; what is new here has one from the start."""
    fed = {feed["entry"] for feed in FEEDS.values()}
    assert {code for codes in ASKED_FOR.values() for code in codes} - fed <= {
        "wage-arrears", "honesty-model", "credit-commitment", "abnormal-operations",
    }  # fmt: skip


# --- what it rests on -----------------------------------------------------------------------------------


def test_a_draft_says_why_it_is_one() -> None:
    for code, entry in ENTRIES.items():
        begins = (FOLDER / "entries" / f"{code}.toml").read_text("utf-8").startswith("# Draft:")
        assert begins == (entry["state"] == "draft"), code


def test_a_doubtful_law_says_what_is_to_be_confirmed() -> None:
    text = (FOLDER / "legal_bases.toml").read_text("utf-8")
    for code, basis in BASES.items():
        if not basis["confirmed"] and any(entry["legal_basis"] == code for entry in ENTRIES.values()):
            before = text[: text.index(f'code = "{code}"')].rsplit("\n\n", 1)[1]
            assert before.startswith("# "), code


def test_the_further_acts_concern_no_natural_person() -> None:
    """The policy that wants them shown does not name persons; penalties and licences stand apart."""
    for act, code in KINDS_OF_ACT.items():
        persons = SubjectKind.PERSON in ENTRIES[code]["subject_kinds"]
        assert persons == (act in ("penalty", "licence")), code


def test_only_what_a_document_orders_is_public() -> None:
    orders = {"guobanfa-2018-118": {"administrative-coercion", "administrative-levy", "administrative-inspection"}}
    for basis, codes in orders.items():
        assert {code for code, entry in ENTRIES.items() if entry.get("publication_basis") == basis} == codes
    for code in ("administrative-confirmation", "administrative-payment", "administrative-ruling"):
        assert ENTRIES[code]["openness"] == Openness.SHARED


@pytest.mark.parametrize("code", ENTRIES)
def test_nothing_forbidden_is_asked_for(code: str) -> None:
    entry = ENTRIES[code]
    names = [entry["name"], entry["name_en"], *(f[key] for f in entry["fields"] for key in ("name", "name_en"))]
    assert not [name for name in names if re.search(FORBIDDEN_DATA, name, re.IGNORECASE)]


# --- archives of persons --------------------------------------------------------------------------------


def test_student_archives_hold_adults_and_come_from_schools() -> None:
    students = {code: entry for code, entry in ENTRIES.items() if "school" in entry.get("source_kinds", [])}
    assert set(students) == {"student-file", "student-dishonesty"}
    for entry in students.values():
        assert (entry["min_age"], entry["source_kinds"], entry["subject_kinds"]) == (18, ["school"], ["person"])
        assert entry["person_openness"] == Openness.AUTHORISED
    kinds = next(field for field in students["student-dishonesty"]["fields"] if field["code"] == "kind")
    assert kinds["choices"] == ["考试舞弊", "学术造假", "不履行助学贷款还款承诺", "伪造就业材料"]


def test_sanctions_of_associations_are_the_seven_of_the_plan() -> None:
    sanction = ENTRIES["association-sanction"]
    kinds = next(field for field in sanction["fields"] if field["code"] == "sanction")
    assert len(kinds["choices"]) == 7 and sanction["source_kinds"] == ["association"]
    assert sanction["openness"] == Openness.SHARED and sanction["polarity"] == Polarity.NEGATIVE


def test_each_tie_has_its_archive() -> None:
    assert {entry["affiliation"] for entry in TIES.values()} == set(AffiliationRole.values)
    sources = {entry["affiliation"]: set(entry.get("source_kinds", [])) for entry in TIES.values()}
    assert (sources["member"], sources["student"]) == ({"association"}, {"school"})
    assert sources["volunteer"] == {"volunteer_body", "department"}
    assert set(ENTRIES["credit-agency-staff"]["source_kinds"]) == {"credit_agency", "department"}


@pytest.mark.parametrize("entry", TIES.values(), ids=TIES.keys())
def test_an_entry_that_ties_persons_names_the_organisation(entry: dict[str, Any]) -> None:
    by_role = roles(entry)
    assert entry["subject_kinds"] == [SubjectKind.PERSON]
    assert {"belongs_to_name", "belongs_to_code"} <= set(by_role)
    assert by_role["belongs_to_code"]["length"] == 18


@pytest.mark.parametrize("entry", [e for e in ENTRIES.values() if e["key_group"]], ids=lambda entry: entry["code"])
def test_an_entry_of_a_key_group_is_about_persons_and_opens_by_authorisation(entry: dict[str, Any]) -> None:
    assert entry["subject_kinds"] == [SubjectKind.PERSON] and entry["person_openness"] == Openness.AUTHORISED
    licence = roles(entry).get("licence_number")
    assert licence is None or (licence["personal"] and not licence["published"])


def test_a_feed_comes_from_a_kind_of_unit_that_may_send_it() -> None:
    for code, feed in FEEDS.items():
        may = ENTRIES[feed["entry"]].get("source_kinds", [])
        assert not may or AGENCIES[feed["agency"]]["kind"] in may, code


# --- withdrawal and older columns -----------------------------------------------------------------------


@pytest.mark.parametrize("code", KINDS_OF_ACT.values())
def test_a_source_can_take_an_act_back(code: str) -> None:
    status = roles(ENTRIES[code])["source_status"]
    assert {"正常", "撤销", "撤回", "作废"} <= set(status["choices"]) and status["required"] == "never"
    assert {"状态标识", "操作类型"} <= set(status["aliases"]) and not {"1", "2", "3"} & set(status["choices"])


def test_whether_a_licence_is_valid_does_not_tell_whether_its_source_stands_by_it() -> None:
    valid = next(field for field in ENTRIES["administrative-licence"]["fields"] if field["code"] == "XK_ZT")
    assert valid["choices"] == ["1", "0"] and "role" not in valid


@pytest.mark.parametrize("header", [HEADER_2015, HEADER_2015_CODES], ids=["names", "codes"])
def test_the_columns_of_2015_lead_to_the_standard_of_2018(header: list[str]) -> None:
    found = mapped("administrative-penalty", header)
    by_code = {code: header[at] for code, at in found.positions.items()}
    assert by_code["CF_XDR_ZJHM"] in ("行政相对人代码_5 (居民身份证号)", "CF_XDR_SFZ")
    assert by_code["CF_XDR_ZZJG"] in ("行政相对人代码_2 (组织机构代码)", "CF_XDR_ZDM")
    assert by_code["CF_XDR_GSZC"] in ("行政相对人代码_3 (工商登记码)", "CF_XDR_GSDJ")
    assert {"CF_WFXW", "CF_SY", "CF_YJ", "CF_CFLB", "CF_NR", "CF_JDRQ", "CF_CFJG", "CF_SJZT"} <= set(by_code)
    assert found.unknown in (["处罚类别2", "地方编码", "数据更新时间戳"], ["CF_CFLB2", "DFBM", "SJC"])


def test_the_columns_of_2018_are_all_known() -> None:
    found = mapped("administrative-penalty", HEADER_2018)
    assert found.unknown == [] and len(found.positions) == 30 and "CF_SJZT" not in found.positions


def test_a_licence_of_2015_lacks_only_what_that_standard_did_not_have() -> None:
    with pytest.raises(ColumnsToConfirm) as asked:
        mapped("administrative-licence", HEADER_2015_LICENCE)
    assert [item.name for item in asked.value.missing] == ["有效期自"]
    found = mapped("administrative-licence", [*HEADER_2015_LICENCE, "有效期自"])
    assert found.unknown == ["地方编码", "数据更新时间戳"]


@pytest.mark.parametrize("number", [2, 3, 5])
@pytest.mark.parametrize("code", ["administrative-penalty", "administrative-licence"])
def test_a_bare_number_that_meant_two_things_leads_nowhere(code: str, number: int) -> None:
    """In 2015 the fifth was the resident ID number, in 2018 that of a public institution, which is published."""
    known = {text for field in ENTRIES[code]["fields"] for text in (field["name"], *field.get("aliases", []))}
    assert not {f"代码_{number}", f"行政相对人代码_{number}"} & known
    assert "代码_1" in known and "代码_4" in known


# --- loading --------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.usefixtures("context")
def test_loading_again_changes_nothing_and_the_keys_arrive() -> None:
    assert set(load_records_policy().values()) == {0}
    stored = EntryVersion.objects.filter(state="in_force").select_related("entry")
    by_code = {version.entry.code: version for version in stored}
    assert set(by_code) == set(IN_FORCE)
    student = by_code["student-file"]
    assert (student.affiliation, student.min_age, student.source_kinds) == ("student", 18, ["school"])
    assert {f.role for f in student.fields.all()} >= {"belongs_to_name", "belongs_to_code", "valid_until", "ended_on"}
