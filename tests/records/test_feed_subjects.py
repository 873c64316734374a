"""Whom a row is about: exact numbers only, whatever column they stand in; contradictions name nobody."""

import datetime

import pytest
import time_machine
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from creditplatform.core.identity import IdentifierKind, upgrade_15_to_18
from records.enums import SubjectKind
from records.feeds.subjects import resolve_organisation, resolve_person
from records.models import CreditRecord, Feed, Subject
from records.tasks import expire_records
from tests.deliveries import penalty, person_penalty
from tests.records.feedfiles import (
    counts,
    credit_code,
    deliver,
    organisation_code,
    problems_of,
    registration_number,
    resident,
    snapshot,
)

ADULT = datetime.date(1985, 6, 15)
NOTHING = ("", "", "", "", "", "")
pytestmark = pytest.mark.usefixtures("context")


def numbers(**given_numbers: str) -> tuple[str, ...]:
    order = ("credit", "organisation", "registration", "tax", "institution", "social")
    return tuple(given_numbers.get(name, "") for name in order)


def test_of_several_numbers_the_credit_code_is_the_key_and_all_are_kept() -> None:
    found = resolve_organisation(
        numbers(credit=credit_code(1), organisation=organisation_code(1), registration=registration_number(1))
    )
    assert found.identifier == (IdentifierKind.CREDIT_CODE, credit_code(1))
    assert set(found.codes) == {credit_code(1), organisation_code(1), registration_number(1)}
    assert found.problems == ()


@pytest.mark.parametrize(
    ("given_numbers", "kind"),
    [
        ({"organisation": organisation_code(7)}, IdentifierKind.ORGANISATION_CODE),
        ({"registration": registration_number(7)}, IdentifierKind.BUSINESS_REGISTRATION),
        ({"registration": registration_number(7, 13)}, IdentifierKind.BUSINESS_REGISTRATION),
        ({"registration": registration_number(7, 18)}, IdentifierKind.BUSINESS_REGISTRATION),
        ({"tax": "620102198506154"}, IdentifierKind.TAX_REGISTRATION),
        ({"institution": "事证第162000001234号"}, IdentifierKind.INSTITUTION_CERTIFICATE),
        ({"social": "甘社证字第123456号"}, IdentifierKind.SOCIAL_GROUP_REGISTRATION),
    ],
)
def test_any_single_number_is_enough(given_numbers: dict[str, str], kind: IdentifierKind) -> None:
    found = resolve_organisation(numbers(**given_numbers))
    assert found.problems == ()
    assert found.identifier is not None
    assert found.identifier.kind == kind


@pytest.mark.parametrize("column", ["organisation", "registration"])
def test_a_credit_code_in_another_column_counts_as_what_it_is(column: str) -> None:
    found = resolve_organisation(numbers(**{column: credit_code(2)}))
    assert found.identifier == (IdentifierKind.CREDIT_CODE, credit_code(2))
    assert (
        resolve_organisation(numbers(credit=credit_code(2), **{column: credit_code(2)})).identifier == found.identifier
    )


@pytest.mark.parametrize(
    "given_numbers",
    [
        {"credit": credit_code(3), "organisation": organisation_code(4)},
        {"credit": credit_code(3), "organisation": credit_code(4)},
        {"credit": credit_code(3), "registration": credit_code(4)},
        {"organisation": credit_code(3), "registration": credit_code(4)},
    ],
)
def test_codes_that_contradict_each_other_name_nobody(given_numbers: dict[str, str]) -> None:
    found = resolve_organisation(numbers(**given_numbers))
    assert found.identifier is None
    assert {code for _role, code in found.problems} == {"codes_disagree"}


def test_a_hyphen_in_the_organisation_code_does_not_matter() -> None:
    plain, written = organisation_code(5), f"{organisation_code(5)[:8]}-{organisation_code(5)[8]}"
    assert resolve_organisation(numbers(organisation=written)) == resolve_organisation(numbers(organisation=plain))
    assert resolve_organisation(numbers(credit=credit_code(5), organisation=written)).problems == ()


