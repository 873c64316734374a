"""The demonstration world: complete, valid, the same every time, nobody's real data, never in a real installation."""

import datetime
import re
from collections import Counter

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import Count, F, Sum
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from creditplatform.core import audit, demonstration
from creditplatform.core.audit.seal import verify_access_log
from creditplatform.core.deadlines import add_months
from creditplatform.core.enums import Authority, Door, Role
from creditplatform.core.errors import Conflict
from creditplatform.core.identity import IdentifierKind, check, facts, is_placeholder
from creditplatform.core.models import AccessLog, Agency, Membership, Notice, Site, User
from records.demonstration.citizens import BOUND, UNBOUND
from records.demonstration.data import divisions, rests, sources
from records.demonstration.parties import FICTITIOUS, SEQUENCES
from records.demonstration.past import MONTHS_BACK
from records.demonstration.seeding import choose_world, seed_world
from records.demonstration.ties import identifier_of, subjects_of
from records.enums import BatchState, KeyField, Polarity, RecordState, RowState, SubjectKind, Tier
from records.figures import rates, silence
from records.figures.declared import standings
from records.figures.rules import Punctuality
from records.models import (
    Affiliation,
    CreditRecord,
    DemonstrationIdentity,
    Entitlement,
    Feed,
    FeedBatch,
    KeyGroupMembership,
    MonthlyFigure,
    QuarantinedRow,
    RealNameBinding,
    Subject,
)
from records.services.realname import bind

FAST = override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """The full world, seeded once for the module and rolled back after it."""
    with django_db_blocker.unblock(), FAST, transaction.atomic():
        yield seed_world().world
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def people(world):
    return list(Subject.objects.filter(kind=SubjectKind.PERSON))


def records_of(party):
    return CreditRecord.objects.filter(subject__number_index=identifier_of(party).blind_index)


# --- how much there is ----------------------------------------------------------------------------------


def test_as_much_as_was_promised(world, people):
    assert len(people) == len(world.persons) == 2000
    units = Agency.objects.exclude(credit_code="").values("credit_code")  # those persons study, serve or work at
    assert Subject.objects.filter(kind=SubjectKind.ORGANISATION).exclude(code__in=units).count() == 300
    assert Subject.objects.filter(kind=SubjectKind.BUSINESS).count() == 50
    assert CreditRecord.objects.count() >= 8000
    assert CreditRecord.objects.count() == sum(map(len, world.decisions.values()))
    assert Agency.objects.exclude(credit_code="").count() >= 40
    assert DemonstrationIdentity.objects.count() == 2000


def test_every_field_tier_direction_and_site(world):
    seen = CreditRecord.objects.values_list("field", "tier", "polarity", "site__code")
    fields, tiers, polarities, sites = map(set, zip(*seen, strict=True))
    assert fields >= set(KeyField.values) and tiers == set(Tier.values)
    assert polarities == set(Polarity.values) and sites == {"huizhou", "gansu"}
    for site in sites:
        kinds = set(CreditRecord.objects.filter(site__code=site).values_list("subject_kind", flat=True))
        assert kinds == set(SubjectKind.values)


def test_every_fate(world):
    states = Counter(CreditRecord.objects.values_list("state", flat=True))
    assert all(states[state] >= 100 for state in ("expired", "repaired", "revoked", "in_force"))
    disputed = CreditRecord.objects.filter(disputed=True)
    assert disputed.count() >= 50 and set(disputed.values_list("state", flat=True)) == {RecordState.IN_FORCE}
    stated = CreditRecord.objects.filter(statement__isnull=False)
    assert stated.count() >= 50 and set(stated.values_list("subject_kind", flat=True)) == {SubjectKind.PERSON}
    assert CreditRecord.objects.publishable().count() > 1000


def test_fates_obey_the_law(world):
    past = CreditRecord.objects.filter(publish_until__lte=world.anchor)
    assert set(past.values_list("state", flat=True)) == {RecordState.EXPIRED}
    assert not CreditRecord.objects.filter(state=RecordState.EXPIRED, publish_until__gt=world.anchor).exists()
    repaired = CreditRecord.objects.filter(state=RecordState.REPAIRED)
    assert not repaired.filter(repairable_from__gt=world.anchor).exists()
    assert (
        not CreditRecord.objects.exclude(polarity=Polarity.NEGATIVE).filter(state__in=["repaired", "revoked"]).exists()
    )


