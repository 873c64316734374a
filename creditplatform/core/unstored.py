"""Answers that nothing on their way may keep: pages and files about persons, refusals that end."""

from typing import TypeVar

from django.http.response import HttpResponseBase

Answer = TypeVar("Answer", bound=HttpResponseBase)


def unstored(answer: Answer) -> Answer:
    """The answer, marked so that no browser and no cache stores it."""
    answer["Cache-Control"] = "no-store"
    return answer
