"""What forms that name a person by name, document and number have in common."""

from typing import Any

from django import forms

from creditplatform.core.errors import Invalid
from records.identifiers import checked_person


class NamesPerson(forms.Form):
    """A form with the fields `name`, `kind` and `number`, which tells all that is wrong with them at once."""

    def clean(self) -> dict[str, Any]:
        """Look at the number even where the name or something else is wanting."""
        given: dict[str, Any] = self.cleaned_data
        if given.get("kind") and given.get("number"):
            try:
                checked_person(given.get("name", ""), given["kind"], given["number"])
            except Invalid as error:
                for problem in error.problems:
                    if problem.field not in self.errors:
                        self.add_error(problem.field, str(problem.message))
        return given
