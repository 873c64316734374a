"""A made-up list of the shape of the e-commerce list of 2017: five columns, no date, codes in wrong columns.

Organisations and codes are fictitious; the codes are valid unless a row is there to be wrong.
"""

from collections.abc import Iterator

from tests.records.feedfiles import credit_code, organisation_code, registration_number, table_bytes

FEED = "ecommerce-dishonesty"
HEADER = ("企业名称", "工商注册号", "组织机构代码", "统一信用代码", "失信领域")
COURT, REVOKED, BOTH = "失信被执行人名单", "工商吊销企业名单", "失信被执行人名单、工商吊销企业名单"
Cells = tuple[str, str, str, str, str]


def name(number: int) -> str:
    """A fictitious company."""
    return f"兰州示例{number}号电子商务有限公司"


def plain(number: int, effects: str = REVOKED) -> Cells:
    """All three codes, each in its column."""
    return (name(number), registration_number(number), organisation_code(number), credit_code(number), effects)


def without_credit_code(number: int) -> Cells:
    """Known by its organisation code."""
    return (name(number), registration_number(number), organisation_code(number), "", BOTH)


def without_organisation_code(number: int) -> Cells:
    """The organisation code is missing, the credit code is there."""
    return (name(number), registration_number(number), "", credit_code(number), REVOKED)


def credit_code_twice(number: int) -> Cells:
    """The credit code stands in the column of the organisation code as well."""
    return (name(number), registration_number(number), credit_code(number), credit_code(number), REVOKED)


def credit_code_misplaced(number: int) -> Cells:
    """The credit code stands only in the column of the organisation code."""
    return (name(number), registration_number(number), credit_code(number), "", COURT)


def credit_code_as_registration(number: int) -> Cells:
    """The registration number is the credit code."""
    return (name(number), credit_code(number), organisation_code(number), credit_code(number), COURT)


def registration_only(number: int, length: int = 15) -> Cells:
    """Nothing but a registration number."""
    return (name(number), registration_number(number, length), "", "", REVOKED)


def contradicting(number: int) -> Cells:
    """The organisation code belongs to another company than the credit code."""
    return (name(number), registration_number(number), organisation_code(number + 5000), credit_code(number), REVOKED)


def two_credit_codes(number: int) -> Cells:
    """Two columns hold two different credit codes."""
    return (name(number), registration_number(number), credit_code(number + 5000), credit_code(number), REVOKED)


def mistyped(number: int) -> Cells:
    """A credit code whose check character does not fit."""
    code = credit_code(number)
    return (name(number), registration_number(number), "", code[:-1] + ("A" if code[-1] != "A" else "B"), REVOKED)


def filler(number: int) -> Cells:
    """A filler where the credit code should be, and nothing else."""
    return (name(number), "", "", "00000000000000000X", REVOKED)


def nothing(number: int) -> Cells:
    """No code at all."""
    return (name(number), "", "", "", COURT)


def unknown_reason(number: int) -> Cells:
    """Half of the reasons is not in the list."""
    return (name(number), registration_number(number), "", credit_code(number), f"{COURT}、其他名单")


GOOD = (
    plain, without_credit_code, without_organisation_code, credit_code_twice, credit_code_misplaced,
    credit_code_as_registration, registration_only,
)  # fmt: skip
BAD = (contradicting, two_credit_codes, mistyped, filler, nothing, unknown_reason)


def good_rows(count: int = 40) -> list[Cells]:
    """Rows that are right, in every shape the list has."""
    return [*_turns(GOOD, count), registration_only(9001, 13), registration_only(9002, 18)]


def bad_rows(count: int = 12) -> list[Cells]:
    """Rows that have to be set aside."""
    return list(_turns(BAD, count, start=2000))


def _turns(shapes: tuple, count: int, start: int = 1) -> Iterator[Cells]:  # type: ignore[type-arg]
    for number in range(start, start + count):
        yield shapes[number % len(shapes)](number)


def file(rows: list[Cells], encoding: str = "utf-8-sig") -> bytes:
    """The list as a file."""
    return table_bytes(HEADER, rows, encoding)
