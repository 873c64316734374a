"""The workbook a unit fills in: made from the version in force, so that its header is understood without a question."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import xlsxwriter
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from xlsxwriter.utility import xl_col_to_name

from records.enums import FieldRole, FieldType, Required
from records.feeds.plan import Plan, plan_for
from records.feeds.readers.titles import EXAMPLE
from records.feeds.vocabulary import IDENTIFIER_KINDS, SUBJECT_KINDS, effects
from records.models import EntryField, EntryVersion, Feed

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LAST_ROW = 1_048_575
INLINE_LIST_CHARS = 250
NARROWEST, WIDEST = 14, 44
DAY = "2026-03-01"
SAMPLES: dict[str, str] = {
    FieldRole.SUBJECT_NAME: "示例",
    FieldRole.CREDIT_CODE: "91441300MA00000000",
    FieldRole.DOCUMENT_NUMBER: "示例〔2026〕1号",
    FieldRole.AGENCY_NAME: "示例市市场监督管理局",
    FieldRole.SOURCE_NAME: "示例市市场监督管理局",
}
OF_TYPE: dict[str, str] = {FieldType.DATE: DAY, FieldType.AMOUNT: "1.5", FieldType.INTEGER: "1"}
NEVER_SHOWN = {FieldRole.IDENTITY_NUMBER, FieldRole.LEGAL_REPRESENTATIVE_NUMBER}  # an example names no person
REQUIREMENTS = {
    Required.ALWAYS: _("must be filled in"),
    Required.NEVER: _("optional"),
    Required.PERSONS: _("required for natural persons"),
    Required.ORGANISATIONS: _("required for organisations"),
    Required.BUSINESSES: _("required for organisations and individual businesses"),
}
MASKS = {True: _("personal: kept sealed, never shown to the public"), False: ""}


@dataclass(frozen=True)
class Notes:
    """What a person has to know of one column, in one language."""

    name: str
    requirement: str
    form: str


def template_of(feed: Feed) -> bytes:
    """The template workbook of a feed. Raises NotCollected where its entry is not in force."""
    plan = plan_for(feed)
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": plan.version.entry.name, "comments": _edition(plan.version)})
    with translation.override("zh-hans"):
        _Sheets(book, plan, feed).write()
    book.close()
    return buffer.getvalue()


class _Sheets:
    """The three sheets: the table to fill in, the notes, the lists behind the drop-downs."""

    def __init__(self, book: Any, plan: Plan, feed: Feed) -> None:
        self.book, self.plan, self.feed = book, plan, feed
        self.fields = [item for item in plan.fields if item.role not in plan.constants]
        self.lists: list[tuple[str, list[str]]] = []
        looks: dict[str, dict[str, Any]] = {
            "required": {"bold": True, "bg_color": "#1f4e79", "font_color": "#ffffff", "border": 1, "text_wrap": True},
            "optional": {"bold": True, "bg_color": "#dfe8f1", "border": 1, "text_wrap": True},
            "text": {"num_format": "@"},
            "date": {"num_format": "yyyy-mm-dd"},
            "example": {"num_format": "@", "italic": True, "font_color": "#7a5c00", "bg_color": "#fff4d6"},
            "wrapped": {"text_wrap": True, "valign": "top"},
            "title": {"bold": True, "font_size": 14},
        }
        self.look = {name: book.add_format(values) for name, values in looks.items()}

    def write(self) -> None:
        """All of it; the table is the first sheet, which is the one that is read."""
        self._table()
        self._notes()
        if self.lists:
            self._lists()

    def _table(self) -> None:
        sheet = self.book.add_worksheet("数据")
        sheet.freeze_panes(1, 1)
        sheet.set_row(0, 36)
        for at, item in enumerate(self.fields):
            width = min(max(NARROWEST, 2 * len(item.name) + 2), WIDEST)
            sheet.set_column(at, at, width, self.look["date" if item.type == FieldType.DATE else "text"])
            sheet.write_string(0, at, item.name, self.look[_look_of(item)])
            sheet.write_comment(0, at, self._comment(item), {"x_scale": 2.4, "y_scale": 2.2})
            example = example_of(item, self.plan.version)
            sheet.write_string(1, at, example if at else f"{EXAMPLE}{example}", self.look["example"])
            self._offer(sheet, at, item)

    def _offer(self, sheet: Any, at: int, item: EntryField) -> None:
        """A drop-down; it forbids other words only where the standard does."""
        words = words_of(item, self.plan.version)
        if not words:
            return
        source: list[str] | str = words
        if len(",".join(words)) > INLINE_LIST_CHARS or any("," in word for word in words):
            column = xl_col_to_name(len(self.lists))
            self.lists.append((item.name, words))
            source = f"=选项!${column}$2:${column}${len(words) + 1}"
        strict = item.type != FieldType.EFFECTS and not any(word.rstrip("….").endswith("-") for word in words)
        sheet.data_validation(
            1, at, LAST_ROW, at, {"validate": "list", "source": source, "ignore_blank": True, "show_error": strict}
        )

    def _comment(self, item: EntryField) -> str:
        chinese, english = notes_of(item, self.plan.fields, "zh-hans"), notes_of(item, self.plan.fields, "en")
        lines = [
            f"{item.code} · {english.name}",
            f"{chinese.requirement} / {english.requirement}",
            f"{chinese.form} / {english.form}",
        ]
        return "\n".join(lines)

    def _notes(self) -> None:
        sheet = self.book.add_worksheet("填写说明")
        sheet.write_string(
            0, 0, f"{self.plan.version.entry.name} · {self.plan.version.entry.name_en}", self.look["title"]
        )
        sheet.write_string(1, 0, f"{self.feed.name} · {_edition(self.plan.version)}")
        for at, (chinese_rule, english_rule) in enumerate(GENERAL):
            sheet.write_string(2 + at, 0, f"{chinese_rule}  {english_rule}")
        top = 3 + len(GENERAL)
        heads = ["列名", "代码", "English", "要求", "Requirement", "填写形式", "Form", "示例 Example"]
        for at, text in enumerate(heads):
            sheet.set_column(at, at, 26, None)
            sheet.write_string(top, at, text, self.look["optional"])
        for row, item in enumerate(self.fields, top + 1):
            chinese, english = notes_of(item, self.plan.fields, "zh-hans"), notes_of(item, self.plan.fields, "en")
            cells = [
                item.name, item.code, english.name, chinese.requirement, english.requirement, chinese.form,
                english.form, example_of(item, self.plan.version),
            ]  # fmt: skip
            for at, text in enumerate(cells):
                sheet.write_string(row, at, text, self.look["wrapped"])

    def _lists(self) -> None:
        sheet = self.book.add_worksheet("选项")
        for at, (name, words) in enumerate(self.lists):
            sheet.set_column(at, at, 30)
            for row, text in enumerate([name, *words]):
                sheet.write_string(row, at, text)


GENERAL = [
    ("只填写“数据”表，第一行不要改动。", "Fill in the sheet 数据 only and leave its first row as it is."),
    (
        "第二行是示例，请删除；忘记删除时，系统不会把它当作数据收入。",
        "The second row is an example: delete it. If it is forgotten, it is not taken in.",
    ),
    ("各列均为文本格式，号码不会丢失位数。", "Columns hold text, so that no digit of a number is lost."),
    ("深色列名为必填项。", "Dark headers are required."),
]


def _look_of(item: EntryField) -> str:
    return "required" if item.required == Required.ALWAYS else "optional"


def _edition(version: EntryVersion) -> str:
    return f"{version.entry.code} v{version.number}"


def words_of(item: EntryField, version: EntryVersion) -> list[str]:
    """The words a column may hold, in the order of the standard; none for free text."""
    if item.role == FieldRole.SUBJECT_KIND:
        kinds = set(version.subject_kinds)
        return item.choices or [word for word, kind in SUBJECT_KINDS.items() if kind in kinds]
    if item.type == FieldType.IDENTIFIER_KIND:
        return item.choices or list(IDENTIFIER_KINDS)
    if item.type == FieldType.EFFECTS:
        known = effects().by_code
        return [known[code].name for code in item.choices if code in known]
    return list(item.choices)


def example_of(item: EntryField, version: EntryVersion) -> str:
    """What a column of the example row holds: invented, and in its numbers never valid."""
    words = words_of(item, version)
    if item.role in NEVER_SHOWN or (item.required not in (Required.ALWAYS, Required.WHEN) and not item.one_of):
        return SAMPLES.get(item.role, "")
    return SAMPLES.get(item.role) or (words[0] if words else OF_TYPE.get(item.type, "示例"))[: item.length]


def notes_of(item: EntryField, fields: Sequence[EntryField], language: str) -> Notes:
    """What has to be known of a column, in the language asked for."""
    with translation.override(language):
        named: Callable[[EntryField], str] = lambda one: one.name if language == "zh-hans" else one.name_en  # noqa: E731
        return Notes(named(item), _requirement(item, fields, named), _form(item))


def _requirement(item: EntryField, fields: Sequence[EntryField], named: Callable[[EntryField], str]) -> str:
    if item.one_of:
        return gettext("at least one of the codes is required")
    if item.required != Required.WHEN:
        return str(REQUIREMENTS[Required(item.required)])
    other = next((named(one) for one in fields if one.code == item.when_field), item.when_field)
    if not item.when_any:
        return gettext("required as soon as “%(field)s” is filled in") % {"field": other}
    known = effects().by_code
    words = [known[code].name if code in known else code for code in item.when_any]
    return gettext("required when “%(field)s” has one of: %(words)s") % {"field": other, "words": "、".join(words)}


def _form(item: EntryField) -> str:
    form = str(FieldType(item.type).label)
    parts = [form, gettext("at most %(n)s characters") % {"n": item.length}, str(MASKS[item.personal])]
    if item.type == FieldType.DATE:
        parts = [form, DAY]
    if item.type == FieldType.EFFECTS:
        parts.insert(1, gettext("several are separated by a semicolon"))
    return "; ".join(part for part in parts if part)
