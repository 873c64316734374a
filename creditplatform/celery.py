"""The Celery application: queues `feeds`, `timers`, `mail` and `reports` may run on different hosts."""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "creditplatform.settings")
app = Celery("creditplatform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["creditplatform.core", "records"])


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Celery would replace the log processors that hide personal values."""
