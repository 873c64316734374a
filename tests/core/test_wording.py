"""How texts are put together in either language."""

import datetime

import pytest
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe

from creditplatform.core import labels, wording
from creditplatform.core.deadlines import Calendar, Unit, compute
from creditplatform.core.templatetags import wording as filters

HEADERS = [{"text": "state"}, {"text": "<input>"}, {"text": 'a "b"'}]


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("0.02", "200"), ("10", "100,000"), ("1,250.5", "12,505,000"), ("0.000001", "0.01"), ("0", "0"),
        ("100000000", "1,000,000,000,000"), ("0.0000005", "0.005"),
    ],
)  # fmt: skip
def test_amounts_are_said_in_yuan(kept: str, said: str) -> None:
    with translation.override("en"):
        assert wording.in_yuan(kept) == f"{said} yuan"


@pytest.mark.parametrize("text", ["无", "", "NaN", "Infinity", "1万"])
def test_what_is_no_amount_stays_as_it_is(text: str) -> None:
    assert wording.in_yuan(text) == text


def test_lists_brackets_and_sentences_follow_the_language() -> None:
    with translation.override("zh-hans"):
        assert wording.joined(["罚款", "警告"]) == "罚款、警告"
        assert wording.bracketed("已提供") == "（已提供）"
        assert wording.clauses(["甲", "乙"]) == "甲；乙" and wording.full_stop("甲") == "甲。"
        assert wording.after_one_another(["甲。", "", "乙。"]) == "甲。乙。"
        assert wording.explained("甲", "乙") == "甲：乙"
        assert wording.mark_translated("0752-1（演示）") == "0752-1（演示）"
    with translation.override("en"):
        assert wording.joined(["Fine", "Warning"]) == "Fine, Warning"
        assert wording.bracketed("shown") == " (shown)"
        assert wording.clauses(["a", "b"]) == "a; b" and wording.full_stop("a") == "a."
        assert wording.after_one_another(["A.", "", "B."]) == "A. B."
        assert wording.explained("a", "b") == "a: b"
        assert wording.mark_translated("0752-1（演示）") == "0752-1 (demonstration)"


def test_a_deadline_ends_as_its_language_ends_sentences() -> None:
    calendar = Calendar({})
    deadline = compute(datetime.date(2026, 3, 2), 3, Unit.CALENDAR_DAYS, calendar)
    assert deadline.explain() == []
    weekend = compute(datetime.date(2026, 3, 6), 1, Unit.CALENDAR_DAYS, Calendar({}), move_to_working_day=False)
    for language, end in (("zh-hans", "。"), ("en", ".")):
        with translation.override(language):
            assert weekend.sentence().endswith(end)


def test_dates_in_texts_are_marked_and_nothing_else() -> None:
    assert wording.dated("until 2026-10-29.") == 'until <time datetime="2026-10-29">2026-10-29</time>.'
    assert wording.dated("<b>2026-10-29") == '&lt;b&gt;<time datetime="2026-10-29">2026-10-29</time>'
    safe = mark_safe('<i title="2026-10-29">no. 12026-10-29-1</i>')
    assert wording.dated(safe) == safe
    assert isinstance(wording.dated("x"), SafeString)


def test_moments_are_shown_in_local_time() -> None:
    moment = datetime.datetime(2026, 10, 28, 17, 30, tzinfo=datetime.UTC)
    assert ">2026-10-29<" in filters.day(moment) and ">2026-10-29 01:30<" in filters.minute(moment)
    assert filters.day(None) == "—"


def test_cells_bear_the_name_of_their_column() -> None:
    cells = ['<td class="x">1</td>', "<td><input></td>", "<td>2</td>"]
    assert filters.labelled(cells, HEADERS) == [
        '<td data-label="State" class="x">1</td>', "<td><input></td>", '<td data-label="A &quot;b&quot;">2</td>'
    ]  # fmt: skip
    assert filters.labelled(['<th class="x">1</th>'], HEADERS) == ['<th class="x">1</th>']


def test_values_of_rules_are_said_in_words() -> None:
    with translation.override("en"):
        assert labels.counted(1, "working days") == "1 working day" and labels.counted(14, "years") == "14 years"
        assert labels.counted(False, "") == "no" and labels.counted("unlimited", "") == "without limit"
        assert labels.value_label({"warning": "minor", "fine": "general", "other": "general"}).startswith(
            "minor: Warning; general: Fine, "
        )
        assert labels.value_label(["fire", "nothing known"]) == "fire safety, nothing known"


@pytest.mark.django_db
def test_codes_without_a_label_stay_codes() -> None:
    assert labels.label(labels.Kind.PURPOSE, "processing a licence") == "processing a licence"
    with translation.override("en"):
        assert labels.label(labels.Kind.PURPOSE, "own file") == "looking at the own file"
        assert labels.label(labels.Kind.SIGN_OF_LIFE, "expiry") == "end of publication and retention"