def test_fates_stand_in_history_with_their_reason(world):
    events = CreditRecord.pgh_event_models["update"].objects.filter(pgh_context__reason="demonstration")
    changed = CreditRecord.objects.exclude(state=RecordState.IN_FORCE).values_list("pk", flat=True)
    assert set(changed) <= set(events.values_list("pgh_obj_id", flat=True))
    assert set(events.values_list("state", flat=True)) == {RecordState.IN_FORCE}


# --- whose data it is not -------------------------------------------------------------------------------


def test_every_number_is_valid(world):
    for subject in Subject.objects.all():
        kind, number = IdentifierKind(subject.identifier_kind), subject.number_sealed or subject.code
        assert check(kind, number) is None and not is_placeholder(number)
    for agency in Agency.objects.exclude(credit_code=""):
        assert check(IdentifierKind.CREDIT_CODE, agency.credit_code) is None


def test_no_number_can_be_anybodys(people):
    for person in people:
        number = person.number_sealed
        if person.identifier_kind == IdentifierKind.PASSPORT:
            assert number.startswith("ZZ")
        else:
            assert int(number[14:17]) in SEQUENCES
    codes = {*Subject.objects.exclude(kind="person").values_list("code", flat=True)}
    codes |= set(Agency.objects.exclude(credit_code="").values_list("credit_code", flat=True))
    assert {code[8:10] for code in codes} == {"XN"}
    names = Subject.objects.exclude(kind=SubjectKind.PERSON).values_list("name", flat=True)
    assert all(name.endswith(FICTITIOUS) for name in names)


def test_documents_of_many_kinds(people):
    kinds = Counter(person.identifier_kind for person in people)
    assert kinds["passport"] > 10 and kinds["hmt_residence_permit"] > 10 and kinds["resident_id"] > 1800
    codes = [person.number_sealed[:6] for person in people if person.identifier_kind == "resident_id"]
    abolished = {*divisions("4413", abolished=True), *divisions("62", abolished=True)}
    assert all(code.startswith(("4413", "62")) for code in codes)
    assert 100 < sum(code in abolished for code in codes) < 500
    assert sum(any(character > "\uffff" for character in person.name_sealed) for person in people) > 10


def test_minors_have_favourable_records_only(world, people):
    minors = {
        person.pk
        for person in people
        if (birth := facts(IdentifierKind(person.identifier_kind), person.number_sealed).birth_date)
        and birth > world.anchor.replace(year=world.anchor.year - 18)
    }
    assert len(minors) == len(world.minors) == 59
    found = CreditRecord.objects.filter(subject__in=minors)
    assert set(found.values_list("subject", flat=True)) == minors
    assert set(found.values_list("polarity", flat=True)) == {Polarity.POSITIVE}
    assert set(found.values_list("minor_at_decision", flat=True)) == {True}
    assert CreditRecord.objects.filter(minor_at_decision=True).count() == found.count()


# --- how it came in -------------------------------------------------------------------------------------


def test_files_of_every_form_came_through_the_pipeline(world):
    batches = FeedBatch.objects.select_related("feed").prefetch_related("submitted_by__memberships")
    assert {b.format for b in batches} == {"csv", "xlsx", "xml"}
    assert {b.encoding for b in batches if b.format == "csv"} == {"UTF-8", "GB18030", "UTF-16 LE"}
    assert {b.state for b in batches} == {BatchState.APPLIED, BatchState.PARTLY_QUARANTINED}
    assert all(
        b.door == Door.FILE and [m.agency_id for m in b.submitted_by.memberships.all()] == [b.feed.agency_id]
        for b in batches
    )
    assert {b.feed.code for b in batches} == {source.feed for source in sources()}
    assert not CreditRecord.objects.filter(batch=None).exists()


def test_the_past_came_in_month_by_month(world):
    by_month = Counter(
        timezone.localdate(at).replace(day=1) for at in FeedBatch.objects.values_list("received_at", flat=True)
    )
    months = [add_months(world.anchor, -back) for back in range(1, MONTHS_BACK + 1)]
    assert all(by_month[month] > 100 for month in months)
    received = dict(
        MonthlyFigure.objects.filter(month__in=months).order_by().values_list("month").annotate(n=Sum("recorded"))
    )
    assert set(received) == set(months) and max(received.values()) < 2 * min(received.values())