@pytest.mark.parametrize(
    "number", ["00000000000000000X", "000000000", "000000000000000000", "123456789", "无", "/", "111111111111111111"]
)
@pytest.mark.parametrize("column", ["credit", "organisation", "registration"])
def test_a_filler_is_never_a_key(number: str, column: str) -> None:
    found = resolve_organisation(numbers(**{column: number}))
    assert found.identifier is None
    assert found.problems


def test_no_number_at_all_names_nobody_and_is_no_problem_yet() -> None:
    assert resolve_organisation(NOTHING) == (None, (), ())


@given(
    st.lists(
        st.text(max_size=20) | st.sampled_from([credit_code(1), organisation_code(1), "0" * 18]), min_size=6, max_size=6
    )
)
def test_no_cells_make_the_search_crash(cells: list[str]) -> None:
    found = resolve_organisation(tuple(cells))
    assert found.identifier is None or not found.problems


@given(st.integers(0, 999_999), st.sampled_from([" {}", "{} ", "\u3000{}", "{}\u200b", "'{}"]))
def test_the_spelling_of_a_code_does_not_make_another_organisation(number: int, dress: str) -> None:
    code = credit_code(number)
    wide = "".join(chr(ord(c) + 0xFEE0) for c in code)
    spelled = [dress.format(code), code.lower(), wide]
    assert {resolve_organisation(numbers(credit=text)).identifier for text in spelled} == {
        resolve_organisation(numbers(credit=code)).identifier
    }


def test_fifteen_digits_and_eighteen_are_one_person() -> None:
    old = "620102850615432"
    new = upgrade_15_to_18(old)
    assert resolve_person("身份证", old).identifier == resolve_person("身份证", new).identifier
    assert resolve_person("", new.lower()).identifier == resolve_person("居民身份证", f" {new} ").identifier


@pytest.mark.parametrize(
    ("kind", "number", "problem"),
    [
        ("身份证", "62010219850615432", "wrong_length"),
        ("身份证", resident(12, ADULT)[:17] + ("0" if resident(12, ADULT)[17] != "0" else "1"), "wrong_check_digit"),
        ("身份证", "00000000000000000X", "placeholder"),
        ("学生证", "123", "document_kind_unknown"),
        ("护照号", "?", "placeholder"),
    ],
)
def test_a_wrong_number_names_nobody(kind: str, number: str, problem: str) -> None:
    found = resolve_person(kind, number)
    assert found.identifier is None
    assert [code for _role, code in found.problems] == [problem]


def test_the_same_number_under_two_kinds_of_document_is_two_persons() -> None:
    assert resolve_person("护照号", "E12345678").identifier != resolve_person("军官证", "12345678").identifier


# --- through the whole pipeline ------------------------------------------------------------------


def test_the_same_name_with_another_number_is_another_subject() -> None:
    deliver(penalty(1, CF_XDR_MC="甘肃同名有限公司"), penalty(2, CF_XDR_MC="甘肃同名有限公司"))
    assert Subject.objects.filter(name="甘肃同名有限公司").count() == 2
    deliver(person_penalty(3, "王同名", resident(11, ADULT)), person_penalty(4, "王同名", resident(13, ADULT)))
    assert Subject.objects.filter(kind=SubjectKind.PERSON).count() == 2
    assert CreditRecord.objects.values("subject").distinct().count() == 4


@pytest.mark.parametrize("chunk_size", [1, 5000])
def test_the_same_number_under_another_name_is_set_aside_and_neither_is_overwritten(chunk_size: int) -> None:
    number = resident(21, ADULT)
    batch = deliver(person_penalty(1, "李甲", number), person_penalty(2, "李乙", number), chunk_size=chunk_size)
    assert counts(batch) == {"received": 2, "accepted": 1, "quarantined": 1}
    assert problems_of(batch) == [[("", "name_differs")]]
    person = Subject.objects.get(kind=SubjectKind.PERSON)
    assert person.name_sealed == "李甲"
    before = snapshot()
    later = deliver(person_penalty(3, "李丙", number))
    assert problems_of(later) == [[("", "name_differs")]]
    assert snapshot() == before


