"""The procedure of the catalogue: two people, steps in order, dates that follow each other, nobody overwritten."""

import datetime
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import Conflict, CreditError, Invalid, NotPermitted
from creditplatform.core.models import StepEvent
from records.catalogue.words import mark_of, mark_of_basis
from records.enums import VersionState
from records.models import CatalogueEntry, CreditRecord, EntryVersion, LegalBasis
from records.services import catalogue, policy
from tests.cast import Cast
from tests.deliveries import one_record, quick_passwords  # noqa: F401
from tests.records.versions import ENTRY, Centre, days, states, today

S = VersionState


@pytest.fixture
def centre(cast: Cast) -> Centre:
    return Centre.assemble(cast)


def refused(act: Callable[[], object], kind: type[CreditError]) -> Any:
    with pytest.raises(kind) as caught:
        act()
    return caught.value


# --- the way -----------------------------------------------------------------------------------------


def test_from_draft_to_in_force_by_two_people(centre: Centre) -> None:
    former, draft = centre.current, centre.draft(meaning="另一种说法。")
    assert (draft.number, draft.state, draft.delivered) == (former.number + 1, S.DRAFT, False)
    assert list(draft.fields.values_list("code")) == list(former.fields.values_list("code"))
    assert centre.step(draft, "submit").state == S.IN_REVIEW
    done = centre.step(draft, "publish", centre.two)
    former.refresh_from_db()
    assert (done.state, done.entered_by, done.approved_by) == (S.IN_FORCE, centre.one, centre.two)
    assert (former.state, former.valid_until, done.valid_from) == (S.RETIRED, today(), today())
    assert centre.current == done
    steps = StepEvent.objects.filter(workflow="catalogue_version", case_ref=draft.pk)
    assert list(steps.values_list("step", "actor__username")) == [
        ("submit", "centre"),
        ("publish", centre.two.username),
    ]


def test_a_later_first_day_needs_no_worker(centre: Centre) -> None:
    former = centre.current
    new = centre.published(valid_from=days(30))
    former.refresh_from_db()
    assert (former.state, former.valid_until, new.state) == (S.IN_FORCE, days(30), S.IN_FORCE)
    versions = EntryVersion.objects.filter(entry=centre.entry)
    assert [versions.collecting(on=days(n)).get() for n in (0, 29, 30, 99)] == [former, former, new, new]
    assert former in versions.publishing(on=days(29)) and new not in versions.publishing(on=days(29))
    assert {former, new} <= set(versions.publishing(on=days(30)))
    assert versions.coming(on=today()).get() == new


def test_a_later_version_follows_the_coming_one_and_the_one_before_is_left_alone(centre: Centre) -> None:
    first, second = centre.current, centre.published(valid_from=days(30))
    third = centre.published(valid_from=days(60))
    first.refresh_from_db()
    second.refresh_from_db()
    assert [v.valid_until for v in (first, second, third)] == [days(30), days(60), None]
    found = [EntryVersion.objects.filter(entry=centre.entry).collecting(on=days(n)).get() for n in (1, 31, 61)]
    assert found == [first, second, third]


def test_a_version_that_would_run_into_a_coming_one_is_refused_and_one_before_it_fits(centre: Centre) -> None:
    coming = centre.published(valid_from=days(30))
    between = centre.submitted(valid_from=days(10))
    error = refused(lambda: centre.step(between, "publish", centre.two), Invalid)
    assert [p.code for p in error.problems] == ["overlap"]
    centre.step(between, "send_back", centre.two, reason="ends too late")
    between.refresh_from_db()
    centre.step(centre.change(between, valid_until=days(30)), "submit")
    assert centre.step(between, "publish", centre.two).valid_until == coming.valid_from
    on = [EntryVersion.objects.filter(entry=centre.entry).collecting(on=days(n)).get().number for n in (0, 10, 30)]
    assert on == [coming.number - 1, between.number, coming.number]


def test_a_first_day_that_passed_during_the_review_becomes_the_day_of_publication(centre: Centre) -> None:
    new = centre.published(valid_from=days(-40))
    assert new.valid_from == today()


def test_a_version_published_on_the_first_day_of_another_takes_its_place(centre: Centre) -> None:
    first = centre.published()
    second = centre.published()
    first.refresh_from_db()
    assert (first.state, first.valid_until) == (S.RETIRED, None)
    assert centre.current == second


