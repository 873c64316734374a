"""Good files to be damaged: the same fictitious penalties in every form in which departments deliver."""

import io
import json
from collections.abc import Callable

import xlsxwriter

from tests.deliveries import penalty, person_penalty
from tests.records.feed_files import xls, xlsx, xml
from tests.records.feedfiles import cells_of, csv_bytes, table_bytes

PERSON = "441300199001011239"
# What stands in cells and nowhere else; none of it may be seen in a log line or a message.
CANARIES = ("示例", "惠市监罚", PERSON, "91441300MA", "不合格")
ROWS = [
    *(penalty(number, CF_NR=f"罚款{number}万元,\n另没收“违法所得”", CF_NR_FK=f"{number}.5") for number in range(1, 9)),
    penalty(9, CF_JDRQ="2026年5月3日", CF_NR_FK="1,000元", BZ="𠮷野𬭚"),
    penalty(10, CF_JDRQ="46000", CF_XDR_SHXYM="00000000000000000X", BZ="无"),
    person_penalty(11, "林示例", PERSON),
    person_penalty(12, "马示例", "620100198506154320", CF_NR_FK="/"),
]
HEADER, CELLS = cells_of(ROWS)


def workbook() -> bytes:
    """A workbook with numbers, dates, a hidden sheet and a formula, beside the plain one."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        hidden, sheet = book.add_worksheet("旧"), book.add_worksheet("数据")
        hidden.hide()
        sheet.activate()
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.merge_range(0, 0, 0, 5, "行政处罚信息")
        sheet.write_row(1, 0, HEADER)
        for line, row in enumerate(CELLS, 2):
            sheet.write_row(line, 0, row)
            sheet.write_number(line, HEADER.index("CF_JDRQ"), 46000 + line, day)
            sheet.write_number(line, HEADER.index("CF_NR_FK"), line / 4)
        sheet.write_formula(5, HEADER.index("CF_NR_FK"), "=1+1", value=2)
    return buffer.getvalue()


GOOD: dict[str, list[Callable[[], bytes]]] = {
    "csv": [
        lambda: csv_bytes(ROWS),
        lambda: csv_bytes(ROWS, encoding="gb18030"),
        lambda: csv_bytes(ROWS, encoding="utf-16"),
        lambda: table_bytes(HEADER, CELLS, "utf-8-sig", "\t"),
    ],
    "xlsx": [workbook, lambda: xlsx([HEADER, *CELLS]), lambda: xlsx([HEADER, *CELLS], strings=False)],
    "xls": [lambda: xls([HEADER, *CELLS])],
    "json": [
        lambda: json.dumps({"rows": ROWS}, ensure_ascii=False, indent=1).encode(),
        lambda: json.dumps(ROWS).encode(),
        lambda: json.dumps(ROWS, ensure_ascii=False).encode("utf-8-sig"),
    ],
    "xml": [
        lambda: xml(HEADER, CELLS),
        lambda: xml(HEADER, CELLS, "GB18030"),
    ],
}
