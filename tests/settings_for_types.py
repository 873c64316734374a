"""The settings as the type checker reads them: those of the tests, whatever the environment says."""

import os

os.environ["CREDIT_MODE"] = "test"

from creditplatform.settings import *  # noqa: F403