def test_a_draft_comes_back_with_a_reason_and_may_be_sent_again(centre: Centre) -> None:
    draft = centre.submitted()
    assert (
        refused(lambda: centre.step(draft, "send_back", centre.two, reason=" "), Invalid).problems[0].field == "reason"
    )
    assert centre.step(draft, "send_back", centre.two, reason="the mask is missing").state == S.DRAFT
    assert StepEvent.objects.get(step="send_back").reason == "the mask is missing"
    assert centre.step(draft, "submit").state == S.IN_REVIEW


def test_a_draft_is_withdrawn_with_a_reason_and_another_may_begin(centre: Centre) -> None:
    draft = centre.draft()
    refused(lambda: centre.draft(), Conflict)
    refused(lambda: centre.step(draft, "withdraw"), Invalid)
    assert centre.step(draft, "withdraw", reason="not needed").state == S.WITHDRAWN
    assert centre.draft().number == draft.number + 1


def test_a_version_in_force_is_retired_and_nothing_is_collected_from_that_day_on(centre: Centre) -> None:
    version = centre.step(centre.current, "retire", reason="the law has ended")
    assert (version.state, version.valid_until) == (S.RETIRED, today())
    assert not EntryVersion.objects.filter(entry=centre.entry).collecting(on=today()).exists()


def test_a_coming_version_is_called_off_and_the_one_before_it_goes_on(centre: Centre) -> None:
    former, new = centre.current, centre.published(valid_from=days(30))
    refused(lambda: centre.step(new, "retire", reason="x"), NotPermitted)
    assert centre.step(new, "call_off", reason="the law was put off").state == S.WITHDRAWN
    former.refresh_from_db()
    assert (former.state, former.valid_until) == (S.IN_FORCE, None)
    assert new not in EntryVersion.objects.publishing(on=days(99))
    refused(lambda: centre.step(centre.current, "call_off", reason="x"), NotPermitted)


def end_of(version: EntryVersion) -> datetime.date | None:
    version.refresh_from_db()
    return version.valid_until


def test_calling_off_leaves_alone_what_ended_by_itself_that_day(centre: Centre) -> None:
    ending = centre.published(valid_until=days(30))
    new = centre.published(valid_from=days(30))
    centre.step(new, "call_off", reason="the law was put off")
    assert end_of(ending) == days(30)


def test_calling_off_gives_the_former_back_the_end_it_had(centre: Centre) -> None:
    ending = centre.published(valid_until=days(90))
    new = centre.published(valid_from=days(30), valid_until=days(60))
    assert end_of(ending) == days(30)
    centre.step(new, "call_off", reason="the law was put off")
    assert end_of(ending) == days(90)


def test_two_coming_versions_are_called_off_in_any_order(centre: Centre) -> None:
    former, late = centre.current, centre.published(valid_from=days(60))
    early = centre.published(valid_from=days(30), valid_until=days(60))
    centre.step(late, "call_off", reason="the law was put off")
    assert end_of(former) == days(30)
    centre.step(early, "call_off", reason="the law was put off")
    assert end_of(former) is None


def test_the_former_ends_where_a_version_begins_that_was_published_since(centre: Centre) -> None:
    former = centre.current
    early = centre.published(valid_from=days(30), valid_until=days(40))
    late = centre.published(valid_from=days(60))
    centre.step(early, "call_off", reason="the law was put off")
    assert end_of(former) == days(60)
    centre.step(late, "call_off", reason="the law was put off")
    assert end_of(former) is None


# --- who ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "who", ["clerk", "officer", "supervisor", "auditor", "editor", "security", "operator", "person"]
)
def test_only_the_centre_works_on_the_catalogue(centre: Centre, who: str) -> None:
    user, draft = getattr(centre.cast, who), centre.draft()
    acts: list[Callable[[], object]] = [
        lambda: catalogue.draft_new_version(user=user, entry=centre.entry),
        lambda: catalogue.create_entry(user=user, code="x", name="x", name_en="x", version={}),
        lambda: centre.change(draft, user, meaning="x"),
        lambda: catalogue.save_field(user=user, version=draft, values={}, seen=mark_of(draft)),
        lambda: catalogue.remove_field(user=user, field=draft.fields.all()[0]),
        lambda: catalogue.move_field(user=user, field=draft.fields.all()[0], up=True),
        lambda: catalogue.save_basis(user=user, values={}),
        *(lambda step=step: centre.step(draft, step, user, reason="x") for step in ("submit", "withdraw")),  # type: ignore[misc]
    ]
    for act in acts:
        refused(act, NotPermitted)
    centre.step(draft, "submit")
    for step in ("publish", "send_back"):
        refused(lambda step=step: centre.step(draft, step, user, reason="x"), NotPermitted)  # type: ignore[misc]


