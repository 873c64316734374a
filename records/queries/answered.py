"""An answer that was given before: found again by its line in the access log, and whether it still stands."""

import datetime
from collections.abc import Collection

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import AccessResult
from creditplatform.core.errors import Conflict
from creditplatform.core.models import AccessLog
from creditplatform.core.rules import load_rulebook
from records.enums import Outcome, Reason
from records.models import CreditRecord, Purpose, Subject
from records.queries.eligibility import Answer, Criteria, Person, answers
from records.queries.grants import Grant, grant_of_purpose


class AnswerOutdated(Conflict):
    """A record that an answer names is not what it was (HTTP 409)."""

    default_code = "answer_outdated"
    default_message = _("Records have changed since this answer was given, so it is not given again. Ask anew.")


def must_stand(keys: Collection[int], given_at: datetime.datetime) -> None:
    """Whether every record that an answer names is what it was when the answer was given. Raises AnswerOutdated."""
    if fallen(keys, given_at):
        raise AnswerOutdated


def fallen(keys: Collection[int], given_at: datetime.datetime) -> set[int]:
    """Those of the records that an answer names which are not what they were when it was given; one query.

    They were repaired, withdrawn, withheld, disputed or changed in any other way since, or their publication has ended.
    """
    if not keys:
        return set()
    today, then = timezone.localdate(), timezone.localdate(given_at)
    ended = Q(publish_until__gt=then, publish_until__lte=today)
    named = CreditRecord.objects.filter(pk__in=keys)
    standing = named.exclude(ended | Q(changed_at__gt=given_at)) & CreditRecord.objects.counting(on=today)
    return set(keys) - set(standing.values_list("pk", flat=True))


def answer_of_line(line: AccessLog, purpose: Purpose, subject: Subject | None) -> Answer:
    """What the rule says of the day on which the unit of the line asked; a clean record where it was shown nothing.

    `line.agency` is the unit that asked. Raises NotAuthorised, RuleMissing.
    """
    if subject is None or line.agency is None or line.result == AccessResult.NOTHING:
        return Answer(0, None, Outcome.YES, (Reason.CLEAN,), (), ())
    grant = grant_of_purpose(purpose, line.agency, reference=line.reference)
    day: datetime.date = timezone.localdate(line.at)
    return answer_about(subject, grant, Criteria.on(day, load_rulebook(), line.agency.site.code))


def answer_about(subject: Subject, grant: Grant, criteria: Criteria) -> Answer:
    """The answer about somebody on file, under the name that is on file."""
    person = Person(0, bytes(subject.number_index), bytes(subject.name_index))
    return answers([person], grant, criteria)[0]
