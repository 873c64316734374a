"""Configuration of the app."""

from django.apps import AppConfig
from django.core.checks import register as register_check
from django.utils.translation import gettext_lazy as _


class RecordsConfig(AppConfig):
    """See the docstring of the package."""

    name = "records"
    verbose_name = _("Credit records")

    def ready(self) -> None:
        """Make the procedures and the labels known, and listen to the news of records."""
        from creditplatform.core import probes, workflow
        from records import checks, labels
        from records.figures.silence import stopped_feeds
        from records.services import cross_checks, telling, unit_notices
        from records.workflows.access_review import ACCESS_REVIEW
        from records.workflows.authorisation import AUTHORISATION
        from records.workflows.batch_check import BATCH_CHECK
        from records.workflows.catalogue_version import CATALOGUE_VERSION
        from records.workflows.credit_record import CREDIT_RECORD
        from records.workflows.credit_report import CREDIT_REPORT
        from records.workflows.cross_check import CROSS_CHECK
        from records.workflows.feed_batch import FEED_BATCH
        from records.workflows.human_review import HUMAN_REVIEW
        from records.workflows.missing_record import MISSING_RECORD
        from records.workflows.monthly_report import MONTHLY_REPORT
        from records.workflows.prior_notice import PRIOR_NOTICE
        from records.workflows.public_words import PUBLIC_WORDS
        from records.workflows.query import QUERY
        from records.workflows.representation import REPRESENTATION
        from records.workflows.window_request import WINDOW_REQUEST

        procedures = (
            ACCESS_REVIEW, AUTHORISATION, BATCH_CHECK, CATALOGUE_VERSION, CREDIT_RECORD, CREDIT_REPORT, CROSS_CHECK,
            FEED_BATCH, HUMAN_REVIEW, MISSING_RECORD, MONTHLY_REPORT, PRIOR_NOTICE, PUBLIC_WORDS, QUERY,
            REPRESENTATION, WINDOW_REQUEST,
        )  # fmt: skip
        workflow.register(procedures)
        register_check(checks.register_of_real_names, checks.TAG)
        probes.watch("stopped_feeds", stopped_feeds)
        labels.provide()
        telling.subscribe()
        unit_notices.subscribe()
        cross_checks.subscribe()
