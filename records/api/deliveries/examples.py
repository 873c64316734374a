"""What the documentation of deliveries shows: bodies that work as they stand, and answers to them."""

from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

# A fine against a company that is not real; every field that must be filled in is.
ROW: Final[Mapping[str, Any]] = {
    "CF_XDR_MC": "惠州示例一号贸易有限公司", "CF_XDR_LB": "法人及非法人组织", "CF_XDR_SHXYM": "91441302MA9E000144",
    "CF_FRDB": "陈示例", "CF_WSH": "惠市监罚〔2026〕1号", "CF_WFXW": "销售不合格产品", "CF_SY": "销售的产品不符合标准",
    "CF_YJ": "《产品质量法》第四十九条", "CF_CFLB": "罚款", "CF_NR": "罚款一万五千元", "CF_NR_FK": 1.5,
    "CF_JDRQ": "2026-03-01", "CF_CFJG": "惠州市市场监督管理局", "CF_CFJGDM": "11441300XN00073451",
    "CF_SJLY": "惠州市市场监督管理局", "CF_SJLYDM": "11441300XN00073451",
}  # fmt: skip
CSV: Final = f"{','.join(ROW)}\n{','.join(map(str, ROW.values()))}\n"
XML: Final = f"<rows><row>{''.join(f'<{code}>{escape(str(text))}</{code}>' for code, text in ROW.items())}</row></rows>"

_COLUMNS: Final = [{"header": "行政相对人名称", "field": "CF_XDR_MC", "fate": "name"}]
RECEIPT: Final[dict[str, Any]] = {
    "batch": 4711, "state": "partly_quarantined", "received": 3, "accepted": 2, "unchanged": 0, "quarantined": 1,
    "rejected": 0, "seconds": 0.2, "problems": {"not_a_date": 1}, "error": "", "message": "",
    "feed": "hz-market-penalty", "columns": _COLUMNS, "agency_unchecked": False,
}  # fmt: skip
_NOTHING_YET: Final = {"received": 0, "accepted": 0, "quarantined": 0, "seconds": 0.0, "problems": {}, "columns": []}
TAKEN_IN: Final = {**RECEIPT, **_NOTHING_YET, "state": "received"}
CANCELLED: Final = {**TAKEN_IN, "state": "cancelled"}
PROBLEMS: Final[dict[str, Any]] = {
    "rows": [
        {
            "row": 2, "line": 3, "state": "open", "batch": 4711,
            "problems": [
                {
                    "field": "CF_JDRQ", "code": "not_a_date",
                    "message": "This is not a date; write it like 2018-05-03.",
                }
            ],
        }
    ],
    "next": None,
}  # fmt: skip
_FEED: Final = "https://platform.example/api/v1/feeds/hz-market-penalty"
FEEDS: Final[dict[str, Any]] = {
    "feeds": [
        {
            "code": "hz-market-penalty", "name": "行政处罚", "name_en": "Penalties", "entry": "penalty",
            "version": 1, "format": "any", "rhythm": "daily", "active": True,
            "dated_by_receipt": False, "template": f"{_FEED}/template", "batches": f"{_FEED}/batches",
            "fields": [
                {
                    "code": "CF_JDRQ", "name": "处罚决定日期", "name_en": "Date of the decision", "type": "date",
                    "length": 10, "required": "always", "when_field": "", "when_any": [], "one_of": "", "pattern": "",
                    "choices": [], "personal": False, "headers": ["决定日期"],
                }
            ],
        }
    ]
}  # fmt: skip
CHOICES: Final = {"columns": {"决定的日子": "CF_JDRQ", "内部序号": ""}}
WAITING: Final[dict[str, Any]] = {
    "feed": "hz-market-penalty", "columns": {},
    "waiting": [
        {
            "batch": 4711,
            "columns": [
                {"header": "决定的日子", "field": "CF_JDRQ", "fate": "proposed", "filled": True},
                {"header": "内部序号", "field": "", "fate": "unknown", "filled": True},
            ],
        }
    ],
}  # fmt: skip
CONFIRMED: Final = {"feed": "hz-market-penalty", **CHOICES, "waiting": []}
