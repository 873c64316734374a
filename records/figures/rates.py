"""Rates of units and entries by month, ranked by an explained sum. Everything comes from the table of figures."""

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Max, Sum
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from creditplatform.core.deadlines import add_months
from creditplatform.core.models import Agency, Site
from creditplatform.core.rules import RuleBook, load_rulebook
from records.feeds.problems import sentence
from records.figures.counting import COUNTS, Span
from records.figures.rules import RATES, last_day, rate, score
from records.models import CatalogueEntry, FeedBatch, MonthlyFigure
from records.models.feed import OPEN_STATES

SHOWN, MONTHS, PROBLEMS, BATCHES = 300, 6, 5, 100
RATE_LABELS: dict[str, str | Promise] = {
    "timeliness": _("Timeliness"),
    "compliance": _("Compliance"),
    "completeness": _("Completeness"),
}
SUMS = {name: Coalesce(Max(name) if name == "most_late" else Sum(name), 0) for name in COUNTS}


@dataclass(frozen=True)
class Counts:
    """The counts of a month, of one pair of unit and entry or summed up."""

    batches: int = 0
    refused: int = 0
    received: int = 0
    accepted: int = 0
    unchanged: int = 0
    quarantined: int = 0
    rejected: int = 0
    recorded: int = 0
    on_time: int = 0
    late: int = 0
    unjudged: int = 0
    days_late: int = 0
    most_late: int = 0
    optional: int = 0
    filled: int = 0

    @property
    def rates(self) -> dict[str, Decimal | None]:
        """The three rates in percent; None where there was nothing to measure."""
        return {
            "timeliness": rate(self.on_time, self.on_time + self.late),
            "compliance": rate(self.accepted + self.unchanged, self.received),
            "completeness": rate(self.filled, self.optional),
        }

    @property
    def errors(self) -> Decimal | None:
        """Share of the rows that were set aside or rejected, in percent."""
        return rate(self.quarantined + self.rejected, self.received)

    @property
    def repeats(self) -> Decimal | None:
        """Share of the rows that said again what was on file, in percent."""
        return rate(self.unchanged, self.received)

    @property
    def mean_late(self) -> Decimal | None:
        """Working days by which a late decision was late, on average."""
        return (Decimal(self.days_late) / self.late).quantize(Decimal("0.1")) if self.late else None


@dataclass(frozen=True)
class Rate:
    """One rate with what is asked of it; `asked` is None while no threshold is in force."""

    code: str
    value: Decimal | None
    asked: int | None = None

    @property
    def label(self) -> str | Promise:
        """Its name in the language of the page."""
        return RATE_LABELS[self.code]

    @property
    def below(self) -> bool:
        """Whether it misses its threshold."""
        return self.value is not None and self.asked is not None and self.value < self.asked


@dataclass(frozen=True)
class Measures:
    """Weights and thresholds of a day: from rule values, or none and equal weights."""

    weights: Mapping[str, int]
    thresholds: Mapping[str, int]
    decided: bool

    @property
    def asked(self) -> list[tuple[str | Promise, int]]:
        """Each rate that has a threshold in force, with it."""
        return [(RATE_LABELS[name], self.thresholds[name]) for name in RATES if name in self.thresholds]

    @property
    def explained(self) -> list[tuple[str | Promise, int]]:
        """Each rate with its weight, for the sentence under the board."""
        return [(RATE_LABELS[name], self.weights[name]) for name in RATES]


@dataclass
class Row:
    """A unit on the board: counts by month with the last month last, and its place."""

    agency: Agency
    by_month: dict[datetime.date, Counts]
    month: datetime.date
    measures: Measures
    place: int | None = None

    @property
    def counts(self) -> Counts:
        """The counts of the month of the board."""
        return self.by_month.get(self.month, Counts())

    @property
    def rates(self) -> list[Rate]:
        """The three rates of the month."""
        return [Rate(code, value, self.measures.thresholds.get(code)) for code, value in self.counts.rates.items()]

    @property
    def scores(self) -> list[Decimal | None]:
        """The scores of the months, oldest first."""
        return [score(self.by_month.get(month, Counts()).rates, self.measures.weights) for month in self.months]

    @property
    def months(self) -> list[datetime.date]:
        """The months of the trend, oldest first."""
        return months_until(self.month)

    @property
    def score(self) -> Decimal | None:
        """The score of the month; None for a unit of which nothing could be measured."""
        return self.scores[-1]

    @property
    def change(self) -> Decimal | None:
        """Points won or lost since the month before."""
        before, now = self.scores[-2:]
        return None if before is None or now is None else now - before

    @property
    def drop(self) -> Decimal:
        """Points lost since the month before, as a number without sign."""
        return -(self.change or Decimal(0))


@dataclass(frozen=True)
class EntryRow:
    """An entry on a unit's page, with its counts of the month."""

    entry: CatalogueEntry
    counts: Counts
    rates: list[Rate]


@dataclass(frozen=True)
class Problem:
    """A problem code with its count, what to do about it, and what mending it would win in points of compliance."""

    code: str
    count: int
    wins: Decimal | None

    @property
    def sentence(self) -> str:
        """How to mend it."""
        return sentence(self.code)


