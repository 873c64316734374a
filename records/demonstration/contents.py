"""What a decision says, entry by entry, in the fields of the catalogue."""

import datetime
from collections.abc import Callable

from records.demonstration.data import dice, themes
from records.demonstration.further import FURTHER, at_a_firm, fixed
from records.demonstration.occasion import CONFISCATION, FINE, MARK, Content, Occasion
from records.enums import FieldRole

HOSPITALS = ("东江医院（虚构）", "西湖社区卫生服务中心（虚构）", "黄河滨医院（虚构）")


def content_of(occasion: Occasion) -> Content:
    """The content fields of one decision by field code."""
    content = CONTENTS[occasion.source.entry](occasion)
    return {**_if_diligent(occasion), **content}


def _if_diligent(occasion: Occasion) -> Content:
    """Fields that nobody has to fill in: some units do nearly always, others now and then; chance of its own."""
    diligence = 35 + dice("diligence", occasion.source.agency).randrange(64)
    rng = dice(occasion.source.feed, occasion.number, "optional")
    return {
        code: text(occasion)
        for code, text in OPTIONAL.get(occasion.source.entry, {}).items()
        if rng.randrange(100) < diligence
    }


def _years_later(years: int) -> Callable[[Occasion], str]:
    return lambda occasion: (occasion.decided_on + datetime.timedelta(days=365 * years)).isoformat()


OPTIONAL: dict[str, dict[str, Callable[[Occasion], str]]] = {
    "administrative-penalty": {"CF_YXQ": _years_later(1), "CF_GSJZQ": _years_later(1)},
    "administrative-inspection": {"findings": lambda _occasion: "台账记录不完整"},
    "business-registration": {"capital": lambda _occasion: "100"},
    "civil-servant-file": {"honours": lambda _occasion: "年度考核优秀"},
    "consumption-restriction": {"case_filed_on": lambda occasion: occasion.decided_on.isoformat()},
    "student-file": {"merits": lambda _occasion: "无失信行为"},
    "volunteer-registration": {"skills": lambda _occasion: "社区助老"},
    "food-supervision": {"findings": lambda _occasion: "未发现问题"},
    "product-spot-check": {"failed_items": lambda _occasion: "无"},
}


def _penalty(occasion: Occasion) -> Content:
    rng, effects = occasion.rng, occasion.effects
    kind, facts = occasion.breach
    content = {"CF_WFXW": kind, "CF_SY": facts, "CF_YJ": occasion.law, "CF_NR": effects, "BZ": MARK}
    if FINE in effects:
        content["CF_NR_FK"] = rng.choice(("0.02", "0.05", "0.2", "0.5", "1", "2.5", "5", "10", "20.5"))
    if CONFISCATION in effects:
        content["CF_NR_WFFF"] = rng.choice(("0.12", "0.8", "1.6", "3"))
    if "暂扣" in effects or "吊销" in effects:
        content["CF_NR_ZKDX"] = f"许可证 演示{rng.randrange(10_000, 99_999)}"
    return content


def _licence(occasion: Occasion) -> Content:
    rng = occasion.rng
    licence = rng.choice(themes()[occasion.source.theme]["licences"])
    return {
        "XK_XKWS": "准予行政许可决定书",
        "XK_XKZS": licence,
        "XK_XKBH": f"演示{rng.randrange(100_000, 999_999)}",
        "XK_NR": f"准予核发{licence}",
        "XK_ZT": "1",
        "BZ": MARK,
    }


def _facts(occasion: Occasion) -> Content:
    kind, facts = occasion.breach
    return {"facts": f"{kind}：{facts}（{MARK}）"}


def _discharge(occasion: Occasion) -> Content:
    return {**_facts(occasion), "permit_number": f"演示{occasion.rng.randrange(10**6, 10**7)}P"}


def _tax_offender(occasion: Occasion) -> Content:
    kind, facts = occasion.breach
    return {"nature": kind, "facts": f"{facts}（{MARK}）", "basis": occasion.law}


def _wage_arrears(occasion: Occasion) -> Content:
    return {**_facts(occasion), "amount": occasion.rng.choice(("3.6", "12", "48.25", "130"))}


def _defaulter(occasion: Occasion) -> Content:
    rng = occasion.rng
    filed = occasion.decided_on - datetime.timedelta(days=rng.randrange(30, 200))
    return {
        "basis_number": occasion.number.replace("执", "民初"),
        "performance": rng.choice(("全部未履行", "全部未履行", "部分未履行")),
        "conduct": occasion.breach[0],
        "filed_on": filed.isoformat(),
    }


