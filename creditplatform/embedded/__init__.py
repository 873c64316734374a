"""Embedded PostgreSQL and Valkey, and the set-up that needs nothing but Python. Imports no Django.

`ephemeral()` starts both for a test run; `python -m creditplatform.embedded` is the command line.
"""

from creditplatform.embedded.errors import ServiceError, StopRequested
from creditplatform.embedded.temporary import Services, ephemeral

__all__ = ["ServiceError", "Services", "StopRequested", "ephemeral"]
