"""Numbers that are brought by somebody whose they are not, or that are nobody's.

The answer is alike for both; operators see in the log who tries them, of what kind, and never the number.
"""

import structlog
from django.http import Http404, HttpRequest

from creditplatform.core import limits
from creditplatform.core.errors import NotFoundHere
from creditplatform.core.models import ApiClient, User

log = structlog.get_logger(__name__)


def not_theirs(kind: str, user: User) -> Http404:
    """The answer to an account."""
    log.warning("number_not_theirs", kind=kind, account=user.pk)
    return Http404()


def not_of_client(kind: str, client: ApiClient) -> NotFoundHere:
    """The answer to a machine client."""
    log.warning("number_not_theirs", kind=kind, client=client.pk)
    return NotFoundHere()


def note_nobodys(kind: str, request: HttpRequest) -> None:
    """Note a number that is nobody's, on a page that is open to everybody; the address is hidden, another every day."""
    log.warning("number_nobodys", kind=kind, account=request.user.pk, address=limits.client_of(request))
