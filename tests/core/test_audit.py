"""No write without who and why, by whatever road; history keeps what was replaced and cannot be rewritten."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pgtrigger
import psycopg2
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction
from django.db.models import F

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.models import (
    AccessLog,
    AccessSeal,
    Agency,
    Membership,
    OutboxEvent,
    Receipt,
    RuleValue,
    StepEvent,
    User,
)
from records.enums import AffiliationRole, VersionState
from records.models import (
    Affiliation,
    CreditRecord,
    Entitlement,
    EntitlementGroupObjectPermission,
    EntitlementUserObjectPermission,
    EntryField,
    EntryVersion,
    KeyGroup,
    KeyGroupMembership,
    LegalBasis,
    RealNameBinding,
)
from tests.cast import PERSON_NUMBER, STRANGER_NUMBER, Cast, citizen, person_subject
from tests.deliveries import ingest, one_record, penalty, quick_passwords  # noqa: F401

Model = type[models.Model]
OURS = {"core", "records", "sanctions", "repair", "publicity"}

# Tables of ours that need neither context nor history, each with the reason. A new model lands here only with one.
EXEMPT = {
    "core.OutboxEvent": "news between apps, written in the transaction of the change it reports; holds keys only",
    "core.Heartbeat": "signs of life of workers, overwritten every few seconds; about no person",
    "core.Notice": "the row is its own account: delivery, proof and reading are columns bound by constraints",
    "records.DemonstrationIdentity": "lines of a register of fictitious persons; a real installation has none",
}

# One harmless change per audited table: column and SQL expression. A new audited model needs a line here.
CHANGES = {
    "core.Region": ("name_en", "name_en || '!'"),
    "core.Site": ("sponsor_en", "sponsor_en || '!'"),
    "core.Agency": ("office_en", "office_en || '!'"),
    "core.User": ("display_name", "display_name || '!'"),
    "core.Membership": ("valid_until", "valid_from + 400"),
    "core.RuleValue": ("source", "source || '!'"),
    "core.CalendarDay": ("name", "name || '!'"),
    "records.LegalBasis": ("title_en", "title_en || '!'"),
    "records.CatalogueEntry": ("name_en", "name_en || '!'"),
    "records.EntryVersion": ("meaning_en", "meaning_en || '!'"),
    "records.EntryField": ("name_en", "name_en || '!'"),
    "records.Entitlement": ("entry_id", "(SELECT min(id) FROM records_catalogueentry)"),
    "records.EntitlementUserObjectPermission": ("permission_id", "(SELECT min(id) FROM auth_permission)"),
    "records.EntitlementGroupObjectPermission": ("permission_id", "(SELECT min(id) FROM auth_permission)"),
    "records.Feed": ("expected_max", "expected_max + 1"),
    "records.QuarantinedRow": ("line_number", "line_number + 1"),
    "records.Subject": ("created_at", "created_at - interval '1 day'"),
    "records.Affiliation": ("valid_until", "valid_from + 400"),
    "records.KeyGroup": ("name_en", "name_en || '!'"),
    "records.KeyGroupMembership": ("valid_until", "valid_from + 400"),
    "records.RealNameBinding": ("adapter", "adapter || '!'"),
    "records.CreditRecord": ("disputed", "NOT disputed"),
}


def our_models() -> list[Model]:
    """Every table of ours, those that Django makes for many-to-many fields included."""
    found = apps.get_models(include_auto_created=True)
    return [model for model in found if model._meta.app_label in OURS]


def trigger_names(model: Model) -> set[str]:
    return {trigger.name for owner, trigger in pgtrigger.registered() if owner is model}


def is_history(model: Model) -> bool:
    return hasattr(model, "pgh_tracked_model")


def history_of(model: Model) -> Model | None:
    return next((m for m in our_models() if is_history(m) and m.pgh_tracked_model is model), None)  # type: ignore[attr-defined]


GUARDED = [m for m in our_models() if "needs_context" in trigger_names(m)]
AUDITED = [m for m in GUARDED if history_of(m)]
HISTORY = [m for m in our_models() if is_history(m)]
LEDGERS = [m for m in our_models() if "append_only" in trigger_names(m) and not is_history(m)]


def label(model: Model) -> str:
    return model._meta.label


def sql(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def refused(*codes: str) -> Iterator[None]:
    """The statement inside is refused by the database with one of these SQLSTATEs; the transaction goes on."""
    with pytest.raises((DatabaseError, psycopg2.Error)) as caught, transaction.atomic():
        yield
    found = getattr(caught.value.__cause__ or caught.value, "pgcode", None)  # COPY comes straight from the driver
    assert found in codes, caught.value


@contextmanager
def taken_back() -> Iterator[None]:
    """What happens inside is undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# --- every model is classified -------------------------------------------------------------------


