"""What the page about a report says first: of the file where one was given, otherwise of the number."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from records.reports.checking import Verdict
from records.verify.selectors import Answer, Standing

SIGNS = {"good": "✓", "warn": "▲", "bad": "✕"}


@dataclass(frozen=True)
class Heading:
    """A title, and the word beside it with its sign; `tone` is good, warn or bad."""

    title: Any
    tag: Any
    tone: str

    @property
    def sign(self) -> str:
        """So that nobody has to tell colours apart."""
        return SIGNS[self.tone]


NOT_COMPARED = Heading(_("The file was not compared"), _("nothing compared"), "warn")
OF_FILES = {
    Verdict.ANOTHER: Heading(_("This is the file of another report"), _("another report"), "warn"),
    Verdict.CHANGED: Heading(_("This file is not the one that was issued"), _("not our file"), "bad"),
}


def of_number(said: Answer) -> Heading:
    """What is said of the number alone."""
    if said.standing == Standing.WITHDRAWN:
        return Heading(_("Issued here, and withdrawn since"), _("withdrawn"), "bad")
    if said.holds:
        return Heading(_("This report was issued here"), _("genuine"), "good")
    if said.changed is None:
        return Heading(_("Issued here, but no longer in force"), _("genuine, outdated"), "warn")
    return Heading(_("Issued here, but no longer up to date"), _("genuine, outdated"), "warn")


def of_file(said: Answer, verdict: Verdict) -> Heading:
    """What is said of a file that was given; the very file of a report that no longer holds gets no good word."""
    if verdict != Verdict.SAME:
        return OF_FILES[verdict]
    if said.standing == Standing.WITHDRAWN:
        return Heading(_("The file is unchanged, but the report was withdrawn"), _("withdrawn"), "bad")
    if said.holds:
        return Heading(_("This is the file that was issued here"), _("the same file"), "good")
    if said.changed is None:
        return Heading(_("The file is unchanged, but no longer in force"), _("genuine, outdated"), "warn")
    return Heading(_("The file is unchanged, but no longer up to date"), _("genuine, outdated"), "warn")


def state_of(said: Answer) -> Heading:
    """The state of the number in a word, for below the verdict on a file."""
    number = of_number(said)
    if said.holds:
        return Heading(number.title, _("in force"), number.tone)
    if said.standing == Standing.WITHDRAWN:
        return number
    words = _("no longer in force") if said.changed is None else _("no longer up to date")
    return Heading(number.title, words, number.tone)
