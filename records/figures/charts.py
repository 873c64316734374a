"""Charts drawn on the server: numbers in, places out; the template writes the SVG.

A library such as pygal puts styles and scripts into its pictures, which the content security policy stops. Colours
come from classes of the theme, every bar bears its number, and a table with the same figures stands behind each chart.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

BAR_HEIGHT, BAR_GAP, GROUP_GAP, LABEL_HEIGHT = 16, 3, 16, 22
NUMBER_WIDTH, WIDTH = 70, 420
SPARK_WIDTH, SPARK_HEIGHT, SPARK_EDGE = 96, 28, 3
WHOLE = 100


@dataclass(frozen=True)
class Bar:
    """One bar: where it lies, how long it is, its number and the series it belongs to, counted from 1."""

    y: int
    width: int
    text_x: int
    text_y: int
    number: int
    series: int


@dataclass(frozen=True)
class Group:
    """The bars of one thing under its label."""

    label: str
    y: int
    bars: list[Bar]


@dataclass(frozen=True)
class BarChart:
    """Horizontal bars in groups, with the names of their series."""

    groups: list[Group]
    series: list[tuple[int, str]]
    height: int
    width: int = WIDTH
    bar_height: int = BAR_HEIGHT


@dataclass(frozen=True)
class Spark:
    """A small line of points; months without a value leave a gap."""

    lines: list[str]
    last_x: float
    last_y: float
    width: int = SPARK_WIDTH
    height: int = SPARK_HEIGHT


def bar_chart(groups: Sequence[tuple[str, Sequence[int]]], series: Sequence[str]) -> BarChart | None:
    """Bars for groups of numbers, all on one scale; None where there is nothing but noughts."""
    most = max((number for _label, numbers in groups for number in numbers), default=0)
    if not most:
        return None
    room, y, drawn = WIDTH - NUMBER_WIDTH, 0, []
    for label, numbers in groups:
        bars, label_y = [], y + LABEL_HEIGHT - 8
        y += LABEL_HEIGHT
        for at, number in enumerate(numbers, 1):
            width = max(1, round(number * room / most)) if number else 0
            bars.append(Bar(y, width, width + 6, y + BAR_HEIGHT - 3, number, at))
            y += BAR_HEIGHT + BAR_GAP
        drawn.append(Group(label, label_y, bars))
        y += GROUP_GAP
    return BarChart(drawn, list(enumerate(series, 1)), y - GROUP_GAP)


def spark(values: Sequence[Decimal | None]) -> Spark | None:
    """A trend of values out of 100, oldest first; None where no two months in a row have one."""
    if not any(None not in pair for pair in itertools.pairwise(values)):
        return None
    step = (SPARK_WIDTH - 2 * SPARK_EDGE) / (len(values) - 1)
    room = SPARK_HEIGHT - 2 * SPARK_EDGE
    runs: list[list[tuple[float, float]]] = [[]]
    for at, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            y = SPARK_EDGE + room * (1 - float(value) / WHOLE)
            runs[-1].append((round(SPARK_EDGE + at * step, 1), round(y, 1)))
    points = [point for run in runs for point in run]
    lines = [" ".join(f"{x},{y}" for x, y in run) for run in runs if len(run) > 1]
    return Spark(lines, *points[-1])