def test_every_model_is_classified() -> None:
    classified = {*map(label, [*GUARDED, *HISTORY, *LEDGERS]), *EXEMPT}
    forgotten = sorted({label(model) for model in our_models()} - classified)
    assert not forgotten, (
        f"{', '.join(forgotten)}: nobody would know who changed these tables and why. Put @audited (history), @guarded"
        " (context only) or @append_only (ledger) on the model, or give the reason in EXEMPT. A many-to-many table"
        " needs a model of its own (`through=`) or must go."
    )


def test_exemptions_name_tables_that_exist_and_are_not_guarded_after_all() -> None:
    unguarded = {label(model) for model in our_models() if not trigger_names(model)}
    assert set(EXEMPT) <= unguarded


def test_every_audited_model_has_a_change_to_prove_its_history() -> None:
    assert {label(model) for model in AUDITED} == set(CHANGES)


def test_registered_triggers_stand_in_the_database(db: None) -> None:
    standing = {row[0] for row in sql("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'")}
    wanted = {
        trigger.get_pgid(model): label(model) for model, trigger in pgtrigger.registered() if model in our_models()
    }
    assert {name: wanted[name] for name in wanted if name not in standing} == {}


# --- no write without who and why ----------------------------------------------------------------


def _save(model: Model) -> None:
    model().save_base(raw=True, force_insert=True)


def _bulk_create(model: Model) -> None:
    model._base_manager.bulk_create([model(), model()])


def _update(model: Model) -> None:
    name = model._meta.pk.name  # type: ignore[union-attr]
    model._base_manager.update(**{name: F(name)})


def _delete(model: Model) -> None:
    model._base_manager.all()._raw_delete(connection.alias)


def _raw_insert(model: Model) -> None:
    sql(f"INSERT INTO {model._meta.db_table} DEFAULT VALUES")


def _raw_update(model: Model) -> None:
    key = model._meta.pk.column  # type: ignore[union-attr]
    sql(f"UPDATE {model._meta.db_table} SET {key} = {key} WHERE false")


def _raw_delete(model: Model) -> None:
    sql(f"DELETE FROM {model._meta.db_table} WHERE false")


def _copy(model: Model) -> None:
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {model._meta.db_table} FROM STDIN", StringIO(""))


ROADS = [_save, _bulk_create, _update, _delete, _raw_insert, _raw_update, _raw_delete, _copy]


@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.__name__.strip("_"))
def test_a_write_without_context_is_refused(
    db: None, subtests: pytest.Subtests, road: Callable[[Model], None]
) -> None:
    for model in GUARDED:
        with subtests.test(model=label(model)), refused("CR001"):
            road(model)


@pytest.mark.parametrize("words", [{"door": "", "reason": ""}, {"door": Door.WEB, "reason": ""}])
def test_a_context_without_a_reason_is_no_context(db: None, words: dict[str, str]) -> None:
    with pytest.raises((DatabaseError, ValueError, TypeError)), audit.context(actor=None, **words):
        KeyGroup.objects.create(code="x", name="x", name_en="x")


def test_a_write_inside_a_context_is_accepted(db: None) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        KeyGroup.objects.create(code="x", name="x", name_en="x")
        assert KeyGroup.objects.filter(code="x").update(name="y") == 1