@pytest.mark.parametrize("chunk_size", [1, 5000])
def test_another_name_is_named_as_the_problem_even_where_the_decision_is_the_same(chunk_size: int) -> None:
    number = resident(23, ADULT)
    batch = deliver(person_penalty(1, "李甲", number), person_penalty(1, "李乙", number), chunk_size=chunk_size)
    assert counts(batch) == {"received": 2, "accepted": 1, "quarantined": 1}
    assert problems_of(batch) == [[("", "name_differs")]]


def test_two_spellings_of_a_name_are_one_name() -> None:
    number = resident(25, ADULT)
    batch = deliver(
        person_penalty(1, "阿依古丽·买买提", number), person_penalty(2, "阿依古丽•买买提", number),
        person_penalty(3, "阿依古丽・买买提 ", number),
    )  # fmt: skip
    assert counts(batch) == {"received": 3, "accepted": 3}
    assert Subject.objects.filter(kind=SubjectKind.PERSON).count() == 1


def test_fifteen_digits_find_the_person_of_eighteen() -> None:
    old = "620102850615432"
    deliver(person_penalty(1, "赵示例", upgrade_15_to_18(old)))
    batch = deliver(person_penalty(2, "赵示例", old))
    assert counts(batch) == {"received": 1, "accepted": 1}
    assert Subject.objects.filter(kind=SubjectKind.PERSON).count() == 1
    assert Subject.objects.get(kind=SubjectKind.PERSON).number_sealed == upgrade_15_to_18(old)


def test_an_owner_and_the_owners_business_are_not_the_same_subject() -> None:
    """A business known by its owner's number must not lend the person a public record, nor its name."""
    number = resident(27, ADULT)
    deliver(person_penalty(1, "钱示例", number))
    shop = penalty(
        2, CF_XDR_MC="钱示例便利店", CF_XDR_LB="个体工商户", CF_XDR_SHXYM="", CF_XDR_ZJLX="身份证", CF_XDR_ZJHM=number
    )
    deliver(shop)
    person = Subject.objects.get(kind=SubjectKind.PERSON)
    assert set(CreditRecord.objects.filter(subject=person).values_list("subject_kind", flat=True)) == {"person"}


def test_a_person_can_be_recorded_after_the_business_known_by_the_same_number() -> None:
    number = resident(29, ADULT)
    shop = penalty(
        1, CF_XDR_MC="孙示例便利店", CF_XDR_LB="个体工商户", CF_XDR_SHXYM="", CF_XDR_ZJLX="身份证", CF_XDR_ZJHM=number
    )
    assert counts(deliver(shop)) == {"received": 1, "accepted": 1}
    assert counts(deliver(person_penalty(2, "孙示例", number))) == {"received": 1, "accepted": 1}
    person = Subject.objects.get(kind=SubjectKind.PERSON)
    assert person.name_sealed == "孙示例"


def test_a_business_with_a_code_of_its_own_is_known_by_that_code() -> None:
    shop = penalty(
        1, CF_XDR_MC="周示例便利店", CF_XDR_LB="个体工商户", CF_XDR_ZJLX="身份证", CF_XDR_ZJHM=resident(31, ADULT)
    )
    deliver(shop)
    subject = Subject.objects.get()
    assert (subject.kind, subject.identifier_kind) == (SubjectKind.BUSINESS, IdentifierKind.CREDIT_CODE)
    assert subject.number_sealed is None


