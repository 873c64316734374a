"""Every named constraint and guard of the database is provoked through the database, past every form."""

from typing import Any

import pytest
from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import connection, transaction
from django.db.models import BaseConstraint
from django.utils import timezone, translation

from creditplatform.core.enums import Role
from creditplatform.core.models import (
    Agency,
    Membership,
    Region,
    Site,
)
from records.models import (
    CatalogueEntry,
    Feed,
    Subject,
)
from tests.cast import Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records import (
    provocations_accounts,  # noqa: F401
    provocations_announcements,  # noqa: F401 - registers its provocations
    provocations_consent,  # noqa: F401 - registers its provocations
    provocations_exchange,
    provocations_figures,  # noqa: F401 - registers its provocations
    provocations_queries,  # noqa: F401
    provocations_repeats,  # noqa: F401
    provocations_setaside,  # noqa: F401
    provocations_words,  # noqa: F401
    tie_provocations,  # noqa: F401
)
from tests.records.provocations import LATER, PROVOCATIONS, broken, our_constraints
from tests.records.world import World

assert provocations_exchange, "its provocations are known once it is imported"


@pytest.fixture
def world(cast: Cast) -> World:
    return World(cast)


# --- the tests ---------------------------------------------------------------------------------------


# Cannot be broken by themselves, each with the reason and what proves its purpose.
IMPLIED = {
    "subject_with_its_kind": "holds the primary key; there so that records can point at number and kind together,"
    " see test_the_kind_of_subject_of_a_record_is_that_of_its_subject",
}


def test_every_constraint_is_provoked() -> None:
    assert set(IMPLIED) <= set(our_constraints()), "a reason for a constraint that is gone"
    missing = sorted(set(our_constraints()) - set(PROVOCATIONS) - set(IMPLIED))
    assert not missing, f"write a function marked @provokes for: {', '.join(missing)}"
    assert set(PROVOCATIONS) <= set(our_constraints()), "a provocation of a constraint that is gone"


def test_the_database_refuses_every_provocation(world: World, subtests: pytest.Subtests) -> None:
    for name, act in PROVOCATIONS.items():
        with subtests.test(name=name):
            assert broken(lambda act=act: act(world))[1] == name  # type: ignore[misc]


def test_every_constraint_speaks_to_people(subtests: pytest.Subtests) -> None:
    for name, (_model, constraint) in our_constraints().items():
        with subtests.test(name=name), translation.override("en"):
            said = str(constraint.violation_error_message)
            assert said != str(BaseConstraint.default_violation_error_message), "the stock sentence says nothing"
            assert said.endswith(".")


def test_a_provocation_leaves_the_world_as_it_was(world: World) -> None:
    """Each provocation is refused for its own sake: without the offence the same row is accepted."""
    with transaction.atomic():
        w = world
        w.rule()
        w.batch()
        w.row(state="rejected", cells=None)
        w.affiliation()
        w.key_group()
        w.organisation()
        w.notice(delivered_at=timezone.now(), delivery_proof="p", read_at=timezone.now())
        w.look()
        w.field(role="subject_name", name="名称")


# --- the boundaries of constraints ---------------------------------------------------------------------


def test_periods_may_follow_each_other_without_a_gap(world: World) -> None:
    world.affiliation(valid_until=LATER)
    world.affiliation(valid_from=LATER)
    world.key_group(valid_until=LATER)
    world.key_group(valid_from=LATER)
    world.rule(valid_until=LATER)
    world.rule(valid_from=LATER)
    Membership.objects.create(user=world.cast.clerk, agency=world.market, role=Role.OFFICER)


def test_a_value_of_one_site_stands_beside_the_common_one(world: World) -> None:
    world.rule()
    world.rule(site=Site.objects.all()[0])


@pytest.mark.parametrize(
    "words",
    [
        {"name": "指纹"}, {"name": "血型"}, {"name": "既往病史"}, {"name": "基因信息"}, {"name": "人脸特征"},
        {"name_en": "Religion"}, {"name_en": "religious belief"}, {"name_en": "Blood Type"}, {"name_en": "FINGERPRINT"},
        {"name_en": "genetic data"}, {"name_en": "Medical history"}, {"name_en": "biometric data"},
        {"code": "blood_type"}, {"code": "medicalHistory"}, {"code": "RELIGION"}, {"aliases": ["姓名", "宗教信仰"]},
        {"aliases": ["blood-group"]}, {"name": "DNA样本编号"}, {"name_en": "Iris scan"}, {"name": "面部特征值"},
        {"name": "掌纹"}, {"name": "指静脉模板"}, {"code": "dna"}, {"code": "face_print"}, {"name_en": "Voiceprint"},
        {"name_en": "Facial image"}, {"aliases": ["步态"]}, {"name": "视网膜图像"}, {"name_en": "Retinal scan"},
        {"code": "finger_vein"}, {"name": "声纹"}, {"name": "人脸识别编号"}, {"name": "虹膜"}, {"name": "面部识别结果"},
        {"name": "疾病预防控制中心所存病史"}, {"name": "指纹锁所存指纹"}, {"name": "转基因作物种植者基因"},
    ],
)  # fmt: skip
def test_what_is_never_collected_is_refused_in_both_languages(world: World, words: dict[str, str]) -> None:
    assert broken(lambda: world.field(**words))[1] == "entry_field_never_collected"


