"""Fields of a purpose, of a consent, and what they have in common."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.queries.scope import FieldScope, Part

OPEN, PERSONAL = SimpleNamespace(code="open", personal=False), SimpleNamespace(code="private", personal=True)
NAMES = st.lists(st.sampled_from(["a", "b", "a.open", "a.private", "b.open", "b.private", "c.open"]), max_size=7)


def _seen(scope: FieldScope) -> set[tuple[str, str]]:
    return {(entry, item.code) for entry, part in scope.parts.items() for item in (OPEN, PERSONAL) if part.allows(item)}


@pytest.mark.parametrize(
    ("one", "other", "seen"),
    [
        (["a"], ["a"], {("a", "open")}),
        (["a"], ["b"], set()),
        (["a"], ["a.open"], {("a", "open")}),
        (["a"], ["a.private"], set()),  # the purpose has open fields alone: a consent cannot widen it
        (["a", "a.private"], ["a"], {("a", "open")}),  # nor can a purpose widen a consent
        (["a", "a.private"], ["a.private"], {("a", "private")}),
        (["a.open"], ["a.private"], set()),
    ],
)
def test_what_purpose_and_consent_have_in_common(one: list[str], other: list[str], seen: set[tuple[str, str]]) -> None:
    assert _seen(FieldScope.of(one) & FieldScope.of(other)) == seen
    assert _seen(FieldScope.of(other) & FieldScope.of(one)) == seen


@given(NAMES, NAMES)
def test_the_common_part_never_shows_what_one_of_both_does_not(one: list[str], other: list[str]) -> None:
    first, second = FieldScope.of(one), FieldScope.of(other)
    assert _seen(first & second) == _seen(first) & _seen(second)


@given(NAMES)
def test_names_stand_for_the_scope_they_came_from(names: list[str]) -> None:
    scope = FieldScope.of(names)
    assert FieldScope.of(scope.names).names == scope.names == sorted(set(names))
    assert scope.covers(scope)


@given(NAMES, NAMES)
def test_what_is_covered_and_not_hidden_is_shown(one: list[str], other: list[str]) -> None:
    """Found once: a whole entry covered a personal field of it that it does not show."""
    allowed, asked = FieldScope.of(one), FieldScope.of(other)
    if not allowed.covers(asked):
        return
    hidden = {(e, PERSONAL.code) for e in asked.entries if (allowed & asked).hides(PERSONAL, e)}
    assert _seen(asked) - hidden <= _seen(allowed)


def test_nothing_is_nothing() -> None:
    assert not FieldScope.of([]) and not Part() and not FieldScope.of(["a"]) & FieldScope.of([])