@pytest.mark.parametrize(
    ("cells", "field", "problem"),
    [
        ({"CF_XDR_SHXYM": ""}, "CF_XDR_SHXYM", "one_of_missing"),
        ({"CF_XDR_SHXYM": "00000000000000000X"}, "CF_XDR_SHXYM", "placeholder"),
        ({"CF_XDR_SHXYM": credit_code(1)[:-1] + "0"}, "CF_XDR_SHXYM", "wrong_check_digit"),
        ({"CF_XDR_SHXYM": "91620100"}, "CF_XDR_SHXYM", "wrong_length"),
        ({"CF_XDR_ZZJG": organisation_code(77)}, "CF_XDR_ZZJG", "codes_disagree"),
        ({"CF_XDR_LB": "外星人"}, "CF_XDR_LB", "unknown_choice"),
    ],
)
def test_a_row_that_names_nobody_is_set_aside_with_the_reason(cells: dict[str, str], field: str, problem: str) -> None:
    batch = deliver(penalty(1, **cells), penalty(2))
    assert counts(batch) == {"received": 2, "accepted": 1, "quarantined": 1}
    assert (field, problem) in problems_of(batch)[0]
    assert Subject.objects.count() == 1


@pytest.mark.parametrize("column", ["CF_XDR_ZZJG", "CF_XDR_GSZC"])
def test_a_credit_code_in_another_column_finds_the_same_organisation(column: str) -> None:
    deliver(penalty(1, CF_XDR_SHXYM=credit_code(1)))
    batch = deliver(penalty(2, CF_XDR_MC="示例1号贸易有限公司", CF_XDR_SHXYM="", **{column: credit_code(1)}))
    assert counts(batch) == {"received": 1, "accepted": 1}
    assert Subject.objects.count() == 1


def named(name: str) -> Subject:
    return Subject.objects.exclude(kind=SubjectKind.PERSON).get(name=name)


@pytest.mark.parametrize("chunk_size", [1, 5000])
def test_a_unit_that_alone_speaks_of_an_organisation_corrects_its_name(chunk_size: int) -> None:
    deliver(penalty(1, CF_XDR_MC="示例误写有限公司"))
    batch = deliver(penalty(1, CF_XDR_MC="示例改正有限公司"), penalty(2), chunk_size=chunk_size)
    assert batch.accepted == 2
    grams = named("示例改正有限公司").grams
    assert {"误写", "改正"} <= set(grams)  # whoever looks for the old name still finds it


def test_a_name_corrected_twice_in_one_file_ends_as_its_last_chunk_says() -> None:
    deliver(penalty(1), penalty(2, CF_XDR_SHXYM=penalty(1)["CF_XDR_SHXYM"], CF_XDR_MC="示例后名公司"), chunk_size=1)
    assert named("示例后名公司")


def test_where_two_units_speak_of_an_organisation_every_name_is_found_and_none_overwritten() -> None:
    code = Feed.objects.get(code="gs-market-penalty").agency.credit_code or credit_code(99)
    other = {"CF_CFJGDM": code, "CF_SJLYDM": code}
    deliver(penalty(1, CF_XDR_MC="示例甲名有限公司"))
    batch = deliver(penalty(1, CF_XDR_MC="示例乙名有限公司", **other), feed="gs-market-penalty")
    assert batch.accepted == 1, batch.problems
    assert "乙名" in named("示例甲名有限公司").grams


def test_a_second_number_of_an_organisation_becomes_searchable() -> None:
    deliver(penalty(1))
    deliver(penalty(2, CF_XDR_SHXYM=penalty(1)["CF_XDR_SHXYM"], CF_XDR_GSZC=registration_number(77)))
    assert registration_number(77) in Subject.objects.get(code=penalty(1)["CF_XDR_SHXYM"]).codes


def test_a_publication_that_ended_this_morning_in_beijing_is_not_opened_again_by_a_correction() -> None:
    """Midnight in Beijing is 16:00 of the day before for the database."""
    deliver(first := penalty(1))
    record = CreditRecord.objects.get()
    assert record.publish_until is not None
    ended = datetime.datetime.combine(record.publish_until, datetime.time(1), timezone.get_default_timezone())
    with time_machine.travel(ended):
        expire_records.run()
        deliver({**first, "CF_NR": "罚款二万元"})
    record.refresh_from_db()
    assert (record.state, record.payload["CF_NR"]) == ("expired", "罚款二万元")
