"""Numbers of consents, links and looks that are brought by somebody whose they are not."""

import structlog
from django.http import Http404

from creditplatform.core.models import User

log = structlog.get_logger(__name__)


def not_theirs(kind: str, user: User) -> Http404:
    """The answer to a number that is nobody's or another's: alike for both, and operators can see who tries them."""
    log.warning("number_not_theirs", kind=kind, account=user.pk)
    return Http404()
