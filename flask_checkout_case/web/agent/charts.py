"""Where the bars and lines of a chart lie. Templates draw them as SVG, with no style of their own.

Every chart has a table beside it with the same figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 480
LONG: Final = 1080
LABEL: Final = 118
ROW: Final = 46
HEIGHT: Final = 170
BOTTOM: Final = 22
LEFT: Final = 28


@dataclass(frozen=True, slots=True)
class Bar:
    """Two bars of one name, one below the other; ``y`` is the top of both."""

    name: str
    y: int
    before: int
    after: int
    before_width: float
    after_width: float


@dataclass(frozen=True, slots=True)
class Bars:
    width: int
    height: int
    start: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Steps:
    """Two lines over the hours of a week.

    Args:
        before, after: what SVG's ``points`` says.
        ticks: places and values on the upright axis.
        days: where each day starts.
    """

    width: int
    height: int
    floor: int
    before: str
    after: str
    ticks: tuple[tuple[float, int], ...]
    days: tuple[float, ...]


def bars(rows: Sequence[tuple[str, int, int]]) -> Bars:
    """Lay out two bars for each ``(name, before, after)``."""
    most = max((max(old, new) for _, old, new in rows), default=0) or 1
    room = WIDTH - LABEL - 48
    placed = tuple(
        Bar(name, place * ROW, old, new, _part(old, most, room), _part(new, most, room))
        for place, (name, old, new) in enumerate(rows)
    )
    return Bars(WIDTH, max(1, len(rows)) * ROW, LABEL, placed)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a column; ``kind`` says which, by its place in what was given."""

    kind: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """One day's parts, from the floor up."""

    x: float
    name: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """Stacked columns, one a day.

    Args:
        ticks: places and values on the upright axis.
    """

    width: int
    height: int
    floor: int
    bar: float
    ticks: tuple[tuple[float, int], ...]
    columns: tuple[Column, ...]


def columns(rows: Sequence[tuple[str, Sequence[int]]]) -> Columns:
    """Lay out a column of stacked parts for each ``(name, values)``."""
    most = max((sum(values) for _, values in rows), default=0) or 1
    floor = HEIGHT - BOTTOM
    step = (LONG - LEFT) / max(1, len(rows))
    placed = []
    for place, (name, values) in enumerate(rows):
        parts, below = [], 0
        for kind, value in enumerate(values):
            if value:
                top = _height(below + value, most, floor)
                parts.append(Part(kind, top, round(_height(below, most, floor) - top, 1)))
            below += value
        placed.append(Column(round(LEFT + (place + 0.15) * step, 1), name, tuple(parts)))
    marks = sorted({0, most, most // 2})
    ticks = tuple((_height(mark, most, floor), mark) for mark in marks)
    bar = round(min(step * 0.7, 80), 1)
    return Columns(LONG, HEIGHT, floor, bar, ticks, tuple(placed))


def steps(before: Sequence[int], after: Sequence[int]) -> Steps:
    """Lay out two stepped lines of as many values each."""
    most = max([*before, *after, 1])
    floor = HEIGHT - BOTTOM
    wide = (LONG - LEFT) / max(1, len(before))
    marks = sorted({0, most, most // 2})
    return Steps(
        LONG,
        HEIGHT,
        floor,
        _points(before, most, wide, floor),
        _points(after, most, wide, floor),
        tuple((_height(mark, most, floor), mark) for mark in marks),
        tuple(round(LEFT + day * 24 * wide, 1) for day in range(7)),
    )


def _points(values: Sequence[int], most: int, wide: float, floor: int) -> str:
    found: list[str] = []
    for place, value in enumerate(values):
        y = _height(value, most, floor)
        edges = (LEFT + place * wide, LEFT + (place + 1) * wide)
        found += [f"{x:.1f},{y:.1f}" for x in edges]
    return " ".join(found)


def _height(value: int, most: int, floor: int) -> float:
    return round(floor - (floor - 8) * value / most, 1)


def _part(value: int, most: int, room: int) -> float:
    return round(room * value / most, 1)