def test_records_belong_to_the_delivery_of_their_day(world):
    records = CreditRecord.objects.filter(received_at__gt=F("batch__received_at"))
    assert not records.exists(), "nothing came in after the file that brought it"
    of_months = CreditRecord.objects.filter(batch__file_name__contains="_on_")
    assert of_months.count() > 3000 and not of_months.exclude(received_at=F("batch__received_at")).exists()
    held = dict(CreditRecord.objects.order_by().values_list("batch").annotate(n=Count("pk")))
    aside = dict(QuarantinedRow.objects.order_by().values_list("batch").annotate(n=Count("pk")))
    for batch in FeedBatch.objects.all():
        assert batch.accepted == held.get(batch.pk, 0), batch.file_name
        assert batch.quarantined + batch.rejected == aside.get(batch.pk, 0), batch.file_name


def test_figures_of_past_months_are_neither_all_nor_nothing(world):
    for site in Site.objects.all():
        for back in (1, 3, 5):
            rows = rates.board(site, add_months(world.anchor, -back))
            values = [rate.value for row in rows for rate in row.rates if rate.value is not None]
            between = [value for value in values if 0 < value < 100]
            assert len(rows) >= 20 and len(between) > len(values) / 3, (site, back)
            assert len(set(between)) > 10 and all(row.counts.received for row in rows if row.counts.recorded)


def test_reports_came_in_time_late_and_never(world):
    codes = Counter()
    for back in range(1, MONTHS_BACK + 1):
        found = standings(Agency.objects.all(), add_months(world.anchor, -back))
        assert sum(one.handed_in for one in found) > len(found) / 2
        codes.update(one.punctuality for one in found)
    assert codes[Punctuality.ON_TIME] > 60 and codes[Punctuality.LATE] >= 3


def test_some_feeds_have_stopped_and_most_have_not(world):
    feeds = silence.all_expected_feeds().filter(code__in=[source.feed for source in sources()])
    stopped = {feed.code for feed in silence.silent_feeds(feeds)}
    assert stopped and stopped <= {source.feed for source in sources() if rests(source.feed)}


def test_dirty_rows_are_set_aside_for_many_reasons(world):
    problems = Counter()
    for batch in FeedBatch.objects.all():
        problems.update(batch.problems)
    assert set(problems) == {
        "agency_unknown", "date_in_future", "duplicate_in_file", "ends_before_start", "formula", "kind_unknown",
        "minor", "name_differs", "not_a_date", "not_an_amount", "past_retention", "placeholder", "required",
        "too_few_cells", "unknown_choice", "unknown_effect", "wrong_check_digit", "wrong_length",
    }  # fmt: skip
    states = Counter(QuarantinedRow.objects.values_list("state", flat=True))
    assert states[RowState.OPEN] > 200 and states[RowState.REJECTED] > 20
    assert sum(states.values()) == sum(b.quarantined + b.rejected for b in FeedBatch.objects.all())


def test_feeds_of_the_seeder_agree_with_the_table(world):
    for source in sources():
        feed = Feed.objects.select_related("agency", "entry").get(code=source.feed)
        assert (feed.agency.code, feed.entry.code, feed.field) == (source.agency, source.entry, source.field)
        assert source.feed.startswith("demo-") == bool(source.name) == feed.name.endswith("（演示）")


def test_ties(world):
    roles = Counter(Affiliation.objects.values_list("role", flat=True))
    assert roles["legal_representative"] > 350 and len(roles) == 6
    assert Affiliation.objects.filter(record=None, role="legal_representative").count() == 350
    groups = Counter(KeyGroupMembership.objects.values_list("group", flat=True))
    assert len(groups) == 14 and min(groups[code] for code in ("physicians", "lawyers", "teachers", "tour_guides")) > 50
    assert KeyGroupMembership.objects.filter(subject__kind=SubjectKind.PERSON).count() == sum(groups.values())
    assert not Affiliation.objects.filter(person__kind=F("organisation__kind")).exists()


# --- accounts and citizens ------------------------------------------------------------------------------