def test_nobody_publishes_what_they_had_a_hand_in(centre: Centre) -> None:
    draft = centre.submitted()
    assert refused(lambda: centre.step(draft, "publish"), NotPermitted).code == "second_person"
    centre.step(draft, "send_back", centre.two, reason="x")
    centre.step(
        centre.change(EntryVersion.objects.get(pk=draft.pk), centre.two, meaning="二人同改。"), "submit", centre.two
    )
    for user in (centre.one, centre.two):
        assert refused(lambda user=user: centre.step(draft, "publish", user), NotPermitted).code == "second_person"  # type: ignore[misc]
    assert list(EntryVersion.objects.waiting_for(centre.one)) == []


def test_whoever_sends_a_delivered_draft_to_review_stands_by_it(centre: Centre) -> None:
    draft = delivered_draft()
    assert (draft.delivered, draft.editors) == (True, [])
    centre.step(draft, "submit")
    draft.refresh_from_db()
    assert (draft.delivered, draft.editors, draft.entered_by) == (False, [centre.one.pk], centre.one)
    assert list(EntryVersion.objects.waiting_for(centre.two)) == [draft]
    assert list(EntryVersion.objects.waiting_for(centre.one)) == []
    assert list(EntryVersion.objects.waiting_for(centre.cast.clerk)) == []


STEPS = {
    "submit": S.DRAFT, "send_back": S.IN_REVIEW, "publish": S.IN_REVIEW, "withdraw": S.DRAFT, "retire": S.IN_FORCE,
}  # fmt: skip


def test_a_step_is_taken_in_its_state_alone(centre: Centre, subtests: pytest.Subtests) -> None:
    version = centre.draft()
    ways: list[tuple[str, Callable[[], object]]] = [
        (S.DRAFT, lambda: None),
        (S.IN_REVIEW, lambda: centre.step(version, "submit")),
        (S.IN_FORCE, lambda: centre.step(version, "publish", centre.two)),
        (S.RETIRED, lambda: centre.step(version, "retire", reason="x")),
    ]
    for state, reach in ways:
        reach()
        for step, source in STEPS.items():
            if source != state:
                with subtests.test(state=state, step=step):
                    refused(lambda step=step: centre.step(version, step, centre.two, reason="x"), Conflict)  # type: ignore[misc]


# --- legal bases -------------------------------------------------------------------------------------


def delivered_draft() -> EntryVersion:
    """A delivered entry whose basis is to be confirmed."""
    return EntryVersion.objects.filter(state=S.DRAFT, delivered=True, legal_basis__confirmed=False)[0]


def seen(*codes: str | None) -> dict[str, str]:
    """These legal bases as they now stand."""
    return {law.pk: mark_of_basis(law) for law in LegalBasis.objects.filter(pk__in=[code for code in codes if code])}


def test_a_delivered_draft_is_published_once_a_second_person_has_checked_its_law(centre: Centre) -> None:
    draft = delivered_draft()
    laws = {law for law in (draft.legal_basis_id, draft.publication_basis_id, draft.person_publication_basis_id) if law}
    centre.step(draft, "submit")
    error = refused(lambda: centre.step(draft, "publish", centre.two), Invalid)
    assert [p.code for p in error.problems] == ["basis"]
    done = centre.step(draft, "publish", centre.two, checked=seen(*laws))
    law = LegalBasis.objects.get(pk=draft.legal_basis_id)
    assert (law.confirmed, law.entered_by, law.confirmed_by) == (True, centre.one, centre.two)
    assert EntryVersion.objects.collecting(on=today()).get(entry=draft.entry) == done


def test_nobody_confirms_a_law_they_wrote(centre: Centre) -> None:
    law = catalogue.save_basis(
        user=centre.two, values={"code": "new-law", "title": "新法", "title_en": "New", "level": "law"}
    )
    draft = centre.submitted(legal_basis=law)
    error = refused(lambda: centre.step(draft, "publish", centre.two, checked=seen("new-law")), Invalid)
    assert [p.code for p in error.problems] == ["own_basis"]
    law.refresh_from_db()
    assert not law.confirmed


