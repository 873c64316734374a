"""What can be wrong with a delivered file as a whole, and how its sender mends it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import CreditError, Text

MESSAGES: dict[str, Text] = {
    "empty_file": _("The file is empty. Export it again and check that it holds the header row and the data."),
    "header_missing": _(
        "The file has no header row. Put the names of the columns into the first row (or, in XML,"
        " give the root element one child element per record)."
    ),
    "no_rows": _(
        "The file holds no rows: nothing below its header, or no record. Nothing was taken in, and nothing on file was"
        " changed. Check the export and deliver it again with its rows. If there is nothing to report, deliver nothing;"
        " records that no longer stand are withdrawn one by one."
    ),
    "no_workbook": _(
        "The file is named as a workbook (%(ending)s), but this is no workbook: it holds plain text. Open it in the"
        " spreadsheet program and save it as .xlsx, or give it the ending .csv if it is one."
    ),
    "duplicate_header": _("Columns %(first)s and %(second)s have the same name. Give every column a name of its own."),
    "too_many_columns": _("The header has %(count)s columns; at most %(limit)s are read. Remove unused columns."),
    "invalid_encoding": _(
        "The text is not valid %(encoding)s: byte %(offset)s (line %(line)s) is broken. Save the file"
        " again as UTF-8 or GB18030 and do not edit it with programs that mix encodings."
    ),
    "encoding_unsupported": _(
        "The file declares the encoding %(encoding)s, which is not read. Save it as UTF-8, GB18030, GBK or UTF-16."
    ),
    "encoding_mismatch": _(
        "The file declares the encoding %(encoding)s but is written in %(actual)s. Correct the"
        " declaration in its first line."
    ),
    "nul_byte": _(
        "Line %(line)s holds a NUL character, which no text may hold. The file was damaged on its way"
        " or is not a text file; export it again."
    ),
    "unterminated_quote": _(
        "The quotation mark opened in line %(line)s is never closed. Close it, or write a quotation"
        " mark inside a cell twice."
    ),
    "cell_too_long": _("A cell in line %(line)s is longer than %(limit)s characters. Shorten it or split the row."),
    "row_too_long": _("The row in line %(line)s is longer than %(limit)s characters. Check the line breaks."),
    "not_a_table": _(
        "This is not a table but %(found)s. Deliver CSV text, an Excel workbook (.xlsx or .xls), XML or JSON."
    ),
    "wrong_format": _("The feed expects %(expected)s but the file is %(found)s. Deliver the agreed format."),
    "zip_bomb": _(
        "The workbook unpacks to far more than its size allows (limit: %(limit)s). It was refused for"
        " safety; save it again, without unused sheets, or split it."
    ),
    "xml_doctype": _(
        "The file holds a document type or entity declaration, which is refused for safety. Export it without one."
    ),
    "json_malformed": _(
        "The JSON is not well-formed at record %(record)s (line %(line)s, column %(column)s). Write it with a JSON"
        " library, not by hand."
    ),
    "json_cut_off": _(
        "The JSON ends too early: in record %(record)s, at line %(line)s, column %(column)s. It was cut off on its way,"
        " or a quotation mark or bracket before that is never closed. Send it again, complete."
    ),
    "json_value": _(
        "The JSON is %(found)s and no list of records. Send an array of objects, bare or as the only member of an"
        ' object: {"rows": [{…}, {…}]}.'
    ),
    "json_no_records": _(
        "The JSON holds no list of records. Send an array of objects, bare or as the only member of an object:"
        ' {"rows": [{…}, {…}]}.'
    ),
    "json_record": _(
        "Record %(record)s of the JSON is %(found)s and no object. Send every record as an object of names and texts."
    ),
    "json_too_deep": _("Record %(record)s of the JSON nests deeper than %(limit)s levels. Records are flat."),
    "xml_malformed": _("The XML is not well-formed at line %(line)s. Export it again; do not edit it by hand."),
    "password_protected": _("The workbook is protected by a password. Remove the password and deliver it again."),
    "corrupt_workbook": _("The workbook is damaged (%(part)s). Open it in the spreadsheet program and save it again."),
    "workbook_too_large": _(
        "The workbook is too large for its old format (limit: %(limit)s of memory). Delete stray cells far from the"
        " table, or save it as .xlsx or as CSV."
    ),
    "no_worksheet": _("The workbook has no visible worksheet with content. Put the table on a visible sheet."),
}


class FeedFileError(CreditError):
    """A file which cannot be read as a table; `params` hold positions and limits, never cell values."""

    http_status = 400

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code, MESSAGES[code], **params)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.code, self.params)


def _rebuild(code: str, params: dict[str, object]) -> FeedFileError:
    return FeedFileError(code, **params)
