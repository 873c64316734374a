"""Early pytest plugin: real PostgreSQL and Valkey for the run, before Django reads its settings."""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def start() -> None:
    """Start temporary servers unless addresses were given; workers of the same run inherit them."""
    os.environ["CREDIT_MODE"] = "test"  # whatever the services around it were started for
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    if "CREDIT_VAR" not in os.environ:
        place = tempfile.mkdtemp(prefix="credit-tests-")
        os.environ["CREDIT_VAR"] = place
        atexit.register(shutil.rmtree, place, ignore_errors=True)
    if "DATABASE_URL" not in os.environ:
        from creditplatform.embedded import ephemeral

        servers = ephemeral()
        os.environ.update(servers.__enter__().environment | {"CREDIT_MODE": "test"})
        atexit.register(servers.__exit__, None, None, None)


start()
