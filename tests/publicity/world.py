"""Small public worlds for the tests of the sites, taken in through the real pipeline."""

import datetime
from typing import Any

from creditplatform.core.identity import make_credit_code, make_resident_id
from records.models import CreditRecord, FeedBatch
from tests.deliveries import ingest, penalty

BORN = datetime.date(1985, 6, 15)
PERSON_NUMBER = make_resident_id("620102", BORN, 432)
PERSON_NAME = "马示例"
CASE_NUMBER = "（2026）甘01执123号"
AGENCY_CODE = make_credit_code("11441300", "MB000001")
GANSU_FEED = "gs-market-penalty"


def days_ago(days: int) -> str:
    """A date before today, as a file writes it."""
    return (datetime.date.today() - datetime.timedelta(days=days)).isoformat()


def company(number: int, name: str, **cells: str) -> dict[str, str]:
    """A fine against a company of that name."""
    return penalty(number, CF_XDR_MC=name, **cells)


def taken_in(*rows: dict[str, str], **options: Any) -> list[CreditRecord]:
    """The records of rows that all must be accepted, in the order of the file."""
    batch: FeedBatch = ingest(*rows, **options)
    assert batch.accepted == len(rows), batch.problems
    return list(CreditRecord.objects.filter(batch_id=batch.pk).select_related("subject", "site").order_by("row_number"))


def defaulter(**cells: str) -> CreditRecord:
    """A natural person on the list of judgment defaulters, whom a law publishes; on the site of Gansu."""
    row = {
        "name": PERSON_NAME, "party_kind": "自然人", "credit_code": "", "registration_number": "",
        "identity_kind": "身份证", "identity_number": PERSON_NUMBER, "document_number": CASE_NUMBER,
        "basis_number": "（2025）甘01民终88号", "performance": "全部未履行", "conduct": "有履行能力而拒不履行",
        "filed_on": days_ago(90), "decided_on": days_ago(60), "agency_name": "兰州市中级人民法院",
    }  # fmt: skip
    return taken_in({**row, **cells}, feed="gs-court-defaulters")[0]


def licence(number: int, **cells: str) -> dict[str, str]:
    """A licence of a company, in Huizhou."""
    row = {
        "XK_XDR_MC": f"示例{number}号有限公司", "XK_XDR_LB": "法人及非法人组织",
        "XK_XDR_SHXYM": make_credit_code("91441300", f"{40000000 + number}"), "XK_FRDB": "陈示例",
        "XK_XKWS": "准予许可决定书", "XK_WSH": f"惠市监许〔2026〕{number}号", "XK_XKLB": "普通", "XK_NR": "食品销售",
        "XK_JDRQ": days_ago(30), "XK_YXQZ": days_ago(30), "XK_YXQZI": "2099/12/31", "XK_XKJG": "惠州市市场监督管理局",
        "XK_XKJGDM": AGENCY_CODE, "XK_ZT": "1", "XK_LYDW": "惠州市市场监督管理局", "XK_LYDWDM": AGENCY_CODE,
    }  # fmt: skip
    return {**row, **cells}


def dishonest_shop(name: str = "兰州示例电子商务有限公司", number: int = 1) -> CreditRecord:
    """A company on the list of e-commerce, which bears neither a date nor a number of its own; Gansu."""
    row = {
        "企业名称": name, "工商注册号": f"62010000{number:05d}", "组织机构代码": "",
        "统一信用代码": make_credit_code("91620102", f"{30000000 + number}"), "失信领域": "工商吊销企业名单",
    }  # fmt: skip
    return taken_in(row, feed="ecommerce-dishonesty")[0]


def address(record: CreditRecord, ending: str = "/") -> str:
    """The address of the page of a record on its own site."""
    return f"/{record.site.code}/records/{record.token}{ending}"