@pytest.mark.parametrize(
    "words",
    [
        {"name": "地面硬化面积"}, {"name_en": "Irish whiskey import licence"}, {"name_en": "Surface area"},
        {"name": "面部广告牌"}, {"code": "facet"}, {"name_en": "Wednesday"},
        {"name": "疾病预防控制中心"}, {"name": "指纹锁销售许可"}, {"name": "农业转基因生物加工许可证"},
        {"name_en": "Centre for Disease Control"}, {"name_en": "Fingerprint lock trade"}, {"name_en": "Surface image"},
        {"name_en": "Genetically modified crops"}, {"code": "surface_image"},
    ],
)  # fmt: skip
def test_words_that_only_resemble_them_are_no_hindrance(world: World, words: dict[str, str]) -> None:
    assert world.field(**words).pk


@pytest.mark.parametrize(
    "words",
    [
        {"name": "宗教信仰登记"}, {"name": "基因检测"}, {"name": "指纹采集"}, {"name": "血型"}, {"name": "疾病报告"},
        {"name": "病史"}, {"name_en": "Religious belief"}, {"name_en": "Genetic tests"}, {"name_en": "Biometric data"},
        {"name_en": "Blood type"}, {"name_en": "Diseases"}, {"code": "blood-type"}, {"code": "medical_records"},
    ],
)  # fmt: skip
def test_no_entry_is_about_what_is_never_collected(world: World, words: dict[str, str]) -> None:
    """In either language, by whatever road; that a meaning mentions the word does not matter."""
    known = CatalogueEntry.objects.all()[0]
    act = lambda: CatalogueEntry.objects.filter(pk=known.pk).update(**words)  # noqa: E731
    assert broken(act)[1] == "catalogue_entry_never_collected"
    assert world.draft(meaning="不记录宗教、疾病。", meaning_en="No religion and no disease is recorded.").pk


@pytest.mark.parametrize("code", ["0", "000", "00000000000000000X", "0000000X", "000000000000000000"])
def test_no_placeholder_is_a_code(world: World, code: str) -> None:
    assert broken(lambda: world.organisation(code=code))[1] == "subject_code_no_placeholder"


@pytest.mark.parametrize("column", ["code", "name", "codes", "grams"])
def test_nothing_of_a_person_stands_in_clear(world: World, column: str) -> None:
    value: Any = ["x"] if column in ("codes", "grams") else "x"
    act = lambda: Subject.objects.filter(pk=world.person.pk).update(**{column: value})  # noqa: E731
    assert broken(act)[1] == "subject_person_sealed"


def test_a_blind_index_has_sixteen_bytes_by_whatever_road(world: World) -> None:
    with connection.cursor() as cursor:
        code, _name = broken(lambda: cursor.execute("UPDATE records_subject SET number_index = '\\x00'::bytea"))
    assert code == "23514"


def test_exclusions_are_known_by_their_sqlstate(world: World) -> None:
    overlapping = [name for name, (_m, c) in our_constraints().items() if isinstance(c, ExclusionConstraint)]
    assert len(overlapping) == 6
    for name in overlapping:
        assert broken(lambda name=name: PROVOCATIONS[name](world))[0] == "23P01"  # type: ignore[misc]


def test_unique_names_of_things_are_kept_by_the_database(world: World) -> None:
    for model in (Site, Agency, Feed, CatalogueEntry):
        one, two = model._base_manager.order_by("pk")[:2]
        act = lambda model=model, one=one, two=two: model._base_manager.filter(pk=one.pk).update(code=two.code)  # noqa: E731
        assert broken(act)[0] == "23505", model
    region = Region.objects.all()[0]
    assert broken(lambda: Region.objects.bulk_create([Region(code=region.pk, name="x", name_en="x")]))[0] == "23505"
