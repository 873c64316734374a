"""Bases of the staff admin: who may see and change a table is said by role, nothing is deleted."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from import_export.resources import ModelResource

from creditplatform.core.enums import Role
from creditplatform.core.models.people import Bilingual
from creditplatform.core.permissions import has_role

_work: list[Callable[[Any], Any]] = []
_bound_to_site: list[Callable[[Any], bool]] = []
FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r")


def provide_work(provider: Callable[[Any], Any]) -> None:
    """Let an app say what waits for a member of staff; called when its admin is loaded."""
    _work.append(provider)


def work_of(user: Any) -> list[Any]:
    """What waits for this person, app by app: the first thing the admin shows."""
    return [provider(user) for provider in _work]


def bind_to_site(holds: Callable[[Any], bool]) -> None:
    """Let an app say which units may no longer move to another public site; called when its admin is loaded."""
    _bound_to_site.append(holds)


def is_bound_to_site(agency: Any) -> bool:
    """Whether something on file keeps a unit on its public site; the database refuses the move whatever this says."""
    return any(holds(agency) for holds in _bound_to_site)


class PlainTextResource(ModelResource):  # type: ignore[misc]
    """Rows for a spreadsheet in which no text is taken for a formula: one that begins like one gets an apostrophe."""

    def export_field(self, field: Any, instance: Any, **kwargs: Any) -> Any:
        """The value; a text that begins like a formula as a spreadsheet expects a text."""
        value = super().export_field(field, instance, **kwargs)
        return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_BEGINNINGS) else value


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Pages through a large table without counting all of it; beyond the cap one searches or filters."""

    cap = 10_000

    @property
    def count(self) -> int:
        """The number of rows, counted no further than the cap."""
        rows: Any = self.object_list
        return len(rows[: self.cap].values_list("pk", flat=True))


class RoleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A table open to the roles named here. Deleting is no way to correct; nobody may."""

    viewers: ClassVar[Sequence[Role]] = ()
    changers: ClassVar[Sequence[Role]] = ()
    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Shown in the list of tables to whoever may look."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Viewers and changers."""
        return has_role(*self.viewers, *self.changers)(request.user)  # type: ignore[arg-type]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Changers."""
        return has_role(*self.changers)(request.user)  # type: ignore[arg-type]

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Changers."""
        return has_role(*self.changers)(request.user)  # type: ignore[arg-type]

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Nobody: history is not rewritten."""
        return False


class ReadOnlyAdmin(RoleAdmin):
    """A table to look at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Nobody."""
        return False


class LabelledAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A table of things that have a name in both languages."""

    @admin.display(description=_("Name"), ordering="name")
    def label_shown(self, thing: Bilingual) -> str:
        """The name in the language of the page."""
        return thing.label
