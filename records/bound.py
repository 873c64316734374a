"""Whom an account is bound to: asked everywhere in the same way, and once for each user of a request."""

from django.db.models import Prefetch, prefetch_related_objects

from creditplatform.core.models import User
from records.enums import RepresentationScope
from records.models import RealNameBinding, Representation, Subject

WITH_SUBJECT = Prefetch("real_name", RealNameBinding.objects.select_related("subject"))


def subject_of(user: User | None) -> Subject | None:
    """The person an account is bound to, if it is; one query, and none once it was asked of this user."""
    if user is None:
        return None
    prefetch_related_objects([user], WITH_SUBJECT)
    binding = getattr(user, "real_name", None)
    return binding.subject if binding else None


def representing(own: Subject, number_index: bytes, scope: RepresentationScope) -> Representation | None:
    """By what right somebody may do this for the person of that number today: the newest that holds; one query."""
    held = Representation.objects.holding().filter(
        representative=own, person__number_index=number_index, scope__contains=[scope]
    )
    return held.select_related("person").order_by("-pk").first()