def test_an_account_for_every_role():
    accounts = demonstration.accounts()
    assert {account.role for account in accounts} == {*Role.values, ""}
    assert len({account.username for account in accounts}) == len(accounts)
    assert all(len(account.password) >= 10 and account.role_label for account in accounts)
    assert [account.username for account in accounts if not account.role] == [
        "citizen",
        "newcomer",
        "guardian",
        "attorney",
    ]


def test_accounts_work_and_hold_their_role(world):
    for account in demonstration.accounts():
        user = User.objects.get(username=account.username)
        assert user.check_password(account.password)
        held = [(m.agency.code, m.role) for m in user.memberships_in_force]
        assert held == ([(account.agency_code, account.role)] if account.role else [])
    senders = User.objects.filter(username__startswith="sender-")
    assert senders and not any(user.has_usable_password() for user in senders)
    assert not Membership.objects.filter(valid_from__gte=world.anchor).exists()


def test_clerks_may_enter_what_their_unit_records(world):
    clerk = User.objects.get(username="clerk")
    for entitlement in Entitlement.objects.select_related("agency"):
        allowed = clerk.has_perm("records.enter_records", entitlement)
        assert allowed == (entitlement.agency.code == "hz-market")


def test_bound_citizen_has_a_story(world):
    assert RealNameBinding.objects.get(user__username="citizen").subject_id == subjects_of([BOUND])[BOUND.number]
    rows = records_of(BOUND).values_list("entry__code", "state", "disputed")
    assert Counter(rows) == Counter(
        [
            ("administrative-penalty", "in_force", False),
            ("administrative-penalty", "in_force", True),
            ("administrative-penalty", "repaired", False),
            ("administrative-penalty", "expired", False),
            ("administrative-licence", "in_force", False),
            ("honesty-model", "in_force", False),
            ("star-volunteer", "in_force", False),
        ]
    )
    assert records_of(BOUND).get(disputed=True).statement


def test_bound_citizen_sees_who_looked(world):
    looks = AccessLog.objects.filter(subject_ref=subjects_of([BOUND])[BOUND.number])
    past = [look for look in looks if look.at.date() < world.anchor]
    assert len(past) == 5 and {look.authority for look in past} >= {Authority.STATUTE, Authority.CONSENT}
    assert all(look.agency and look.actor for look in looks)
    queried = {(look.purpose, look.authority) for look in looks if look not in past}
    assert queried == {(code, Authority.CONSENT) for code in ("special-industry", "green-channel")}
    assert list(verify_access_log(datetime.timedelta())) == []
    notices = Notice.objects.filter(addressee=identifier_of(BOUND).blind_index)
    told = {"received", "record_viewed", "record_repaired", "record_disputed", "representation_confirm"}
    assert {notice.code for notice in notices} >= told
    came = {record.received_at for record in records_of(BOUND)}
    assert {notice.created_at for notice in notices if notice.code == "received"} <= came
    assert {notice.read_at is None for notice in notices} == {True, False}
    assert all("您" in notice.text and re.search("[Yy]ou", notice.text_en) for notice in notices)


def test_newcomer_can_try_the_binding(world):
    user = User.objects.get(username="newcomer")
    assert records_of(UNBOUND).count() == 3 and not RealNameBinding.objects.filter(user=user).exists()
    with transaction.atomic():
        with audit.context(actor=user, door=Door.WEB, reason="test"):
            binding = bind(user=user, name=UNBOUND.name, kind=UNBOUND.identifier_kind, number=UNBOUND.number)
        assert binding.subject_id == subjects_of([UNBOUND])[UNBOUND.number]
        transaction.set_rollback(True)


# --- again and again ------------------------------------------------------------------------------------


def test_second_run_writes_nothing(world, capsys):
    with CaptureQueriesContext(connection) as queries:
        call_command("seed_demo")
    written = [
        q["sql"] for q in queries if q["sql"].lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE", "COPY"))
    ]
    assert written == []
    output = capsys.readouterr().out
    assert "nothing was written" in output and UNBOUND.name in output and UNBOUND.number in output


def test_second_world_is_refused(world):
    assert choose_world(None, None, None) == world == choose_world(2026, world.anchor, 1.0)
    for other in ((7, None, None), (None, world.anchor - datetime.timedelta(days=31), None), (None, None, 0.5)):
        with pytest.raises(Conflict):
            choose_world(*other)
    with pytest.raises(CommandError, match=world.name):
        call_command("seed_demo", "--seed", "7")
