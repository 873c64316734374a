"""No write without who and why, by whatever road; every table of ours is classified."""
# ruff: noqa: S608 (names of tables and columns come from our own models)

import threading
from collections.abc import Callable
from io import StringIO
from typing import Any

import pgtrigger
import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.models import (
    Agency,
    Membership,
    RuleValue,
)
from records.models import (
    KeyGroup,
    LegalBasis,
)
from tests.cast import Cast
from tests.core.tracked import (
    AUDITED,
    CHANGES,
    EXEMPT,
    GUARDED,
    HISTORY,
    LEDGERS,
    Model,
    events_of,
    label,
    our_models,
    refused,
    sql,
    taken_back,
    trigger_names,
)
from tests.deliveries import (
    quick_passwords,  # noqa: F401
)

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
def test_a_write_without_context_is_refused(db: None, subtests: pytest.Subtests, road: Callable[[Model], None]) -> None:
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
    inner, outer = events_of(LegalBasis, basis.pk)
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


def test_reading_needs_no_context(db: None) -> None:
    assert Agency.objects.exists()
    assert RuleValue.objects.exists()
    assert not Membership.objects.filter(pk=0).exists()
