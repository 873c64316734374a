"""The results of a check as a workbook: every row as it was sent, the answer beside it and the reasons in words.

Made on demand from the sealed rows and the answers; nothing of it is kept. Every cell is written as text, so that none
is taken for a formula.
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import islice
from typing import IO

import xlsxwriter
from django.db import transaction
from django.utils.translation import gettext as _

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.models import User
from creditplatform.core.wording import joined
from records.enums import HumanReviewState, NotChecked, Outcome, Reason
from records.feeds.vocabulary import IDENTIFIER_KINDS
from records.models import BatchCheck, HumanReview
from records.queries.batch_again import RowGiven, give
from records.services import batch_checks, check_files, check_results
from records.services.check_files import KIND_HEADER, MOST_ROWS, NAME_HEADER, NUMBER_HEADER, Line
from records.services.feeds import folder

AT_A_TIME, LONGEST_CELL, WIDTH, WIDE = 5_000, 32_767, 22, 48


def write_results(*, batch: BatchCheck, user: User, target: IO[bytes]) -> int:
    """Write the results for whoever asked; how many rows. That they were fetched is noted as a step.

    Raises NotPermitted, Conflict, PurposeNotOpen. The disclosures were registered when the rows were answered; those of
    a later time are registered here.
    """
    doing = audit.context(actor=user, door=Door.DESK, reason="batch results fetched", agency_id=batch.agency_id)
    with doing, transaction.atomic():
        before = check_results.fetch(batch, user=user)
        options = {"constant_memory": True, "tmpdir": str(folder()), "strings_to_formulas": False}
        with xlsxwriter.Workbook(target, {**options, "strings_to_urls": False}) as book:
            sheet, count = book.add_worksheet(), 0
            header = check_files.sheet_of(batch).header
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, len(header), WIDTH)
            sheet.set_column(len(header) + 2, len(header) + 2, WIDE)
            sheet.set_column(len(header) + 4, len(header) + 4, WIDE)
            for at, row in enumerate(_table(batch, before)):
                for column, text in enumerate(row):
                    sheet.write_string(at, column, text[:LONGEST_CELL])
                count = at
    return count


def template() -> bytes:
    """An empty workbook with the right columns, all of them text, so that no number loses its digits.

    Kinds of document are chosen from the words that are understood.
    """
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet("名单")
        bold, text = book.add_format({"bold": True, "num_format": "@"}), book.add_format({"num_format": "@"})
        sheet.set_column(0, 2, WIDTH, text)
        for at, name in enumerate((NAME_HEADER, NUMBER_HEADER, KIND_HEADER)):
            sheet.write_string(0, at, name, bold)
        sheet.freeze_panes(1, 0)
        first_words = {kind: word for word, kind in reversed(IDENTIFIER_KINDS.items())}
        words = {"validate": "list", "source": list(first_words.values())[::-1], "ignore_blank": True}
        sheet.data_validation(1, 2, MOST_ROWS, 2, words)
    return buffer.getvalue()


def in_words(row: RowGiven) -> tuple[str, str]:
    """The answer of a row and its reasons, in the language of the page."""
    if row.problem:
        return _("not checked"), str(NotChecked(row.problem).label)
    return str(Outcome(row.outcome).label), joined(Reason(reason).label for reason in row.reasons)


def _table(batch: BatchCheck, before: int) -> Iterator[list[str]]:
    known = check_files.sheet_of(batch)
    header = known.header
    decided = batch_checks.decisions(batch)
    yield [*header, _("Row"), _("Answer"), _("Reasons"), _("Decision of a person"), _("Grounds of the decision")]
    for lines in _in_parts(check_files.rows_of(batch)):
        numbers = [line.number for line in lines]
        rows = list(batch.results.filter(row_number__in=numbers))
        given = give(batch, rows, [line.asked(known) for line in lines], before=before)
        answers = {one.row_number: one for one in given}
        for line in lines:
            cells = [line.at(place) for place in range(len(header))]
            known_answer = answers.get(line.number)
            answer = in_words(known_answer) if known_answer else ("", "")
            # What is not given again takes the decision on it along.
            given_still = known_answer is not None and not known_answer.problem
            yield [*cells, str(line.number), *answer, *_decision(decided.get(line.number) if given_still else None)]


def _decision(review: HumanReview | None) -> tuple[str, str]:
    """What a person has decided on the answer of a row, with the grounds; that it waits, or nothing."""
    if review is None:
        return "", ""
    if review.decision:
        return str(Outcome(review.decision).label), review.grounds or ""
    return str(HumanReviewState(review.state).label), ""


def _in_parts(lines: Iterable[Line]) -> Iterator[list[Line]]:
    waiting = iter(lines)
    while some := list(islice(waiting, AT_A_TIME)):
        yield some
