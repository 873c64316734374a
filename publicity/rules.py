"""Pure rules of the public sites: what a visitor may put into an address, which numbers may be shown."""

import datetime
import re
from collections.abc import Iterable

from creditplatform.core.identity import PROVINCES, IdentifierKind, check, normalise
from creditplatform.core.identity.organisations import registration_check_digit_fits
from creditplatform.core.identity.persons import EARLIEST_BIRTH

_RUNS = re.compile(r"(?<![0-9A-Z])(?:[0-9]{17}[0-9X]|[0-9]{15}|[0-9]{11})(?![0-9A-Z])")
_DASHES_INSIDE = re.compile(r"(?<=[0-9])[\-\u2010-\u2015\u2212](?=[0-9X])")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
# Every second name holds one of these; alone they name nobody and would drag half the table along.
_EVERYWHERE = (
    "有限责任公司", "股份有限公司", "集团有限公司", "科技有限公司", "个体工商户", "合伙企业", "co.,ltd.", "limited",
)  # fmt: skip


def looks_personal(text: str) -> bool:
    """Whether a text holds what may be a number of a person: resident number, old or new, or mobile telephone.

    A resident number counts even with a wrong check digit, since it is then merely mistyped. Credit codes and
    registration numbers that prove themselves by their own check digit do not count.
    """
    return any(_is_personal(run) for run in _RUNS.findall(_DASHES_INSIDE.sub("", normalise(text))))


def too_common(folded: str) -> bool:
    """Whether a folded search text is part of the words that stand in nearly every organisation's name."""
    return any(folded in words for words in _EVERYWHERE)


def public_codes(codes: Iterable[str]) -> list[str]:
    """The codes of an organisation that may be shown: individual businesses may bear their owner's number."""
    return [code for code in dict.fromkeys(codes) if code and not looks_personal(code)]


def _is_personal(number: str) -> bool:
    if len(number) == 11:
        return _MOBILE.fullmatch(number) is not None
    if number[:2] not in PROVINCES:
        return False
    if len(number) == 15:
        unproven = not registration_check_digit_fits(number)
        return unproven and check(IdentifierKind.RESIDENT_ID_15, number) is None
    if check(IdentifierKind.RESIDENT_ID, number) is None:
        return True
    return _bears_birth_date(number) and check(IdentifierKind.CREDIT_CODE, number) is not None


def _bears_birth_date(number: str) -> bool:
    try:
        born = datetime.date.fromisoformat(number[6:14])
    except ValueError:
        return False
    return EARLIEST_BIRTH <= born <= datetime.date.today()
