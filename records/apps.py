"""Configuration of the app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecordsConfig(AppConfig):
    """See the docstring of the package."""

    name = "records"
    verbose_name = _("Credit records")

    def ready(self) -> None:
        """Make the procedures and the labels known, and listen to the news of records."""
        from creditplatform.core import workflow
        from records import labels
        from records.services import cross_checks, telling
        from records.workflows.credit_record import CREDIT_RECORD
        from records.workflows.cross_check import CROSS_CHECK
        from records.workflows.feed_batch import FEED_BATCH
        from records.workflows.missing_record import MISSING_RECORD

        workflow.register([CREDIT_RECORD, FEED_BATCH, CROSS_CHECK, MISSING_RECORD])
        labels.provide()
        telling.subscribe()
        cross_checks.subscribe()