# --- the life of a context -----------------------------------------------------------------------


def test_the_context_is_gone_after_its_block_even_inside_an_outer_transaction(db: None) -> None:
    with transaction.atomic():
        with audit.context(actor=None, door=Door.COMMAND, reason="test"):
            KeyGroup.objects.create(code="x", name="x", name_en="x")
        assert audit.current() == {}
        with refused("CR001"):
            KeyGroup.objects.filter(code="x").update(name="y")


def test_the_context_is_gone_after_an_error_in_its_block(db: None) -> None:
    with pytest.raises(ZeroDivisionError), audit.context(actor=None, door=Door.COMMAND, reason="test"):
        KeyGroup.objects.create(code="x", name="x", name_en="x")
        raise ZeroDivisionError
    assert audit.current() == {}
    assert not KeyGroup.objects.filter(code="x").exists()
    with refused("CR001"):
        KeyGroup.objects.create(code="x", name="x", name_en="x")


def test_the_context_survives_a_rolled_back_savepoint(context: None) -> None:
    with taken_back():
        KeyGroup.objects.create(code="x", name="x", name_en="x")
    with pytest.raises(ZeroDivisionError), audit.context(actor=None, door=Door.TIMER, reason="inner"):
        raise ZeroDivisionError
    KeyGroup.objects.create(code="x", name="x", name_en="x")
    assert audit.current()["reason"] == "test"


def test_a_nested_context_refines_and_gives_back(cast: Cast) -> None:
    basis = LegalBasis.objects.first()
    assert basis
    with audit.context(actor=cast.clerk, door=Door.ADMIN, reason="outer", authority="statute"):
        with audit.context(actor=None, door=Door.FILE, reason="inner"):
            LegalBasis.objects.filter(pk=basis.pk).update(issuer="inner")
        LegalBasis.objects.filter(pk=basis.pk).update(issuer="outer")
    inner, outer = _events(LegalBasis, basis.pk)
    assert inner["pgh_context"] == {
        "actor": cast.clerk.pk, "door": "file", "reason": "inner", "authority": "statute",
    }  # fmt: skip
    assert outer["pgh_context"] == {
        "actor": cast.clerk.pk, "door": "admin", "reason": "outer", "authority": "statute",
    }  # fmt: skip


def test_a_context_belongs_to_its_thread(context: None) -> None:
    seen: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: seen.append(audit.current()))
    thread.start()
    thread.join()
    assert seen == [{}]


@pytest.mark.django_db(transaction=True)
def test_the_next_transaction_of_the_connection_starts_without_context() -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        KeyGroup.objects.create(code="x", name="x", name_en="x")
    with pytest.raises(DatabaseError) as caught:
        KeyGroup.objects.filter(code="x").update(name="y")
    assert caught.value.__cause__.pgcode == "CR001"  # type: ignore[union-attr]


# --- history -------------------------------------------------------------------------------------


@pytest.fixture
def rows(cast: Cast) -> None:
    """At least one row in every audited table, besides those of the policy and the cast."""
    ingest(penalty(1), penalty(2, CF_JDRQ="never"))
    person, company = cast.person.real_name.subject, CreditRecord.objects.get().subject
    day = CreditRecord.objects.get().decided_on
    Affiliation.objects.create(
        person=person, organisation=company, role=AffiliationRole.MEMBER, valid_from=day
    )
    KeyGroupMembership.objects.create(
        subject=person, group=KeyGroup.objects.all()[0], licence_number="1", valid_from=day
    )
    entitlement = Entitlement.objects.all()[0]
    group_model = apps.get_model("auth", "Group")
    permission = apps.get_model("auth", "Permission").objects.get(codename="enter_records")
    EntitlementUserObjectPermission.objects.create(
        user=cast.clerk, permission=permission, content_object=entitlement
    )
    EntitlementGroupObjectPermission.objects.create(
        group=group_model.objects.create(name="clerks"), permission=permission, content_object=entitlement
    )
    _draft()


