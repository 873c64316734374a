"""Model fields for personal values: sealed at rest, found by blind index alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression

from creditplatform.core import vault

if TYPE_CHECKING:
    TextBase: TypeAlias = models.Field[str | None, str | None]
    IndexBase: TypeAlias = models.Field[bytes, bytes]
else:
    TextBase = IndexBase = models.Field


class SealedTextField(TextBase):
    """Text that only the holder of the key ring can read; `bytea` in the database, `str` in Python.

    The value is bound to the field's first name `app.Model.field`, kept in migrations as `sealed_as`: a copy
    of the column in a history table opens, another column does not. After renaming a model or field, go on
    giving the old name as `sealed_as`. There are no lookups but `isnull`; search by a `BlindIndexField`.
    """

    empty_strings_allowed = True

    def __init__(self, *args: Any, sealed_as: str = "", **kwargs: Any) -> None:
        self.sealed_as = sealed_as
        super().__init__(*args, **kwargs)

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        """Take the name of the model as the one the value is bound to, unless one was given."""
        super().contribute_to_class(cls, name, private_only)
        if not self.sealed_as and not cls._meta.abstract:
            self.sealed_as = f"{cls._meta.label}.{name}"

    def deconstruct(self) -> Any:
        """As any field, with the name the value is bound to."""
        name, path, args, kwargs = super().deconstruct()
        if self.sealed_as:
            kwargs["sealed_as"] = self.sealed_as
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        """Stored like binary data."""
        return "BinaryField"

    def get_lookup(self, lookup_name: str) -> Any:
        """Only `isnull`: equal texts are not equal once sealed."""
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def get_transform(self, lookup_name: str) -> Any:
        """None: the database cannot look inside."""
        return None

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        """Seal for the way into the database."""
        if value is None:
            return None
        return connection.Database.Binary(vault.seal(str(value), self.sealed_as))  # type: ignore[attr-defined]

    def from_db_value(self, value: Any, expression: Expression, connection: BaseDatabaseWrapper) -> str | None:
        """Open on the way out. Raises VaultError if it cannot be opened."""
        return None if value is None else vault.unseal(value, self.sealed_as)

    def to_python(self, value: Any) -> str | None:
        """Text, or None."""
        return value if value is None else str(value)


class BlindIndexField(IndexBase):
    """The 16 bytes of `vault.blind_index`, to be found by `exact` and `in` with bytes computed beforehand."""

    empty_strings_allowed = False
    _LOOKUPS = frozenset({"exact", "in", "isnull"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """As any field; never editable unless said otherwise."""
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        if self.editable:
            kwargs["editable"] = True
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        """Stored like binary data."""
        return "BinaryField"

    def db_check(self, connection: BaseDatabaseWrapper) -> str | None:
        """The database refuses anything that is not 16 bytes long, by whatever road it comes."""
        return f"octet_length({connection.ops.quote_name(self.column or self.name)}) = {vault.INDEX_BYTES}"

    def get_lookup(self, lookup_name: str) -> Any:
        """Only `exact`, `in` and `isnull`."""
        return super().get_lookup(lookup_name) if lookup_name in self._LOOKUPS else None

    def get_transform(self, lookup_name: str) -> Any:
        """None: there is nothing inside to look at."""
        return None

    def get_prep_value(self, value: Any) -> bytes | None:
        """The bytes. Raises ValueError if they are not 16, as when a number is handed in by mistake."""
        prepared = super().get_prep_value(value)
        if prepared is None:
            return None
        if not isinstance(prepared, bytes | memoryview | bytearray) or len(prepared) != vault.INDEX_BYTES:
            raise ValueError("A blind index is 16 bytes made by vault.blind_index.")
        return bytes(prepared)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        """Binary for the driver."""
        prepared_value = super().get_db_prep_value(value, connection, prepared)
        if prepared_value is None:
            return None
        return connection.Database.Binary(prepared_value)  # type: ignore[attr-defined]

    def from_db_value(self, value: Any, expression: Expression, connection: BaseDatabaseWrapper) -> bytes | None:
        """Bytes that can be compared and used as keys of a dictionary."""
        return None if value is None else bytes(value)


def sealed_name(model: Any, name: str) -> str:
    """The name a sealed column's values are bound to."""
    bound: str = model._meta.get_field(name).sealed_as
    return bound
