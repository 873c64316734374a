"""What the files of members, students, volunteers, key groups and further entries say: a few rows of each."""

from collections.abc import Callable
from typing import Any

from records.demonstration.occasion import MARK, Content, Occasion
from records.enums import FieldRole

PROMISED = "已签订"


def at_a_firm(occasion: Occasion) -> Content:
    """The firm a person works for, with its code, so that the tie can be made."""
    firm = occasion.firm
    return {FieldRole.BELONGS_TO_NAME: firm.name, FieldRole.BELONGS_TO_CODE: firm.number}


def fixed(content: Content) -> Callable[[Any], Content]:
    """The same content every time."""
    return lambda _occasion: dict(content)


def _chosen(**choices: tuple[str, ...]) -> Callable[[Occasion], Content]:
    """One of the texts for each field; the unit that sends is the one the person belongs to."""
    return lambda occasion: {code: occasion.rng.choice(texts) for code, texts in choices.items()}


def _chosen_at_a_firm(**choices: tuple[str, ...]) -> Callable[[Occasion], Content]:
    """The same for persons who work for a firm."""
    choose = _chosen(**choices)
    return lambda occasion: {**at_a_firm(occasion), **choose(occasion)}


def _service(occasion: Occasion) -> Content:
    project = occasion.rng.choice(("图书馆导读", "江边清洁", "社区助老", "交通劝导"))
    return {"project": project, "hours": str(occasion.rng.randrange(2, 40)), "assessment": "良好"}


def _arrears(occasion: Occasion) -> Content:
    return {
        "tax_kind": occasion.rng.choice(("增值税", "企业所得税", "城镇土地使用税")),
        "amount": occasion.rng.choice(("1.2", "8", "35.6")),
    }


def _performance(occasion: Occasion) -> Content:
    kept = occasion.rng.choice(("全部履行", "全部履行", "部分未履行"))
    return {"commitment_number": f"演示{occasion.rng.randrange(1000, 9999)}", "performance": kept}


def _coercion(occasion: Occasion) -> Content:
    kind, facts = occasion.breach
    content = {"kind": "扣押财物", "content": f"扣押涉案物品一批（{MARK}）"}
    return {**content, "reason": f"{kind}：{facts}", "act_basis": occasion.law}


FURTHER: dict[str, Callable[[Occasion], Content]] = {
    "student-file": _chosen(level=("专科", "本科"), promise=(PROMISED,)),
    "student-dishonesty": fixed({"kind": "考试舞弊", "facts": f"考试中夹带资料（{MARK}）", "decision": "警告处分"}),
    "association-member": _chosen(post=("会员", "会员", "理事")),
    "association-member-firm": _chosen(post=("会员", "理事", "副会长")),
    "association-sanction": fixed(
        {"sanction": "行业内通报批评", "reason": f"违反行业自律公约（{MARK}）", "rule": "行业自律公约（虚构）"}
    ),
    "honest-member": fixed({"title": "诚信会员"}),
    "volunteer-registration": at_a_firm,
    "volunteer-service-record": _service,
    "outstanding-volunteer": fixed({"title": "优秀志愿者", "deeds": f"坚持社区助老三年（{MARK}）"}),
    "credit-reporting-agency": fixed({"business": "企业征信业务"}),
    "credit-agency-staff": _chosen(post=("从业人员", "从业人员", "高级管理人员")),
    "civil-servant-file": fixed({FieldRole.BELONGS_TO_NAME: "东江事务中心（虚构）", "promise": PROMISED}),
    "enterprise-legal-representative": _chosen_at_a_firm(post=("法定代表人", "负责人")),
    "enterprise-responsible-person": _chosen_at_a_firm(post=("董事", "监事", "高级管理人员")),
    "pharmacist-registration": at_a_firm,
    "asset-appraiser": _chosen_at_a_firm(speciality=("资产评估师", "房地产估价师")),
    "tax-accountant": at_a_firm,
    "fire-engineer": _chosen_at_a_firm(grade=("一级", "二级")),
    "accountant-qualification": _chosen_at_a_firm(grade=("初级", "中级"), speciality=("会计", "审计")),
    "certified-public-accountant": at_a_firm,
    "real-estate-broker": _chosen_at_a_firm(grade=("房地产经纪人协理", "房地产经纪人")),
    "certification-person": _chosen_at_a_firm(speciality=("质量管理体系审核员", "产品认证检查员")),
    "financial-practitioner": fixed({"trade": "银行"}),
    "moral-model": fixed({"title": "诚实守信模范", "level": "省级", "deeds": f"替亲人还清欠款（{MARK}）"}),
    "consumption-restriction": fixed({"content": f"不得有高消费及非生活和工作必需的消费行为（{MARK}）"}),
    "tax-credit-a": fixed({"year": "2025"}),
    "tax-arrears": _arrears,
    "commitment-performance": _performance,
    "contract-performance": _chosen(subject_matter=("办公家具采购", "厂房修缮"), performance=("按约履行", "正在履行")),
    "administrative-coercion": _coercion,
    "administrative-inspection": _chosen(
        matter=("明码标价检查", "计量器具检查"),
        act_basis=("有关法律规定",),
        result=("未发现问题", "发现问题已责令改正"),
    ),
    "business-registration": _chosen(
        entity_type=("有限责任公司",), scope=("食品销售", "物流运输"), state=("存续", "存续", "歇业")
    ),
}
