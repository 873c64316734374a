"""Whom an account is bound to: asked everywhere in the same way, and once for each user of a request."""

from django.db.models import Prefetch, prefetch_related_objects

from creditplatform.core.models import User
from records.models import RealNameBinding, Subject

WITH_SUBJECT = Prefetch("real_name", RealNameBinding.objects.select_related("subject"))


def subject_of(user: User | None) -> Subject | None:
    """The person an account is bound to, if it is; one query, and none once it was asked of this user."""
    if user is None:
        return None
    prefetch_related_objects([user], WITH_SUBJECT)
    binding = getattr(user, "real_name", None)
    return binding.subject if binding else None