def _abnormal(occasion: Occasion) -> Content:
    return {"reason": occasion.breach[0]}


def _stars(occasion: Occasion) -> Content:
    stars = occasion.rng.randrange(1, 6)
    return {"stars": str(stars), "hours": str((100, 300, 600, 1000, 1500)[stars - 1] + occasion.rng.randrange(90))}


def _honesty(occasion: Occasion) -> Content:
    title, deeds = occasion.rng.choice(
        (
            ("诚信之星", "拾金不昧，主动归还失主财物"),
            ("诚信经营示范", "连续三年零投诉，明码标价"),
            ("守信模范", "坚持偿还亲属生前债务"),
        )
    )
    return {"title": title, "deeds": f"{deeds}（{MARK}）"}


def _commitment(occasion: Occasion) -> Content:
    return {
        "type": occasion.rng.choice(("审批替代型", "容缺受理型", "证明事项型", "主动型")),
        "content": "承诺所提供的材料真实、合法、有效",
        "performance": occasion.rng.choice(("全部履行", "全部履行", "全部履行", "部分未履行")),
    }


def _spot_check(occasion: Occasion) -> Content:
    passed = occasion.rng.random() < 0.85
    return {
        "product": occasion.rng.choice(("儿童玩具", "电线电缆", "家具", "化肥", "食品用塑料容器")),
        "result": "合格" if passed else "不合格",
        **({} if passed else {"failed_items": "标识"}),
    }


def _food_check(occasion: Occasion) -> Content:
    result = occasion.rng.choice(("符合", "符合", "符合", "基本符合", "不符合"))
    return {"result": result, **({} if result == "符合" else {"findings": "个别台账记录不完整"})}


def _physician(occasion: Occasion) -> Content:
    rng = occasion.rng
    return {
        "grade": rng.choice(("执业医师", "执业医师", "执业助理医师")),
        "category": rng.choice(("临床", "中医", "口腔", "公共卫生")),
        FieldRole.BELONGS_TO_NAME: rng.choice(
            ("东江医院（虚构）", "西湖社区卫生服务中心（虚构）", "黄河滨医院（虚构）")
        ),
    }


def _teacher(occasion: Occasion) -> Content:
    rng = occasion.rng
    return {
        "category": rng.choice(("高级中学", "初级中学", "小学")) + rng.choice(("语文", "数学", "英语", "物理")),
        FieldRole.BELONGS_TO_NAME: rng.choice(("东江中学（虚构）", "西湖小学（虚构）")),
        FieldRole.BELONGS_TO_CODE: "",
    }


def _guide(occasion: Occasion) -> Content:
    return {FieldRole.BELONGS_TO_NAME: occasion.rng.choice(("飞天旅行社（虚构）", "陇上行旅行社（虚构）"))}


def _none(occasion: Occasion) -> Content:
    return {}


def _driving(occasion: Occasion) -> Content:
    barred = occasion.decided_on + datetime.timedelta(days=730)
    return {**_facts(occasion), "barred_until": barred.isoformat()}


CONTENTS: dict[str, Callable[[Occasion], Content]] = {
    **FURTHER,
    "administrative-penalty": _penalty,
    "administrative-licence": _licence,
    "work-safety-violation": _facts,
    "work-safety-serious": _facts,
    "biosafety-violation": _facts,
    "securities-integrity": _facts,
    "patent-counterfeiting": _facts,
    "market-serious": _facts,
    "driving-licence-revocation": _driving,
    "discharge-violation": _discharge,
    "tax-major-violation": _tax_offender,
    "wage-arrears": _wage_arrears,
    "judgment-defaulter": _defaulter,
    "abnormal-operations": _abnormal,
    "star-volunteer": _stars,
    "honesty-model": _honesty,
    "credit-commitment": _commitment,
    "product-spot-check": _spot_check,
    "food-supervision": _food_check,
    "fire-safety-check": fixed({"venue": "一层商场（虚构）"}),
    "construction-qualification": fixed({"qualification": "建筑工程施工总承包三级"}),
    "physician-registration": _physician,
    "lawyer-practice": at_a_firm,
    "teacher-qualification": _teacher,
    "tour-guide-licence": _guide,
    "ecommerce-dishonesty": _none,
}
