"""Pure rules of the public sites: what a visitor may put into an address, which numbers may be shown."""

import datetime
import re
from collections.abc import Iterable

from creditplatform.core.identity import PROVINCES, IdentifierKind, check, normalise
from creditplatform.core.identity.organisations import registration_check_digit_fits
from creditplatform.core.identity.persons import EARLIEST_BIRTH

_TOKEN = re.compile(r"[0-9A-Z]+")
_RUNS = re.compile(r"(?<![0-9])(?:[0-9]{17}(?:[0-9](?![0-9])|X)|[0-9]{15}(?![0-9])|[0-9]{11}(?![0-9]))")
# Passports and passes of this country, known by their form wherever they stand; the old card of foreign residents.
_TRAVEL = re.compile(r"[EGDSPHM](?:[0-9]{7,8}|[A-Z][0-9]{7})|[HM][0-9]{10}|[A-Z]{3}[0-9]{12}")
_MILITARY = re.compile(r"[军兵士文官武参政后装海空陆火警]字第?[0-9]{4,10}号?")
_SHORT_NUMBER = re.compile(r"[0-9]{7,10}")
_MIXED_NUMBER = re.compile(r"(?=.*[A-Z])(?=(?:.*[0-9]){5})[0-9A-Z]{7,12}")
# A name that ends so is one of an organisation. One character says little: it needs a longer name before it.
_ORGANISATION = re.compile(
    r".*(?:公司|集团|企业|合作社|合作联社|中心|事务所|经营部|商行|商店|超市|酒店|饭店|医院|诊所|学校|学院|大学|中学|小学"
    r"|幼儿园|银行|协会|学会|商会|基金会|委员会|法院|检察院|工厂|药房|餐厅|工作室|派出所|街道办|政府)|.{3,}[局院店厂社]"
)
_CLOSING = re.compile(r"[()（）\[\]【】「」《》〈〉“”\"]")
_DASHES_INSIDE = re.compile(r"(?<=[0-9])[\-\u2010-\u2015\u2212](?=[0-9X])")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
# Every second name holds one of these; alone they name nobody and would drag half the table along.
_EVERYWHERE = (
    "有限责任公司", "股份有限公司", "集团有限公司", "科技有限公司", "个体工商户", "合伙企业", "co.,ltd.", "limited",
)  # fmt: skip


def looks_personal(text: str) -> bool:
    """Whether a text holds what may be a number of a person: any document of IdentifierKind's, or a mobile telephone.

    A resident number counts even with a wrong check digit, since it is then merely mistyped. Credit codes,
    organisation codes and registration numbers that prove themselves by their own check digit do not count.
    Passports of other countries and the bare digits of passes are known only where nothing stands beside them.
    """
    whole = _one_spelling(text)
    pieces = {whole, *map(_one_spelling, text.split())}
    tokens = {token for piece in pieces for token in _TOKEN.findall(piece)}
    return (
        any(_holds_resident_number(token) or _is_travel_document(token) for token in tokens)
        or _MILITARY.search(whole) is not None
        or any(_is_bare_number(piece) for piece in pieces)
    )


def surely_organisation(text: str) -> bool:
    """Whether a search text is certainly not about a person: a valid code, or a name that ends as organisations' do.

    Only such a text may stand in an address. Anything in several words could be a person beside an organisation.
    """
    if looks_personal(text):
        return False
    code = normalise(text)
    if check(IdentifierKind.CREDIT_CODE, code) is None or check(IdentifierKind.ORGANISATION_CODE, code) is None:
        return True
    name = _CLOSING.sub("", text.strip())
    return name.isalnum() and _ORGANISATION.fullmatch(name) is not None


def too_common(folded: str) -> bool:
    """Whether a folded search text is part of the words that stand in nearly every organisation's name."""
    return any(folded in words for words in _EVERYWHERE)


def public_codes(codes: Iterable[str]) -> list[str]:
    """The codes of an organisation that may be shown: individual businesses may bear their owner's number."""
    return [code for code in dict.fromkeys(codes) if code and not _holds_resident_number(_one_spelling(code))]


def _one_spelling(text: str) -> str:
    return _DASHES_INSIDE.sub("", normalise(text))


def _holds_resident_number(text: str) -> bool:
    return any(_is_personal(run) for run in _RUNS.findall(text))


def _is_travel_document(token: str) -> bool:
    """One letter and eight digits are a pass even where the check digit of an organisation code happens to fit."""
    if not _TRAVEL.fullmatch(token):
        return False
    return token[1].isdigit() or check(IdentifierKind.ORGANISATION_CODE, token) is not None


def _is_bare_number(text: str) -> bool:
    """A number with nothing beside it that no organisation is known by, and that is no date."""
    if check(IdentifierKind.ORGANISATION_CODE, text) is None:
        return False
    if _SHORT_NUMBER.fullmatch(text):
        return not _is_date(text)
    return _MIXED_NUMBER.fullmatch(text) is not None


def _is_date(digits: str) -> bool:
    try:
        return len(digits) == 8 and bool(datetime.date.fromisoformat(digits))
    except ValueError:
        return False


def _is_personal(number: str) -> bool:
    if len(number) == 11:
        return _MOBILE.fullmatch(number) is not None
    if len(number) == 18 and check(IdentifierKind.FOREIGN_PERMANENT_RESIDENCE, number) is None:
        return True
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