def _draft() -> EntryVersion:
    """A version that may still be edited, with one field."""
    like = EntryVersion.objects.filter(state=VersionState.IN_FORCE)[0]
    draft = EntryVersion.objects.get(pk=like.pk)
    draft.pk, draft.number, draft.state = None, 99, VersionState.DRAFT
    draft.save()
    EntryField.objects.create(version=draft, position=1, code="A", name="甲", name_en="A", type="text")
    return draft


def _key_of_a_row(model: Model) -> Any:
    """Any row that may be changed at all: fields and versions only of drafts."""
    found = model._base_manager.order_by("pk")
    if model is EntryVersion:
        found = found.filter(number=99)
    if model is EntryField:
        found = found.filter(version__number=99)
    if model is Entitlement:
        found = found.order_by("-entry_id", "pk")
    row = found.values_list("pk", flat=True).first()
    assert row is not None, f"no row of {model._meta.label} to change; make one in the fixture `rows`"
    return row


def _events(model: Model, key: Any) -> list[dict[str, Any]]:
    history = history_of(model)
    assert history
    column = model._meta.pk.attname  # type: ignore[union-attr]
    return list(history._base_manager.filter(**{column: key}).order_by("pgh_id").values())


def test_history_keeps_the_replaced_row_with_who_and_why(rows: None, subtests: pytest.Subtests, cast: Cast) -> None:
    for model in AUDITED:
        with subtests.test(model=label(model)):
            _history_keeps_the_replaced_row_with_who_and_why(model, cast)


def _history_keeps_the_replaced_row_with_who_and_why(model: Model, cast: Cast) -> None:
    key, (column, expression) = _key_of_a_row(model), CHANGES[label(model)]
    table, pk = model._meta.db_table, model._meta.pk.column  # type: ignore[union-attr]
    before = sql(f"SELECT {column} FROM {table} WHERE {pk} = %s", key)[0][0]
    known = len(_events(model, key))
    with audit.context(actor=cast.officer, door=Door.ADMIN, reason="raw change", authority="letter 7"):
        sql(f"UPDATE {table} SET {column} = {expression} WHERE {pk} = %s", key)
    after = sql(f"SELECT {column} FROM {table} WHERE {pk} = %s", key)[0][0]
    assert after != before, "the change of this table in CHANGES changes nothing"
    *_older, event = _events(model, key)
    assert len(_events(model, key)) == known + 1
    assert event[column] == before
    assert event["pgh_label"] == "update"
    assert event["pgh_context"] == {
        "actor": cast.officer.pk, "door": "admin", "reason": "raw change", "authority": "letter 7",
    }  # fmt: skip


def test_history_keeps_a_deleted_row(rows: None, subtests: pytest.Subtests) -> None:
    for model in AUDITED:
        with subtests.test(model=label(model)):
            _history_keeps_a_deleted_row(model)


def _history_keeps_a_deleted_row(model: Model) -> None:
    key = _key_of_a_row(model)
    table, pk = model._meta.db_table, model._meta.pk.column  # type: ignore[union-attr]
    with taken_back(), audit.context(actor=None, door=Door.COMMAND, reason="removal"):
        sql(f"DELETE FROM {table} WHERE {pk} = %s", key)
        *_older, event = _events(model, key)
        assert (event["pgh_label"], event["pgh_context"]["reason"]) == ("delete", "removal")


def test_history_survives_a_change_of_the_key(rows: None, subtests: pytest.Subtests) -> None:
    for model in AUDITED:
        with subtests.test(model=label(model)):
            _history_survives_a_change_of_the_key(model)


