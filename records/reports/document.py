"""A report as a printed document: PDF/A-2a with its fonts inside, set by a template that only places what it gets."""

import io
import json
import threading
from pathlib import Path
from typing import Any, Final

import segno
import typst
from django.conf import settings
from django.utils.translation import gettext as _

from creditplatform.core import wording
from creditplatform.core.errors import CreditError
from records.reports import glyphs

TEMPLATE = Path(__file__).parent / "template" / "report.typ"
STANDARD: Final = "a-2a"
COLOURS = {"huizhou": ("#0b4f6c", "#12806a", "#e7f1f3"), "gansu": ("#8c3a1f", "#b7791f", "#f8efe3")}
NEUTRAL = ("#2c4a63", "#4d7ea8", "#eaf0f5")
_local = threading.local()


class CannotBeSet(CreditError):
    """The document could not be made; says nothing of what stands in it (HTTP 500)."""

    default_code = "report_cannot_be_set"
    default_message = _("The report could not be made. Please turn to the credit centre.")


def pdf(content: dict[str, Any], site: str) -> bytes:
    """The report as PDF/A, in the active language; 25 to 40 milliseconds. Raises CannotBeSet."""
    data = json.dumps(_printable(_page(content, site)), ensure_ascii=False)
    try:
        made = _compiler(data).compile(format="pdf", pdf_standards=[STANDARD], sys_inputs={"d": data})
    except typst.TypstError:
        raise CannotBeSet from None  # its words quote the document
    if not isinstance(made, bytes):
        raise CannotBeSet
    return made


def pictures(content: dict[str, Any], site: str) -> list[bytes]:
    """The pages as PNG, to be looked at."""
    data = json.dumps(_printable(_page(content, site)), ensure_ascii=False)
    made = _compiler(data).compile(format="png", ppi=80, sys_inputs={"d": data})
    return [page for page in (made if isinstance(made, list) else [made]) if page is not None]


def _compiler(data: str) -> typst.Compiler:
    """One compiler per thread, since it serves one at a time; it keeps its fonts in memory, the rare one if needed."""
    rare = glyphs.rare_font() if glyphs.beyond(data) else None
    kept: dict[Path | None, typst.Compiler] = _local.__dict__.setdefault("compilers", {})
    if rare not in kept:
        paths = [str(glyphs.font().parent), *([str(rare.parent)] if rare else [])]
        root = str(TEMPLATE.parent)
        kept[rare] = typst.Compiler(str(TEMPLATE), root=root, font_paths=paths, ignore_system_fonts=True)
    return kept[rare]


def _page(content: dict[str, Any], site: str) -> dict[str, Any]:
    """What the template places: the content, its labels, colours and the square code with the address to check it."""
    brand, accent, tint = COLOURS.get(site, NEUTRAL)
    rare = glyphs.lacking(json.dumps(content, ensure_ascii=False))
    coded = _("A character that the font of this report lacks is printed as its code, as in [U+4E00].")
    return {
        "c": content,
        "l": labels(),
        "facts": facts(content),
        "qr": square(content["verify"]),
        "brand": brand, "accent": accent, "tint": tint,
        "font": [glyphs.FAMILY, *([glyphs.RARE_FAMILY] if glyphs.rare_font() else [])],
        "lang": "zh" if wording.chinese() else "en",
        "watermark": _("Demonstration") if settings.DEMONSTRATION else "",
        "rare": coded if rare else "",
    }  # fmt: skip


def _printable(value: Any) -> Any:
    """Every text with characters that the fonts lack written as their codes."""
    if isinstance(value, dict):
        return {key: _printable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_printable(one) for one in value]
    return glyphs.printable(value) if isinstance(value, str) else value


def square(address: str) -> str:
    """The address as a QR code, drawn as SVG."""
    buffer = io.BytesIO()
    segno.make(address, error="m", micro=False).save(buffer, kind="svg", border=2, xmldecl=False)
    return buffer.getvalue().decode()


def facts(content: dict[str, Any]) -> list[list[str]]:
    """The head of the report: name and text of each line."""
    at = content["issued_at"][:16].replace("T", " ")
    open_end = _("No validity is set; what counts is the time up to which data goes.")
    lines = [
        (_("Name"), content["person"]["name"]),
        (content["person"]["document"], content["person"]["number"]),
        (_("Report number"), content["number"]),
        (_("Issued"), at),
        (_("Data up to"), content["as_of"] if content["historic"] else at),
        (_("Valid until"), content["valid_until"] or open_end),
        (_("Issued by"), wording.clauses([content["issued_by"]["site"], content["issued_by"]["sponsor"]])),
    ]  # fmt: skip
    if content["period"]:
        ends = content["period"]
        lines.append((_("Decisions within"), f"{ends['from'] or '…'} — {ends['until'] or content['as_of']}"))
    if content["issued_for"]:
        lines.append((_("Issued for"), wording.clauses([one for one in content["issued_for"].values() if one])))
    return [list(line) for line in lines]


def labels() -> dict[str, str]:
    """Every word the template prints by itself."""
    return {
        "check": _("Check this report"),
        "check_how": _("Scan the square or open the address below, or enter the report number there. The page says"
                       " whether the report is genuine, was withdrawn, or what is on file has changed since."),
        "scope": _("What this report covers"),
        "historic": _("Past state"),
        "historic_how": _("This report shows the state of a day that is past, not what holds today:"),
        "disputed": _("Disputed"),
        "statement": _("Statement of the person"),
        "looks": _("Who looked at the person's data"),
        "looks_none": _("Nobody."),
        "looks_since": _("since"),
        "looks_more": _("Only the newest hundred are printed; all of them stand under “Who looked at me”."),
        "time": _("Time"), "unit": _("Unit"), "purpose": _("Purpose"), "authority": _("On what authority"),
        "objection": _("If something is wrong"),
        "signature": _("This document bears an electronic signature; a copy on paper is checked by its number."),
        "square": _("Square code with the address to check this report"),
        "page": _("Page"),
    }  # fmt: skip
