"""Two that want the last use of one consent: the other gets a further consent of the same person where there is one."""

import threading
import time
from collections.abc import Mapping

import pytest
from django.db import connection

from creditplatform.core import audit
from creditplatform.core.enums import Door
from records.enums import AuthorisationState
from records.identifiers import name_index
from records.models import Authorisation, Purpose
from records.queries.asking import ask_records
from records.queries.uses import use, use_of_persons
from tests.cast import Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.queries_world import NAME, UNKNOWN, consent, fined, market, purpose, question
from tests.records.test_consent import outcomes, people  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


def consents(people: Cast, wanted: Purpose, count: int) -> list[Authorisation]:  # noqa: F811
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        fined()
        return [consent(wanted, people.clerk, people.person, case_number=str(one)) for one in range(count)]


def test_of_two_looks_at_the_same_moment_each_takes_a_consent_of_its_own(people: Cast) -> None:  # noqa: F811
    wanted, seen = purpose("special-industry"), list[int]()
    given = consents(people, wanted, 2)
    assert outcomes(lambda: seen.append(len(ask_records(question(wanted, user=people.clerk)))), 2) == ["done"] * 2
    assert seen == [1, 1]
    assert Authorisation.objects.filter(state=AuthorisationState.USED, uses=1).count() == len(given)


def test_a_list_that_waits_for_a_consent_and_loses_it_takes_another(people: Cast) -> None:  # noqa: F811
    wanted, held = purpose("special-industry"), threading.Event()
    first, second = consents(people, wanted, 2)

    def hold() -> None:
        with audit.context(actor=None, door=Door.API, reason="test"):
            use(Authorisation.objects.get(pk=first.pk))
            held.set()
            time.sleep(0.5)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(10)
    number, fields = bytes(first.number_index), list(first.granted_fields)
    people_asked = {
        "numbers": [number, UNKNOWN.blind_index],
        "names": [bytes(first.name_index), name_index(NAME)],
    }
    taken: Mapping[bytes, int]
    with audit.context(actor=None, door=Door.API, reason="test"):
        taken = use_of_persons(**people_asked, agency=market().pk, purpose=wanted, fields=fields, door=Door.API)
    holder.join()
    assert taken == {number: second.pk}
    assert Authorisation.objects.filter(state=AuthorisationState.USED, uses=1).count() == 2
