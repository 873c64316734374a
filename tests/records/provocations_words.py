"""Acts that offend the constraints of words for the public, complaints about looks, and decisions on answers."""

from django.utils import timezone

from tests.records.provocations import provokes
from tests.records.query_rows import a_human_review, a_representation, a_review, public_words
from tests.records.world import World


@provokes("public_words_one_open")
def _(w: World) -> None:
    for _turn in range(2):
        public_words(w)


@provokes("public_words_forget")
def _(w: World) -> None:
    public_words(w, state="withdrawn")


@provokes("public_words_decided_by_official")
def _(w: World) -> None:
    public_words(w, state="shown")


@provokes("public_words_refused_with_reason")
def _(w: World) -> None:
    public_words(w, state="refused", text=None, decided_by=w.cast.centre, decided_at=timezone.now())


@provokes("human_review_of_one_answer")
def _(w: World) -> None:
    a_human_review(w, row_number=1)


@provokes("access_complaint_once")
def _(w: World) -> None:
    for _turn in range(2):
        a_review(w, cause="complaint", complainant=w.cast.person)


@provokes("access_review_complained_of")
def _(w: World) -> None:
    a_review(w, representation=a_representation(w))


@provokes("access_review_not_by_complainant")
def _(w: World) -> None:
    a_review(w, cause="complaint", complainant=w.cast.auditor, reviewed_by=w.cast.auditor)
