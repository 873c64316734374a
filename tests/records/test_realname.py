"""Real-name binding: who is confirmed, who is not, and that a refusal tells nothing."""

import datetime
import logging
import secrets

import pytest
from django.core.cache import cache
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from creditplatform.core import limits
from creditplatform.core.demonstration import NotADemonstration
from creditplatform.core.errors import Conflict, CreditError, Invalid
from creditplatform.core.identity import IdentifierKind, make_resident_id
from creditplatform.core.models import Notice, User
from records import realname
from records.checks import register_of_real_names
from records.enums import SubjectKind
from records.identifiers import identifier, name_index
from records.models import DemonstrationIdentity, RealNameBinding, Subject
from records.services import realname as service
from records.services.realname import ATTEMPTS, ATTEMPTS_SECONDS, TooManyAttempts, bind
from tests.cast import person_subject

NAME, NUMBER = "苏念禾", "620102199208099981"
UNKNOWN = make_resident_id("441302", datetime.date(1988, 3, 16), 999)
RESIDENT = IdentifierKind.RESIDENT_ID


class Denies:
    """A register that knows nobody, and does not say what it compares."""

    name = "denies"

    def verify(self, *, name, kind, number):
        return False


def register(name=NAME, kind=RESIDENT, number=NUMBER):
    return DemonstrationIdentity.objects.create(
        number_index=identifier(kind, number).blind_index, name_index=name_index(name)
    )


@pytest.fixture(autouse=True)
def _counted_from_nothing(settings):
    settings.SECRET_KEY = secrets.token_hex()


@pytest.fixture
def user(context):
    register()
    return User.objects.create_user("newcomer", None)


def refusal(user, name=NAME, kind=RESIDENT, number=NUMBER, client=""):
    with pytest.raises(CreditError) as caught:
        bind(user=user, name=name, kind=kind, number=number, client=client)
    return caught.value


def test_person_not_on_file_yet_becomes_a_subject(user):
    binding = bind(user=user, name=f" {NAME} ", kind="resident_id", number="６２０１０２ 19920809 9981")
    subject = Subject.objects.get(pk=binding.subject_id)
    assert (subject.kind, subject.identifier_kind) == (SubjectKind.PERSON, RESIDENT)
    assert (subject.number_sealed, subject.name_sealed) == (NUMBER, NAME)
    assert subject.name_index == name_index(NAME) and subject.name == subject.code == ""
    assert binding.user == user and binding.adapter == "demonstration register"
    letter = Notice.objects.get(code="account_bound")
    assert bytes(letter.addressee) == bytes(subject.number_index) and NAME not in letter.text


def test_person_on_file_is_found_by_number(user):
    subject = person_subject(NUMBER, NAME)
    assert bind(user=user, name=NAME, kind=RESIDENT, number=NUMBER).subject == subject
    assert Subject.objects.filter(number_index=subject.number_index).count() == 1


def test_old_number_binds_the_same_person(context):
    old = identifier(IdentifierKind.RESIDENT_ID_15, "441322800101123")
    register(name="陈示例", number=old.number)
    user = User.objects.create_user("elder", None)
    assert bind(user=user, name="陈示例", kind=RESIDENT, number="441322800101123").subject.number_sealed == old.number


def test_passport_and_residence_permit_are_bound(context):
    register("ANNA MARTEN", IdentifierKind.PASSPORT, "ZZ7000001")
    user = User.objects.create_user("traveller", None)
    subject = bind(user=user, name="anna  marten", kind=IdentifierKind.PASSPORT, number="zz7000001").subject
    assert subject.identifier_kind == IdentifierKind.PASSPORT


@pytest.mark.parametrize(("name", "number"), [("苏念和", NUMBER), (NAME, UNKNOWN)])
def test_wrong_name_and_unknown_number_are_refused_alike(user, name, number):
    error = refusal(user, name=name, number=number)
    assert isinstance(error, Invalid) and error.code == "not_confirmed"
    assert [problem.field for problem in error.problems] == [""]
    assert not RealNameBinding.objects.filter(user=user).exists()
    assert not Subject.objects.filter(number_index=identifier(RESIDENT, number).blind_index).exists()


