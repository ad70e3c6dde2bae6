"""The rules of ``rules.toml``: what speaks for a category, and how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from ...types import Category
from .vocabulary import concepts, load_toml

Places = Mapping[str, Sequence[tuple[int, str]]]
"""Each concept's places in one sentence with the entry that was met there."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of ``rules.toml``.

    Args:
        needs: one of each set must be there.
        unless: none of these may be there.
        within: how far from the first of them the others may stand, in words.
    """

    category: Category
    weight: float
    needs: tuple[tuple[str, ...], ...]
    unless: frozenset[str]
    within: int | None

    def met(self, places: Places) -> tuple[str, ...] | None:
        """Return the entries that meet this rule in a sentence, or ``None``."""
        for needed in self.needs:
            if not any(concept in places for concept in needed):
                return None
        if not self.unless.isdisjoint(places):
            return None
        first, *others = (
            [place for concept in needed for place in places.get(concept, ())]
            for needed in self.needs
        )
        if self.within is None:
            return (first[0][1], *(other[0][1] for other in others))
        for at, entry in first:
            near = [_nearest(at, other) for other in others]
            if all(abs(at - place[0]) <= self.within for place in near):
                return (entry, *(place[1] for place in near))
        return None


def _nearest(at: int, places: Sequence[tuple[int, str]]) -> tuple[int, str]:
    return min(places, key=lambda place: abs(place[0] - at))


def parse(category: Category, line: str) -> Rule:
    """Read one line.

    Raises:
        ValueError: a concept that ``lexicon.toml`` does not have, or a line without any.
    """
    weight, *parts = line.split()
    needs: list[tuple[str, ...]] = []
    unless: set[str] = set()
    within: int | None = None
    for part in parts:
        if part.startswith("@"):
            within = int(part[1:])
        elif part.startswith("-"):
            unless.add(part[1:])
        else:
            needs.append(tuple(part.split("|")))
    named = unless.union(*needs)
    if not needs or not named <= concepts():
        raise ValueError(f"{category}: {line!r} names {sorted(named - concepts())}")
    return Rule(category, float(weight), tuple(needs), frozenset(unless), within)


@cache
def rules() -> tuple[Rule, ...]:
    """Return all rules, read at the first message."""
    return tuple(
        parse(Category(category), line)
        for category, lines in load_toml("rules.toml").items()
        for line in lines
    )
