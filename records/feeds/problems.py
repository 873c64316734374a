"""What may be wrong with a row: stable codes, each with a sentence that says how to mend it."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from records.enums import Required
from records.models import EntryField

# Rows that may not be kept at all, or hold nothing to keep; every other problem can be mended.
REJECTED = frozenset({"minor", "past_retention", "summary_row", "under_age"})
# Rows that are well formed but say otherwise than the record on file: only somebody who has looked at the decision may
# take them in.
NEEDS_CONFIRMATION = frozenset({"duplicate_in_file", "corrected_since"})
# Rows whose cells do not fit their columns: only a person can tell which cell belongs where.
SHAPE = frozenset(
    {
        "too_many_cells", "too_few_cells", "unknown_column", "repeated_column", "nested_element", "stray_text",
        "unknown_record",
    }
)  # fmt: skip

SENTENCES: dict[str, Promise] = {
    "required": _("This field must be filled in; a filler such as / or * counts as empty."),
    "one_of_missing": _(
        "At least one code of the organisation must be given, whichever it has; a filler such as / or * counts as"
        " empty."
    ),
    "one_of_group_missing": _(
        "At least one field of this group must be filled in; a filler such as / or * counts as empty."
    ),
    "too_long": _("The text is longer than the standard allows; shorten it."),
    "pattern": _("The value does not have the form the standard asks for."),
    "control_characters": _("The text holds characters that cannot be seen; type it anew."),
    "formula": _("The text begins like a spreadsheet formula; enter the value itself."),
    "formula_cell": _("The cell holds a formula; enter the value itself."),
    "formula_without_value": _("The cell holds a formula without a value; enter the value itself."),
    "error_cell": _("The spreadsheet shows an error in this cell; enter the value."),
    "precision_lost": _("The spreadsheet has cut digits off this number; format the column as text and enter it anew."),
    "date_out_of_range": _("The spreadsheet holds a date that cannot be; enter it anew."),
    "not_a_date": _("This is not a date; write it like 2018-05-03."),
    "two_digit_year": _("The year has two digits only; write all four, like 2018-05-03."),
    "date_in_future": _("The decision lies in the future; check the date."),
    "ends_before_start": _("This day lies before the decision or before the first valid day; check the dates."),
    "not_an_amount": _("This is not an amount; write 10,000 yuan as 1, with at most six decimals."),
    "amount_in_words": _("The amount is written in words; write it in figures, in units of 10,000 yuan."),
    "not_a_number": _("This is not a whole number."),
    "personal_in_text": _(
        "The text holds the number of a person: resident number, mobile telephone or bank card. The field is shown to"
        " the public, so write the text without it."
    ),
    "unknown_choice": _(
        "This word is not in the list of the standard; use one of those that the template offers in this column."
    ),
    "unknown_effect": _("This kind of decision is not in the list of the standard; separate several by a semicolon."),
    "kind_unknown": _("Say whether the subject is a person, an organisation or an individual business."),
    "kind_not_allowed": _("The catalogue entry does not cover this kind of subject."),
    "no_number": _(
        "This is no document number: it has no numeral. Enter the number as it stands on the decision; leave the field"
        " empty where it may be empty."
    ),
    "year_to_come": _("The year in the document number is still to come; compare it with the decision."),
    "document_kind_unknown": _(
        "This kind of identity document is not in the list of the standard; use one of those that the template offers"
        " in this column."
    ),
    "codes_disagree": _("The codes of the organisation contradict each other; check which one is right."),
    "wrong_length": _("The number has too few or too many characters; compare it with the document."),
    "wrong_characters": _("The number has characters that cannot stand where they do; compare it with the document."),
    "wrong_check_digit": _("The check digit does not fit; a character was probably mistyped."),
    "impossible_date": _("The date of birth in the number does not exist."),
    "placeholder": _(
        "This is a filler, not a number; enter the number itself. Only a field that may be empty is left empty."
    ),
    "agency_unknown": _("This credit code belongs to no unit that may send this feed."),
    "agency_not_entitled": _(
        "This credit code belongs to another unit, for which this feed does not send. That unit delivers its own"
        " decisions, or the credit centre enters it with the feed."
    ),
    "name_differs": _("This number is on file under another name; check name and number. Neither was changed."),
    "withdrawn_before": _(
        "The source has withdrawn this record, and this file was delivered before that. A record comes back only with"
        " a new file that says that it stands again."
    ),
    "withdrawn_here": _(
        "The unit withdrew this record on the platform, so a file does not bring it back. If it is to stand again,"
        " record the decision under its own number or ask the credit centre."
    ),
    "withdrawn_unknown": _(
        "There is no such record on file that could be withdrawn; check number and subject. If the record itself is"
        " set aside, discard it there first; then discard this row as well."
    ),
    "withdrawn_in_file": _("The same file withdraws this decision in an earlier row; leave only the row that holds."),
    "duplicate_in_file": _("The file has the same decision about the same subject twice, with different content."),
    "corrected_since": _("The record was corrected on the platform since; mend the row in your own system as well."),
    "changed_since": _(
        "Somebody has changed this row on the platform since, so it stays as it is there. Look at it there, or download"
        " the workbook again."
    ),
    "mended_before": _(
        "This row was mended or discarded before, and the file says otherwise since: that was not taken. Correct the"
        " record, or let a discarded row wait again."
    ),
    "minor": _("The person was a minor; unfavourable records of minors are not kept."),
    "under_age": _("The person was younger than this kind of record allows on that day; the row is not kept."),
    "age_unknown": _(
        "The number does not tell how old the person was, and this kind of record has a youngest age. Give a number"
        " that holds the date of birth."
    ),
    "past_retention": _("The decision is older than unfavourable information may be kept."),
    "summary_row": _("This is a row of totals and no decision; it was left out, and nothing needs to be mended."),
    "too_many_cells": _("The row has more cells than the header."),
    "too_few_cells": _("The row has fewer cells than the header."),
    "unknown_column": _("The record has an element that earlier ones did not have."),
    "repeated_column": _("The record has an element twice."),
    "nested_element": _("The record has an element inside another one."),
    "nested_value": _("The record has a list or an object where a text or a number must stand."),
    "wrong_type": _("The record has true or false where a text or a number must stand."),
    "stray_text": _("There is text between the elements of the record."),
    "unknown_record": _("The element is not a record like the others."),
}

# The same problem where somebody mends it in a form instead of a file.
IN_FORM: dict[str, Promise] = {
    "unknown_effect": _("This kind of decision is not in the list of the standard; tick every kind that applies."),
    "unknown_choice": _("This word is not in the list of the standard; choose one from the list."),
    "document_kind_unknown": _(
        "This kind of identity document is not in the list of the standard; choose one from the list."
    ),
    "precision_lost": _("A spreadsheet has cut digits off this number; enter it anew, with all its digits."),
    "formula_cell": _("The cell held a formula; enter the value itself."),
}
FILLER_OF_GROUP = _(
    "This is a filler, not a number; enter the number itself. If there is none, leave this field empty and give another"
    " one of its group."
)
FILLER_IN_REQUIRED = _("This is a filler, not a number, and the field must be filled in; enter the number itself.")
FILLER_IN_OPTIONAL = _("This is a filler, not a number; leave the field empty if there is none.")


def sentence(code: str, item: EntryField | None = None, *, form: bool = False) -> str:
    """The sentence for a problem code, in the language of the page; the code itself where none is known.

    It says what to do in its place: in this field, where one is known, and in a form or in a cell of a file.
    """
    if code == "placeholder" and item is not None and item.required != Required.WHEN:
        return str(_filler(item))
    told = IN_FORM.get(code) if form else None
    return str(told or SENTENCES.get(code) or code)


def _filler(item: EntryField) -> Promise:
    if item.one_of:
        return FILLER_OF_GROUP
    return FILLER_IN_OPTIONAL if item.required == Required.NEVER else FILLER_IN_REQUIRED