def test_person_bound_elsewhere_is_refused_in_the_same_words(user):
    bind(user=user, name=NAME, kind=RESIDENT, number=NUMBER)
    other = User.objects.create_user("other", None)
    taken, unknown = refusal(other), refusal(other, number=UNKNOWN)
    assert (type(taken), taken.code, taken.message) == (type(unknown), unknown.code, unknown.message)
    assert [tuple(map(str, p)) for p in taken.problems] == [tuple(map(str, p)) for p in unknown.problems]


def test_account_bound_already_learns_nothing_more(user, monkeypatch):
    bind(user=user, name=NAME, kind=RESIDENT, number=NUMBER)
    monkeypatch.setattr(service, "adapter", lambda: pytest.fail("the register was asked"))
    error = refusal(user, number=UNKNOWN)
    assert isinstance(error, Conflict) and error.code == "already_bound"


def test_business_known_by_its_owners_number_is_no_person(user):
    Subject.objects.create(
        kind=SubjectKind.BUSINESS, identifier_kind=RESIDENT.value, code="-", name="面馆（虚构）",
        number_index=identifier(RESIDENT, NUMBER).blind_index, name_index=name_index("面馆（虚构）"),
    )  # fmt: skip
    assert refusal(user).code == "not_confirmed"


def test_everything_wrong_with_the_form_is_told_at_once(user):
    error = refusal(user, name="  ", number="620102199208099982")
    assert [(p.field, p.code) for p in error.problems] == [("name", "required"), ("number", "wrong_check_digit")]
    error = refusal(user, name="", kind="credit_code")
    assert [(p.field, p.code) for p in error.problems] == [("name", "required"), ("kind", "document_kind_unknown")]
    assert [p.field for p in refusal(user, kind="nonsense").problems] == ["kind"]


def test_sixth_failure_within_the_hour_is_refused_even_if_right(user):
    for _attempt in range(ATTEMPTS):
        assert refusal(user, number=UNKNOWN).code == "not_confirmed"
    error = refusal(user)
    assert isinstance(error, TooManyAttempts) and (error.code, error.http_status) == ("too_many_attempts", 429)
    assert str(ATTEMPTS) in error.message
    other = User.objects.create_user("other", None)
    assert bind(user=other, name=NAME, kind=RESIDENT, number=NUMBER).user == other


def account(number):
    return User.objects.create_user(f"guesser-{number}", None)


def test_guessing_one_number_with_many_accounts_ends_in_the_same_words(user, monkeypatch):
    for number in range(service.ATTEMPTS_ON_NUMBER):
        before = refusal(account(number), name="林示例")
    monkeypatch.setattr(service, "adapter", lambda: pytest.fail("the register was asked"))
    after = refusal(user)
    assert (type(after), after.code, after.message) == (type(before), before.code, before.message)
    assert [tuple(map(str, p)) for p in after.problems] == [tuple(map(str, p)) for p in before.problems]


def test_guessing_many_numbers_from_one_place_ends_in_the_same_words(user, monkeypatch):
    monkeypatch.setattr(service, "ATTEMPTS_OF_CLIENT", 3)
    for number in range(3):
        other = make_resident_id("441302", datetime.date(1988, 3, 16), number)
        assert refusal(account(number), number=other, client="here").code == "not_confirmed"
    assert refusal(user, client="here").code == "not_confirmed"
    assert bind(user=user, name=NAME, kind=RESIDENT, number=NUMBER, client="elsewhere")


def test_the_count_of_a_number_tells_no_number(user):
    refusal(user, name="林示例", client="here")
    index = identifier(RESIDENT, NUMBER).blind_index.hex()
    keys = [key.decode() for key in cache._cache.get_client().keys("*limit:realname*")]
    assert len(keys) >= 3
    assert not any(index in key or NUMBER in key for key in keys)


