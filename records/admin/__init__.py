"""Records in the staff admin."""

from creditplatform.core.models import Agency
from creditplatform.core.staff import bind_to_site, provide_work
from records.admin import catalogue, exchange, feeds, records
from records.admin.worktable import work_of
from records.desk import waiting
from records.desk.queries import work
from records.models import CreditRecord

provide_work(work_of)
provide_work(waiting.work_of)
provide_work(work.work_of)


def _has_records(agency: Agency) -> bool:
    """Whether anything is on record that the unit decided."""
    return CreditRecord.objects.filter(agency=agency).exists()


bind_to_site(_has_records)

__all__ = ["catalogue", "exchange", "feeds", "records"]