@dataclass(frozen=True)
class Shortfall:
    """A rate that misses its threshold, of the unit as a whole or in the entries named."""

    rate: Rate
    entries: list[tuple[CatalogueEntry, Rate]]


@dataclass(frozen=True)
class EntryPage:
    """An entry of a unit in a month: counts, problems and the batches themselves."""

    counts: Counts
    rates: list[Rate]
    problems: list[Problem]
    batches: list[FeedBatch] = field(default_factory=list)


def months_until(month: datetime.date) -> list[datetime.date]:
    """The months of a trend, oldest first."""
    return [add_months(month, -back) for back in reversed(range(MONTHS))]


def measures(month: datetime.date, site: str, rulebook: RuleBook | None = None) -> Measures:
    """Weights and thresholds as they held at the end of a month; one query."""
    book, day = rulebook or load_rulebook(), last_day(month)
    weights = _values(book, "figures.weight", day, site)
    asked = _values(book, "figures.threshold", day, site)
    decided = len(weights) == len(RATES)
    return Measures(weights if decided else dict.fromkeys(RATES, 1), asked, decided)


def _values(book: RuleBook, kind: str, day: datetime.date, site: str) -> dict[str, int]:
    """The value of each rate that has one in force on that day."""
    found = {name: book.versions(f"{kind}.{name}", since=day, until=day, site=site) for name in RATES}
    return {name: int(values[0].value) for name, values in found.items() if values}


def board(site: Site, month: datetime.date) -> list[Row]:
    """The units of a site that delivered in these months, best first, those without a score last; three queries.

    Equal scores share a place.
    """
    months = months_until(month)
    figures = MonthlyFigure.objects.filter(agency__site=site, month__in=months)
    by_agency: dict[int, dict[datetime.date, Counts]] = {}
    summed: Any = figures.order_by().values("agency", "month").annotate(**SUMS)
    for row in summed:
        counts = Counts(**{name: row[name] for name in COUNTS})
        by_agency.setdefault(row["agency"], {})[row["month"]] = counts
    rules = measures(month, site.code)
    agencies = Agency.objects.filter(pk__in=by_agency).select_related("site")
    rows = [Row(agency, by_agency[agency.pk], month, rules) for agency in agencies]
    return _placed(rows)


def _placed(rows: list[Row]) -> list[Row]:
    ranked = sorted(rows, key=lambda row: (row.score is None, -(row.score or 0), row.agency.code))
    for at, row in enumerate(ranked):
        if row.score is not None:
            same = at and ranked[at - 1].score == row.score
            row.place = ranked[at - 1].place if same else at + 1
    return ranked


def unit_entries(agency: Agency, month: datetime.date, rules: Measures) -> tuple[list[EntryRow], list[Problem]]:
    """The entries of a unit in a month, and what is wrong most often; one query."""
    figures = list(
        MonthlyFigure.objects.filter(agency=agency, month=month).select_related("entry").order_by("entry__code")
    )
    rows = [_entry_row(figure, rules) for figure in figures]
    return rows, _problems(figures, sum(figure.received for figure in figures))


def shortfalls(row: Row | None, entries: Iterable[EntryRow]) -> list[Shortfall]:
    """Rates of a unit below their thresholds, with the entries in which they are; nothing is asked of the database."""
    below: dict[str, list[tuple[CatalogueEntry, Rate]]] = {name: [] for name in RATES}
    for one in entries:
        for measured in one.rates:
            if measured.below:
                below[measured.code].append((one.entry, measured))
    found = [Shortfall(measured, below[measured.code]) for measured in row.rates] if row else []
    return [one for one in found if one.rate.below or one.entries]


def entry_page(agency: Agency, entry: CatalogueEntry, month: datetime.date, rules: Measures) -> EntryPage:
    """One entry of a unit in a month with its batches, newest first; two queries."""
    figures = list(MonthlyFigure.objects.filter(agency=agency, entry=entry, month=month).select_related("entry"))
    row = _entry_row(figures[0], rules) if figures else EntryRow(entry, Counts(), [])
    span = Span(month)
    of_month = FeedBatch.objects.filter(received_at__gte=span.start, received_at__lt=span.end)
    batches = of_month.filter(feed__agency=agency, feed__entry=entry)
    shown = batches.exclude(state__in=OPEN_STATES).select_related("feed").order_by("-received_at")[:BATCHES]
    return EntryPage(row.counts, row.rates, _problems(figures, row.counts.received), list(shown))


def _entry_row(figure: MonthlyFigure, rules: Measures) -> EntryRow:
    counts = Counts(**{name: getattr(figure, name) for name in COUNTS})
    return EntryRow(figure.entry, counts, [Rate(c, v, rules.thresholds.get(c)) for c, v in counts.rates.items()])


def _problems(figures: Iterable[MonthlyFigure], received: int) -> list[Problem]:
    found: Counter[str] = Counter()
    for figure in figures:
        found.update(figure.problems)
    return [Problem(code, count, rate(min(count, received), received)) for code, count in found.most_common(PROBLEMS)]


def timeliness_of(agencies: Any, month: datetime.date) -> list[MonthlyFigure]:
    """The figures of these units in a month, for machines; one query."""
    figures = MonthlyFigure.objects.filter(agency__in=agencies, month=month).select_related("agency", "entry")
    return list(figures.order_by("agency__code", "entry__code"))
