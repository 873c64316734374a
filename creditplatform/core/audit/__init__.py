"""Who, why and on what authority: context of changes, history by trigger, ledger of disclosures."""

from creditplatform.core.audit.context import context, current
from creditplatform.core.audit.tracking import append_only, audited, audited_without, guarded

__all__ = ["append_only", "audited", "audited_without", "context", "current", "guarded"]