def _history_survives_a_change_of_the_key(model: Model) -> None:
    """A row that gets another key was replaced as well; moving it away must not lose its trace."""
    key = _key_of_a_row(model)
    table, field = model._meta.db_table, model._meta.pk
    assert field
    moved = {"DateField": "+ 20000", "CharField": "|| 'x'", "SlugField": "|| 'x'"}.get(
        field.get_internal_type(), "+ 1000000"
    )
    known = len(_events(model, key))
    with taken_back(), audit.context(actor=None, door=Door.COMMAND, reason="moved"):
        try:
            with transaction.atomic():
                sql(f"UPDATE {table} SET {field.column} = {field.column} {moved} WHERE {field.column} = %s", key)
        except DatabaseError:
            return  # a key that cannot be changed is the better answer
        assert len(_events(model, key)) == known + 1, "the old row is in no history"


def test_history_of_every_road_of_the_orm(context: None) -> None:
    one, two = LegalBasis.objects.order_by("code")[:2]
    old = one.issuer, two.issuer
    one.issuer = "saved"
    one.save()
    LegalBasis.objects.filter(pk__in=[one.pk, two.pk]).update(issuer="updated")
    one.issuer = two.issuer = "bulk"
    LegalBasis.objects.bulk_update([one, two], ["issuer"])
    LegalBasis.objects.bulk_create(
        [LegalBasis(code=two.pk, title="t", title_en="t", level="law", issuer="upserted")],
        update_conflicts=True, unique_fields=["code"], update_fields=["issuer"],
    )  # fmt: skip
    assert [e["issuer"] for e in _events(LegalBasis, one.pk)] == [old[0], "saved", "updated"]
    assert [e["issuer"] for e in _events(LegalBasis, two.pk)] == [old[1], "updated", "bulk"]


def test_a_feed_that_corrects_a_record_leaves_the_old_content_with_its_batch_and_sender(cast: Cast) -> None:
    record = one_record()
    batch = ingest(penalty(1, CF_NR="罚款二万元", CF_NR_FK="2"), user=cast.clerk)
    (event,) = _events(CreditRecord, record.pk)
    assert batch.accepted == 1
    assert event["payload"]["CF_NR"] == "罚款一万元"
    assert event["pgh_context"]["actor"] == cast.clerk.pk
    assert event["pgh_context"]["reason"] == f"feed batch {batch.pk}"
    assert event["pgh_context"]["agency"] == record.agency_id


def test_an_insert_leaves_no_history_row(context: None) -> None:
    record = one_record()
    assert _events(CreditRecord, record.pk) == []


def test_passwords_are_in_no_history(cast: Cast) -> None:
    hashes = []
    for word in ("first-long-word", "second-long-word", "third-long-word"):
        cast.clerk.set_password(word)
        cast.clerk.display_name = word
        cast.clerk.save()
        hashes.append(cast.clerk.password)
    text = "".join(str(row) for row in sql("SELECT e::text FROM core_userevent e"))
    assert len(_events(User, cast.clerk.pk)) == 3
    assert [found for found in hashes if found in text] == []


def test_no_history_table_has_a_column_for_a_password() -> None:
    secret = {
        f"{label(model)}.{field.name}"
        for model in HISTORY
        for field in model._meta.get_fields()
        if any(word in field.name for word in ("password", "secret_key", "passwd"))
    }
    assert secret == set()


def test_personal_values_in_history_stay_sealed(cast: Cast) -> None:
    subject = person_subject("110101199003074514", "王示例")
    subject.name_sealed = "王改名"
    subject.save()
    raw = str(sql("SELECT e::text FROM records_subjectevent e"))
    (event,) = _events(type(subject), subject.pk)
    assert event["name_sealed"] == "王示例"
    assert "王示例" not in raw
    assert "110101199003074514" not in raw


# --- history and ledgers cannot be rewritten ------------------------------------------------------


def _make_ledger_rows(cast: Cast) -> None:
    AccessLog.objects.create(
        door=Door.WEB, purpose="test", authority="self", subject_ref=1, fields=["name"], result="shown"
    )
    AccessSeal.objects.create(
        number=1, row_ids=[1], previous=b"0" * 32, digest=b"1" * 32,
        first_at=cast.clerk.joined_at, last_at=cast.clerk.joined_at,
    )  # fmt: skip
    Receipt.objects.create(event=OutboxEvent.objects.create(topic="t"), consumer="c")
    StepEvent.objects.create(workflow="w", case_ref=1, step="s", from_state="a", to_state="b")


