"""Records in the staff admin."""

from creditplatform.core.staff import provide_work
from records.admin import catalogue, feeds, records
from records.admin.worktable import work_of

provide_work(work_of)

__all__ = ["catalogue", "feeds", "records"]
