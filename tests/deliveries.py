"""Small deliveries of penalties, taken in through the same pipeline as a department's file."""

import csv
import datetime
import io
from typing import Any

import pytest
from stdnum.cn import uscc

from creditplatform.core.enums import Door
from creditplatform.core.models import User
from records.models import CreditRecord, Feed, FeedBatch
from records.services.feeds import receive_file, work_off

FEED = "hz-market-penalty"


def credit_code(number: int) -> str:
    """A valid unified social credit code of a fictitious company of Huizhou."""
    head = f"91441300MA{number:07d}"
    return head + uscc.calc_check_digit(head)


def penalty(number: int = 1, **cells: str) -> dict[str, str]:
    """A fine against an organisation, thirty days old; single cells may be given otherwise."""
    day = datetime.date.today() - datetime.timedelta(days=30)
    unit = credit_code(9000000)
    row = {
        "CF_XDR_MC": f"示例{number}号贸易有限公司", "CF_XDR_LB": "法人及非法人组织",
        "CF_XDR_SHXYM": credit_code(number),
        "CF_FRDB": "陈示例", "CF_XDR_ZJLX": "", "CF_XDR_ZJHM": "", "CF_WSH": f"惠市监罚〔2026〕{number}号",
        "CF_WFXW": "销售不合格产品", "CF_SY": "销售的产品不符合标准", "CF_YJ": "《产品质量法》第四十九条",
        "CF_CFLB": "罚款", "CF_NR": "罚款一万元", "CF_NR_FK": "1", "CF_JDRQ": day.isoformat(),
        "CF_CFJG": "惠州市市场监督管理局", "CF_CFJGDM": unit, "CF_SJLY": "惠州市市场监督管理局", "CF_SJLYDM": unit,
    }  # fmt: skip
    return {**row, **cells}


def person_penalty(number: int, name: str, identity_number: str, **cells: str) -> dict[str, str]:
    """A fine against a natural person."""
    of_person = {
        "CF_XDR_MC": name, "CF_XDR_LB": "自然人", "CF_XDR_SHXYM": "", "CF_FRDB": "",
        "CF_XDR_ZJLX": "身份证", "CF_XDR_ZJHM": identity_number,
    }  # fmt: skip
    return penalty(number, **{**of_person, **cells})


def as_csv(rows: list[dict[str, str]]) -> bytes:
    """The rows as a file with a header."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


def delivered(rows: list[dict[str, str]], *, feed: str = FEED, user: User | None = None, **options: Any) -> FeedBatch:
    """Hand the rows in as a file; the batch waits. Must run in an audit context."""
    wanted = Feed.objects.get(code=feed)
    return receive_file(
        feed=wanted, blocks=[as_csv(rows)], file_name="delivery.csv", door=Door.COMMAND, user=user, **options
    )


def ingest(*rows: dict[str, str], feed: str = FEED, user: User | None = None) -> FeedBatch:
    """Hand the rows in and work them off. Must run in an audit context."""
    return work_off(delivered(list(rows), feed=feed, user=user))


def one_record(number: int = 1, **cells: str) -> CreditRecord:
    """One penalty on file. Must run in an audit context."""
    batch = ingest(penalty(number, **cells))
    assert (batch.received, batch.accepted) == (1, 1), batch.problems
    return CreditRecord.objects.select_related("subject", "entry", "version", "agency").get(batch_id=batch.pk)


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """Hash passwords quickly; a module that imports this spares a third of a second per person of the cast."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
