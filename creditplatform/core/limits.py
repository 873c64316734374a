"""How often one client may do something: counted in the cache under a key from which no address can be read.

The account library's own limits keep a list of times per address and lock it for every request; a page that
everybody reads needs one step of a counter instead. Its limits on signing in use the same hidden address.
"""

import ipaddress
import math
import time

import structlog
from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

IPV6_NETWORK = 64  # one household or server; who has one has all its addresses
MINUTE = 60
log = structlog.get_logger(__name__)


def hidden(value: str) -> str:
    """A value as part of a key of the cache: cannot be read back, and is another one tomorrow."""
    return salted_hmac("creditplatform.limits", f"{timezone.localdate()}\0{value}", algorithm="sha256").hexdigest()[:32]


def hidden_address(address: str) -> str:
    """A client's address, of IPv6 its network, hidden."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return hidden(address)
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped:
            return hidden(str(known.ipv4_mapped))
        return hidden(str(ipaddress.IPv6Network((int(known), IPV6_NETWORK), strict=False)))
    return hidden(str(known))


def client_of(request: HttpRequest) -> str:
    """The client of a request, hidden; proxies are believed only as far as ALLAUTH_TRUSTED_PROXY_COUNT says.

    Empty where no address is known, as behind a proxy on a Unix socket that the settings do not name.
    """
    try:
        return str(get_adapter(request).get_client_ip(request))
    except PermissionDenied:
        log.warning("client_address_unknown")
        return ""


def forget(*whats: str) -> None:
    """Count these from nothing again."""
    cache.delete_many([key_of(what) for what in whats])


def key_of(what: str) -> str:
    """Where in the cache something is counted."""
    return f"limit:{what}"


def count(what: str, seconds: int) -> int:
    """Count one more of something; how many there were since the first, which is forgotten after `seconds`.

    Counts before anything is done, so that what happens at the same moment is counted too. Two steps of the
    cache. Raises RedisError while the cache does not answer.
    """
    key = key_of(what)
    cache.add(key, 0, seconds)
    try:
        return int(cache.incr(key))
    except ValueError:  # the time ended between the two steps
        cache.set(key, 1, seconds)
        return 1


def wait_for(request: HttpRequest, name: str, per_minute: int) -> int:
    """Seconds until this client may ask again, 0 if it may now.

    Minutes are those of the clock. While the cache does not answer, or no address is known, everybody may: what
    the law makes public is not to depend on a counter.
    """
    now = time.time()
    minute, client = int(now // MINUTE), client_of(request)
    try:
        made = count(f"{name}:{minute}:{client}", 2 * MINUTE) if client else 0
    except RedisError as error:
        log.warning("limits_down", error=error)
        return 0
    return 0 if made <= per_minute else max(1, math.ceil((minute + 1) * MINUTE - now))