def test_attempts_are_forgotten_after_an_hour(user):
    refusal(user, number=UNKNOWN)
    key = limits.key_of(service._of_account(user))
    left = cache._cache.get_client().ttl(cache.make_key(key))
    assert ATTEMPTS_SECONDS - 60 < left <= ATTEMPTS_SECONDS
    cache.delete(key)
    assert bind(user=user, name=NAME, kind=RESIDENT, number=NUMBER)
    assert cache.get(key) is None, "success clears the count"


def test_mistyped_numbers_are_no_attempts(user):
    for _attempt in range(ATTEMPTS + 2):
        assert refusal(user, number="123").code == "invalid"
    assert bind(user=user, name=NAME, kind=RESIDENT, number=NUMBER)


def test_two_at_the_same_moment(user, monkeypatch):
    def taken_meanwhile(name, wanted):
        raise IntegrityError("subject_number_once")

    monkeypatch.setattr(service, "first_seen", taken_meanwhile)
    assert refusal(user).code == "not_confirmed"


def test_neither_name_nor_number_leaves_by_error_log_or_query(user, caplog):
    caplog.set_level(logging.DEBUG)
    with CaptureQueriesContext(connection) as queries:
        error = refusal(user, name=NAME, number=UNKNOWN)
        bind(user=user, name=NAME, kind=RESIDENT, number=NUMBER)
    seen = "".join([str(error), repr(error), caplog.text, *(query["sql"] for query in queries)])
    assert queries and not any(secret in seen for secret in (NAME, NUMBER, UNKNOWN))


def test_register_confirms_by_blind_index(user):
    verify = realname.DemonstrationRegister().verify
    assert verify(name=NAME, kind=RESIDENT, number=NUMBER) is True
    assert verify(name="别人", kind=RESIDENT, number=NUMBER) is False
    assert verify(name=NAME, kind=IdentifierKind.PASSPORT, number=NUMBER) is False
    assert verify(name=NAME, kind=RESIDENT, number=UNKNOWN) is False


def test_register_does_not_serve_a_real_installation(user, settings):
    settings.DEMONSTRATION = False
    with pytest.raises(NotADemonstration):
        realname.DemonstrationRegister().verify(name=NAME, kind=RESIDENT, number=NUMBER)


class ComparesMore(Denies):
    """A register that holds name and number together with something that a stranger does not have."""

    compares = frozenset({"name", "number", "telephone"})


def found(settings, adapter, **changes):
    """What the check says of a real installation with this adapter."""
    settings.DEMONSTRATION, settings.REAL_NAME_ADAPTER = False, adapter
    for name, value in changes.items():
        setattr(settings, name, value)
    return [one.id for one in register_of_real_names(None)]


def test_a_register_that_compares_two_elements_stops_a_real_installation(settings):
    assert found(settings, f"{__name__}.Denies") == ["records.E001"], "what declares nothing compares two"
    assert found(settings, f"{__name__}.Denies", ALLOW_TWO_ELEMENT_REGISTER=True) == [], "taken knowingly"
    settings.ALLOW_TWO_ELEMENT_REGISTER = False
    assert found(settings, f"{__name__}.ComparesMore") == []
    assert found(settings, "records.realname.DemonstrationRegister") == [], "nobody is confirmed by it"
    assert found(settings, f"{__name__}.Denies", DEMONSTRATION=True) == []


def test_without_a_register_the_page_points_to_platform_and_window(user, settings, client):
    settings.DEMONSTRATION = False
    assert refusal(user).code == "no_register"
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("me:bind")).content.decode()
    assert 'name="number"' not in page and "窗口" in page
    given = {"name": NAME, "kind": "resident_id", "number": NUMBER}
    assert client.post(reverse("me:bind"), given).status_code == 200
    assert not RealNameBinding.objects.filter(user=user).exists()


def test_setting_names_the_adapter(user, settings):
    assert isinstance(realname.adapter(), realname.DemonstrationRegister)
    settings.REAL_NAME_ADAPTER = f"{__name__}.Denies"
    assert refusal(user).code == "not_confirmed"
