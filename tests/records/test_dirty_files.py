"""The tour of dirty files: every receipt says something a clerk can act on, in both languages."""

import re

import pytest
from django.utils import translation

from records.feeds.problems import sentence
from records.models import CreditRecord
from tests.records.dirtyfiles import FILES
from tests.records.feedfiles import take_in

pytestmark = pytest.mark.usefixtures("context")
# A sentence helps when it names something to do, or says that nothing needs to be done.
ADVICE = {
    "en": re.compile(r"[Ss]ave|[Pp]ut|[Ee]nter|[Ff]ormat|export|[Cc]ompare|filled in|type it|write|nothing needs"),
    "zh-hans": re.compile(r"另存|放|填|录入|输入|设为|导出|对照|核对|重新|无需"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_dirty_file_is_told_so_that_a_clerk_can_act(name: str) -> None:
    make, accepted, codes = FILES[name]
    batch = take_in(make())
    told = set(batch.problems) | ({batch.error_code} if batch.error_code else set())
    assert (batch.accepted, told) == (accepted, codes), batch.error_label
    assert CreditRecord.objects.filter(batch_id=batch.pk).count() == accepted
    for language, advice in ADVICE.items():
        with translation.override(language):
            said = [batch.error_label] if batch.error_code else [sentence(code) for code in batch.problems]
        assert all(advice.search(text) for text in said), (language, said)
        assert "示例" not in "".join(said)
