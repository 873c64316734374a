"""The model fields for sealed values and blind indexes, as far as they go without a database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.db import connection, models
from django.test.utils import isolate_apps

from creditplatform.core import keyfile, vault
from creditplatform.core.errors import VaultError
from creditplatform.core.sealed import BlindIndexField, SealedTextField


@pytest.fixture(autouse=True)
def _ring(tmp_path: Path, settings: Any) -> None:
    """A ring of this test's own."""
    settings.CREDIT_KEYRING = tmp_path / "ring.json"
    keyfile.create_ring(settings.CREDIT_KEYRING, vault.AES_256_GCM)


@pytest.fixture
def person() -> Any:
    """A model with both fields, known to nobody else."""
    with isolate_apps("creditplatform.core"):

        class Person(models.Model):  # noqa: DJ008
            number = SealedTextField(null=True)
            number_index = BlindIndexField(null=True)

            class Meta:
                app_label = "core"

        yield Person


def test_a_value_goes_in_sealed_and_comes_out_as_text(person: Any) -> None:
    field = person._meta.get_field("number")
    stored = field.get_db_prep_value("张三", connection).adapted
    assert "张三".encode() not in stored
    assert field.from_db_value(memoryview(stored), None, connection) == "张三"
    assert field.get_db_prep_value(None, connection) is None
    assert field.from_db_value(None, None, connection) is None


def test_a_value_is_bound_to_its_field(person: Any) -> None:
    assert person._meta.get_field("number").sealed_as == "core.Person.number"
    stranger = SealedTextField(sealed_as="core.Person.name")
    with pytest.raises(VaultError):
        stranger.from_db_value(vault.seal("x", "core.Person.number"), None, connection)  # type: ignore[arg-type]


def test_a_copy_of_the_field_keeps_the_name_it_is_bound_to(person: Any) -> None:
    _name, path, args, kwargs = person._meta.get_field("number").deconstruct()
    assert (path, args) == ("creditplatform.core.sealed.SealedTextField", [])
    assert kwargs == {"null": True, "sealed_as": "core.Person.number"}

    class PersonEvent(models.Model):  # noqa: DJ008
        number = SealedTextField(**kwargs)

        class Meta:
            app_label = "core"
            apps = person._meta.apps

    assert PersonEvent._meta.get_field("number").sealed_as == "core.Person.number"


def test_an_abstract_model_leaves_the_name_to_the_real_one() -> None:
    with isolate_apps("creditplatform.core"):

        class Base(models.Model):
            number = SealedTextField()

            class Meta:
                app_label = "core"
                abstract = True

        class Real(Base):  # noqa: DJ008
            class Meta:
                app_label = "core"

        assert Real._meta.get_field("number").sealed_as == "core.Real.number"
        assert Base._meta.get_field("number").sealed_as == ""


@pytest.mark.parametrize("lookup", ["number", "number__exact", "number__contains", "number__in", "number__lower"])
def test_a_sealed_value_cannot_be_searched(person: Any, lookup: str) -> None:
    with pytest.raises(FieldError):
        str(person.objects.filter(**{lookup: "x"}).query)


def test_a_sealed_value_may_be_asked_for_being_there(person: Any) -> None:
    assert "IS NULL" in str(person.objects.filter(number__isnull=True).query)


def test_a_blind_index_is_found_by_its_bytes(person: Any) -> None:
    index = vault.blind_index("x", "core.Person.number")
    for condition in ({"number_index": index}, {"number_index__in": [index]}, {"number_index__isnull": True}):
        assert "number_index" in str(person.objects.filter(**condition).query)
    with pytest.raises(FieldError):
        person.objects.filter(number_index__gt=index)


@pytest.mark.parametrize("value", ["11010519491231002X", b"short", b"x" * 17, 5])
def test_anything_but_a_blind_index_is_refused_without_being_told(person: Any, value: Any) -> None:
    with pytest.raises(ValueError, match="16 bytes") as refused:
        person.objects.filter(number_index=value)
    assert str(value) not in str(refused.value)


def test_blind_indexes_come_and_go_as_bytes(person: Any) -> None:
    field = person._meta.get_field("number_index")
    index = vault.blind_index("x", "core.Person.number")
    assert field.get_db_prep_value(index, connection).adapted == index
    assert field.from_db_value(memoryview(index), None, connection) == index
    assert field.get_db_prep_value(None, connection) is field.from_db_value(None, None, connection) is None


def test_both_are_binary_in_the_database_and_the_index_has_a_length(person: Any) -> None:
    assert person._meta.get_field("number").db_type(connection) == "bytea"
    index = person._meta.get_field("number_index")
    assert index.db_parameters(connection) == {
        "type": "bytea",
        "check": 'octet_length("number_index") = 16',
    }
    assert index.editable is False
    assert index.deconstruct()[3] == {"null": True}
    assert BlindIndexField(editable=True).deconstruct()[3] == {"editable": True}