def test_a_law_that_changed_after_it_was_seen_is_not_confirmed(centre: Centre) -> None:
    values = {"code": "new-law", "title": "新法", "title_en": "New", "level": "law", "article": "第一条"}
    law = catalogue.save_basis(user=centre.one, values=values)
    draft, before = centre.submitted(legal_basis=law), seen("new-law")
    catalogue.save_basis(user=centre.one, values={"article": "第九条"}, basis=law)
    error = refused(lambda: centre.step(draft, "publish", centre.two, checked=before), Invalid)
    assert [p.code for p in error.problems] == ["basis_changed"]
    law.refresh_from_db()
    assert not law.confirmed
    centre.step(draft, "publish", centre.two, checked=seen("new-law"))
    law.refresh_from_db()
    assert (law.confirmed, law.confirmed_by, law.article) == (True, centre.two, "第九条")


@pytest.mark.django_db(transaction=True)
def test_a_law_that_is_just_being_changed_is_not_confirmed_unseen(transactional_db: None) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        centre = Centre.assemble(Cast.assemble())
        law = catalogue.save_basis(
            user=centre.one, values={"code": "new-law", "title": "新法", "title_en": "New", "level": "law"}
        )
        draft, before = centre.submitted(legal_basis=law), seen("new-law")

    def publish() -> list[str]:
        try:
            with audit.context(actor=centre.two, door=Door.DESK, reason="publish"):
                return [centre.step(draft, "publish", centre.two, checked=before).state]
        except Invalid as error:
            return [problem.code for problem in error.problems]
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic(), audit.context(actor=centre.one, door=Door.DESK, reason="edit"):
            catalogue.save_basis(user=centre.one, values={"article": "第九条"}, basis=law)
            outcome = pool.submit(publish)
            with pytest.raises(TimeoutError):
                outcome.result(timeout=1)
        assert outcome.result(timeout=30) == ["basis_changed"]


def test_a_law_is_changed_by_its_writer_until_it_is_confirmed(centre: Centre) -> None:
    values = {"code": "new-law", "title": "新法", "title_en": "New", "level": "law"}
    law = catalogue.save_basis(user=centre.one, values=values)
    catalogue.save_basis(user=centre.one, values={"number": "2026 No. 1"}, basis=law)
    refused(lambda: catalogue.save_basis(user=centre.two, values={"number": "x"}, basis=law), NotPermitted)
    confirmed = LegalBasis.objects.filter(confirmed=True)[0]
    refused(lambda: catalogue.save_basis(user=centre.one, values={"number": "x"}, basis=confirmed), Conflict)


def test_loading_the_delivered_policy_again_undoes_nothing_of_the_centre(centre: Centre) -> None:
    draft = delivered_draft()
    centre.step(draft, "submit")
    centre.step(draft, "publish", centre.two, checked=seen(draft.legal_basis_id, draft.publication_basis_id))
    centre.published(meaning="中心的说法。")
    before = [(e.code, states(e)) for e in CatalogueEntry.objects.order_by("code")]
    policy.load_records_policy()
    assert [(e.code, states(e)) for e in CatalogueEntry.objects.order_by("code")] == before
    assert LegalBasis.objects.get(pk=draft.legal_basis_id).confirmed


# --- two at once -------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_versions_of_an_entry_published_at_the_same_time_follow_each_other(transactional_db: None) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        centre = Centre.assemble(Cast.assemble())
        one = centre.submitted(valid_from=days(10))
        other = EntryVersion.objects.get(pk=one.pk)
        other.pk, other.number, other.state = None, one.number + 1, S.DRAFT
        other.save(force_insert=True)
        for item in one.fields.all():
            item.pk, item.version = None, other
            item.save(force_insert=True)
        centre.step(other, "submit")

    def publish(version: EntryVersion) -> str:
        try:
            with audit.context(actor=centre.two, door=Door.DESK, reason="publish"):
                return str(centre.step(version, "publish", centre.two).state)
        except CreditError as error:
            return type(error).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(publish, [one, other, one]))
    assert sorted(outcomes) in (
        ["Conflict", "Invalid", "in_force"],
        ["Invalid", "Invalid", "in_force"],
    )
    assert EntryVersion.objects.filter(entry=centre.entry).collecting(on=days(10)).count() == 1
    assert EntryVersion.objects.filter(entry=centre.entry).collecting(on=days(9)).count() == 1


# --- records -----------------------------------------------------------------------------------------


def test_a_record_keeps_the_version_it_was_checked_against(centre: Centre) -> None:
    record, former = one_record(1), centre.current
    new = centre.published()
    assert CreditRecord.objects.get(pk=record.pk).version == former
    assert one_record(2).version == new
    assert EntryVersion.objects.get(entry__code=ENTRY, state=S.RETIRED) == former
