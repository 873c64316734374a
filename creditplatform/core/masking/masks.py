"""One function per mask; each shows at most what its label says, whatever is put in."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import CreditError
from creditplatform.core.masking.addresses import down_to_county

STARS = "**"
HIDDEN = "****"
_SHORTEST_PHONE = 7
_SHORTEST_DOCUMENT = 9
_SHORTEST_ACCOUNT = 12

COMPOUND_SURNAMES = frozenset(
    "欧阳 司马 上官 诸葛 东方 皇甫 尉迟 公孙 令狐 慕容 夏侯 司徒 司空 长孙 宇文 轩辕 端木 独孤 南宫 西门 "  # noqa: SIM905
    "百里 呼延 闻人 东郭 赫连 澹台 公冶 宗政 濮阳 淳于 单于 太叔 申屠 仲孙 钟离 鲜于 闾丘 亓官 拓跋 万俟 "
    "完颜 耶律 第五 左丘 谷梁 段干 微生 梁丘 东门 公羊 歐陽 司馬 諸葛 東方 尉遲 公孫 長孫 軒轅 獨孤 南宮 "
    "西門 東郭 聞人 澹臺 濮陽 單于 鍾離 鮮于 万俟".split()
)


class Mask(StrEnum):
    """The masks a field of a catalogue entry may name."""

    NAME = "name"
    ID_NUMBER = "id_number"
    ID_NUMBER_LAST4 = "id_number_last4"
    PHONE = "phone"
    ADDRESS = "address"
    BANK_ACCOUNT = "bank_account"
    HIDDEN = "hidden"
    NONE = "none"

    __hash__ = str.__hash__

    @property
    def label(self) -> Promise:
        """What the mask leaves visible, in words."""
        return _LABELS[self]

    @classmethod
    def choices(cls) -> list[tuple[str, Promise]]:
        """Pairs of value and label, as form and model fields take them."""
        return [(code.value, code.label) for code in cls]


_LABELS: dict[Mask, Promise] = {
    Mask.NAME: _("Surname or initial only"),
    Mask.ID_NUMBER: _("Document number, nothing shown"),
    Mask.ID_NUMBER_LAST4: _("Document number, last four characters (for authorities)"),
    Mask.PHONE: _("Telephone, first three and last two digits"),
    Mask.ADDRESS: _("Address down to the county"),
    Mask.BANK_ACCOUNT: _("Bank account, last four digits"),
    Mask.HIDDEN: _("Nothing shown"),
    Mask.NONE: _("Shown whole"),
}


def mask(code: str, value: str) -> str:
    """What may be seen of a personal value under a mask; nothing stays nothing.

    The result never tells the length of what it hides. Raises CreditError for an unknown code, so that a slip
    in a catalogue entry cannot show a value whole.
    """
    hide = _MASKS.get(code)
    if hide is None:
        raise CreditError("unknown_mask", _("The catalogue names a mask that does not exist."))
    return hide(value) if value else ""


def _mask_name(value: str) -> str:
    name = value.strip()
    kept = 2 if len(name) > 2 and name[:2] in COMPOUND_SURNAMES else 1
    return name[:kept] + STARS if len(name) > kept else STARS


def _mask_phone(value: str) -> str:
    digits = [character for character in value if character.isalnum()]
    if len(digits) < _SHORTEST_PHONE:
        return HIDDEN
    return "".join(digits[:3]) + HIDDEN + "".join(digits[-2:])


def _mask_address(value: str) -> str:
    kept = down_to_county(value)
    return kept + STARS if kept else HIDDEN


def _last_four(shortest: int) -> Callable[[str], str]:
    def hide(value: str) -> str:
        number = "".join(character for character in value if character.isalnum())
        return HIDDEN + number[-4:] if len(number) >= shortest else HIDDEN

    return hide


def _hide(value: str) -> str:
    return HIDDEN


def _show(value: str) -> str:
    return value


_MASKS: dict[str, Callable[[str], str]] = {
    Mask.NAME: _mask_name,
    Mask.ID_NUMBER: _hide,
    Mask.ID_NUMBER_LAST4: _last_four(_SHORTEST_DOCUMENT),
    Mask.PHONE: _mask_phone,
    Mask.ADDRESS: _mask_address,
    Mask.BANK_ACCOUNT: _last_four(_SHORTEST_ACCOUNT),
    Mask.HIDDEN: _hide,
    Mask.NONE: _show,
}
