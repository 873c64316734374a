"""An answer that was given before, found again by its line in the access log, for a person to look at."""

import datetime

from django.utils import timezone

from creditplatform.core.enums import AccessResult
from creditplatform.core.models import AccessLog
from creditplatform.core.rules import load_rulebook
from records.enums import Outcome, Reason
from records.models import Purpose, Subject
from records.queries.eligibility import Answer, Criteria, Person, answers
from records.queries.grants import Grant, grant_of_purpose


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
