"""The worker killed in the middle of a check of many persons: every row is answered once, and registered once."""

import pytest

from tests.faults.stage import PATIENCE, Stage
from tests.records.scratch import wait_for

pytestmark = pytest.mark.django_db  # so that there is a test database to copy
ROWS = 30_000
# As the page does it: a file taken in for a purpose that a statute opens.
SUBMIT = """
import datetime
from creditplatform.core import audit
from creditplatform.core.enums import Role
from creditplatform.core.identity import make_resident_id
from creditplatform.core.models import Agency
from records.models import Purpose
from records.services import batch_checks
from tests.cast import member

first, numbers = datetime.date(1980, 1, 1), []
for back in range(ROWS // 500):
    day = first + datetime.timedelta(days=back)
    numbers += [make_resident_id("441300", day, place) for place in range(1, 501)]
content = "\\n".join(["姓名,证件号码", *(f"示例,{number}" for number in numbers)]).encode()
with audit.context(actor=None, door="command", reason="test"):
    Purpose.objects.filter(code="company-officer").update(
        gives_eligibility=True, fields=["administrative-penalty"]
    )
    agency = Agency.objects.get(code="hz-market")
    clerk = member("checker", agency, Role.CLERK)
    batch = batch_checks.submit(
        agency=agency, user=clerk, purpose="company-officer", case_number="killed", blocks=[content], file_name="x.csv"
    )
print(batch.pk)
"""
PROGRESS = "SELECT checked, state FROM records_batchcheck WHERE id = %s"


def test_a_killed_worker_is_followed_by_another_that_answers_what_is_missing(stage: Stage) -> None:
    submitting = stage.run("manage.py", "shell", "-c", SUBMIT.replace("ROWS", str(ROWS)))
    out, error = submitting.communicate(timeout=120)
    assert submitting.returncode == 0, error[-2000:]
    batch = int(out.split()[-1])
    stage.task("resume_checks")
    assert wait_for(lambda: stage.ask(PROGRESS, batch)[0][0] >= 5_000, PATIENCE, 0.01), stage.log()
    stage.kill_worker()
    checked, state = stage.ask(PROGRESS, batch)[0]
    assert (0 < checked < ROWS, state) == (True, "checking"), checked
    stage.start_worker()
    stage.task("resume_checks")
    stage.task("resume_checks")
    assert wait_for(lambda: stage.ask(PROGRESS, batch)[0][1] == "done", PATIENCE, 0.05), stage.log()
    assert stage.ask(PROGRESS, batch)[0][0] == ROWS
    rows = "SELECT count(*), count(DISTINCT row_number), count(*) FILTER (WHERE outcome = 'yes')"
    assert stage.ask(f"{rows} FROM records_batchcheckrow WHERE batch_id = %s", batch) == [(ROWS, ROWS, ROWS)]
    lines = "SELECT count(*) FROM core_accesslog WHERE case_number = 'killed'"
    assert stage.ask(lines) == [(ROWS,)], "each answer is registered once, in the transaction that gave it"
    steps = "SELECT step FROM core_stepevent WHERE workflow = 'batch_check' AND case_ref = %s ORDER BY id"
    assert stage.ask(steps, batch) == [("let_pass",), ("finish",)]