PARTITIONS = (
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind = 'r' ORDER BY 1"
)


def _snapshot(table: str) -> list[tuple[Any, ...]]:
    return sql(f"SELECT t::text FROM {table} t ORDER BY 1")


def _attempt(statement: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        sql(statement)


def test_a_ledger_is_only_added_to(cast: Cast, subtests: pytest.Subtests) -> None:
    _make_ledger_rows(cast)
    for model in LEDGERS:
        with subtests.test(model=label(model)):
            _cannot_be_rewritten(model._meta.db_table, model._meta.pk.column)  # type: ignore[union-attr]



def test_history_is_only_added_to(rows: None, subtests: pytest.Subtests) -> None:
    for model in AUDITED:
        with subtests.test(model=label(model)):
            _history_is_only_added_to(model)


def _history_is_only_added_to(model: Model) -> None:
    key, (column, expression) = _key_of_a_row(model), CHANGES[label(model)]
    table, pk = model._meta.db_table, model._meta.pk.column  # type: ignore[union-attr]
    sql(f"UPDATE {table} SET {column} = {expression} WHERE {pk} = %s", key)
    history = history_of(model)
    assert history
    _cannot_be_rewritten(history._meta.db_table, "pgh_id")


def _cannot_be_rewritten(table: str, column: str) -> None:
    before = _snapshot(table)
    assert before, "without a row nothing would be proven"
    _attempt(f"UPDATE {table} SET {column} = {column}")
    _attempt(f"DELETE FROM {table}")
    assert _snapshot(table) == before


def test_history_and_ledgers_refuse_truncate(db: None, subtests: pytest.Subtests) -> None:
    for model in [*LEDGERS, *HISTORY]:
        with subtests.test(model=label(model)):
            _history_and_ledgers_refuse_truncate(model)


def _history_and_ledgers_refuse_truncate(model: Model) -> None:
    with taken_back():
        sql("SET LOCAL credit.allow_truncate = 'off'")
        with refused("CR002", "P0001"):
            sql(f"TRUNCATE {model._meta.db_table} CASCADE")


def test_partitions_of_the_access_log_are_only_added_to(cast: Cast) -> None:
    _make_ledger_rows(cast)
    partitions = [row[0] for row in sql(PARTITIONS)]
    assert len(partitions) >= 5
    sql("SET LOCAL credit.allow_truncate = 'off'")
    for partition in partitions:
        with refused("CR002"):
            sql(f"TRUNCATE {partition}")
    (filled,) = [name for name in partitions if sql(f"SELECT 1 FROM {name}")]
    _cannot_be_rewritten(filled, "id")


def test_an_upsert_is_no_way_around(cast: Cast) -> None:
    _make_ledger_rows(cast)
    with refused("CR002"):
        sql(
            "INSERT INTO core_receipt (event_id, consumer, at) SELECT event_id, consumer, now() FROM core_receipt"
            " ON CONFLICT (event_id, consumer) DO UPDATE SET at = excluded.at"
        )


def test_the_owner_cannot_switch_triggers_off_for_a_session(db: None) -> None:
    _attempt("SET LOCAL session_replication_role = 'replica'")


def test_a_person_whose_number_is_known_is_found_in_no_trace_of_the_binding(cast: Cast) -> None:
    """The trail of a binding names keys; the number itself stands only sealed."""
    bound = citizen("again", person_subject("110101199003074514", "王示例"))
    RealNameBinding.objects.filter(user=bound).update(adapter="other")
    raw = str(sql("SELECT e::text FROM records_realnamebindingevent e"))
    assert not any(number in raw for number in ("110101199003074514", PERSON_NUMBER, STRANGER_NUMBER))


def test_reading_needs_no_context(db: None) -> None:
    assert Agency.objects.exists()
    assert RuleValue.objects.exists()
    assert not Membership.objects.filter(pk=0).exists()
