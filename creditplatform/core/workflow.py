"""Runs a procedure that is written down as a table of steps.

A procedure is one module under `<app>/workflows/`; it holds states, who may, what must be there and
what happens. Here such a table is only executed: lock the case, is the state right (409), may this
person (403), collect everything that is missing (400, told once), change, tell. One transaction.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.db import models, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from creditplatform.core import audit
from creditplatform.core.errors import Conflict, FieldProblem, Invalid, NotPermitted
from creditplatform.core.models import StepEvent, User

Case = TypeVar("Case", bound=models.Model)
Words = str | Promise
Data = Mapping[str, Any]
# Who may: the case and the person, or None where the platform itself acts.
By = Callable[[Any, User | None], bool]
Need = Callable[[Any, Data], FieldProblem | None]
Effect = Callable[[Any, User | None, Data], None]


def platform(case: object, user: User | None) -> bool:
    """The platform itself, by timer or pipeline; never a person."""
    return user is None


@dataclass(frozen=True)
class Step:
    """One row of a procedure's table. `label` is the verb on the button, `tells` the sentence for the person."""

    name: str
    label: Words
    source: frozenset[str]
    target: str
    by: By
    needs: tuple[Need, ...] = ()
    effects: tuple[Effect, ...] = ()
    reason_required: bool = False
    tells: Words = ""


@dataclass(frozen=True)
class Workflow(Generic[Case]):
    """A whole procedure: its states, its first and last ones, its steps."""

    name: str
    title: Words
    states: type[models.TextChoices]
    initial: str
    steps: tuple[Step, ...]
    final: frozenset[str] = field(default_factory=frozenset)

    def step(self, name: str) -> Step:
        """The step of that name; KeyError if the procedure has none."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)

    def available(self, case: Any, user: User | None) -> list[Step]:
        """The steps this person may take now; pages and interface offer exactly these."""
        return [step for step in self.steps if case.state in step.source and step.by(case, user)]

    def take(self, name: str, case: Case, *, user: User | None, reason: str = "", **data: Any) -> Case:
        """Take one step, or refuse it with a reason the person can act on.

        Raises Conflict (somebody was first), NotPermitted, Invalid (everything missing at once).
        """
        step = self.step(name)
        with transaction.atomic():
            manager: models.Manager[Case] = type(case)._default_manager
            locked: Any = manager.select_for_update(of=("self",), no_key=True).get(pk=case.pk)
            self._permit(step, locked, user, reason, data)
            before, locked.state = locked.state, step.target
            for effect in step.effects:
                effect(locked, user, data)
            locked.save()
            self._log(step, locked, before, user, reason)
        taken: Case = locked
        return taken

    def permit(self, name: str, case: Case, *, user: User | None, **data: Any) -> None:
        """Refuse what `take` would refuse now, for work that has to be done before the step. Raises as `take` does."""
        self._permit(self.step(name), case, user, "", data)

    def _permit(self, step: Step, case: Any, user: User | None, reason: str, data: Data) -> None:
        if case.state not in step.source:
            raise Conflict("step_not_possible", _("This step is no longer possible; please look at the case again."))
        if not step.by(case, user):
            raise NotPermitted
        problems = [problem for need in step.needs if (problem := need(case, data))]
        if step.reason_required and not reason.strip():
            problems.append(FieldProblem("reason", "required", _("Please give the reason.")))
        if problems:
            raise Invalid(problems)

    def _log(self, step: Step, case: Any, before: str, user: User | None, reason: str) -> None:
        StepEvent.objects.create(
            workflow=self.name,
            case_ref=case.pk,
            step=step.name,
            from_state=before,
            to_state=case.state,
            actor=user,
            door=audit.current().get("door", ""),
            reason=reason,
        )

    def as_mermaid(self) -> str:
        """The picture for the documentation, drawn from the table that runs."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial}"]
        for step in self.steps:
            lines += [f"    {source} --> {step.target}: {step.name}" for source in sorted(step.source)]
        return "\n".join(lines + [f"    {state} --> [*]" for state in sorted(self.final)])


_registry: dict[str, Workflow[Any]] = {}


def register(workflows: Iterable[Workflow[Any]]) -> None:
    """Make procedures known to the drawing command and the tests; called from `apps.ready()`."""
    _registry.update({workflow.name: workflow for workflow in workflows})


def registered() -> dict[str, Workflow[Any]]:
    """Every procedure of the platform by name."""
    return dict(sorted(_registry.items()))
