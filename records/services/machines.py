"""Deliveries of machine clients: each taken in once, however often its answer was lost on the way."""

import datetime

from django.db import connection
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Door
from creditplatform.core.errors import Conflict
from creditplatform.core.models import ApiClient
from records.models import DeliveryKey, Feed, FeedBatch
from records.services.feeds import Kept, open_batch

LOCK_SPACE = 0x4B455953


class KeyUsed(Conflict):
    """The key stands for another delivery."""

    default_code = "idempotency_key_reused"
    default_message = _("This Idempotency-Key was used for another delivery. Send every new delivery under a new key.")


def receive_from_machine(
    *, client: ApiClient, feed: Feed, kept: Kept, file_name: str, key: str = "", dated_on: datetime.date | None = None
) -> tuple[FeedBatch, bool]:
    """Open the batch of a kept file, or give the one that the same delivery had before; whether it is new.

    Raises KeyUsed where the key stands for another file or feed; the file is then removed.
    """
    if key:
        one_at_a_time(client, key)
        found = DeliveryKey.objects.filter(client=client, key=key).select_related("batch__feed").first()
        if found:
            kept.remove()
            if (found.batch.feed_id, found.batch.file_digest) != (feed.pk, kept.digest):
                raise KeyUsed
            return found.batch, False
    batch = open_batch(feed=feed, kept=kept, file_name=file_name, door=Door.API, client=client, dated_on=dated_on)
    if key:
        DeliveryKey.objects.create(client=client, key=key, batch=batch)
    return batch, batch.stored_as == kept.place.name


def one_at_a_time(client: ApiClient, key: str) -> None:
    """The same key sent twice at once waits for the first one's commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [LOCK_SPACE, f"{client.pk}:{key}"])
