"""Kinds of conditions: how values are read from a policy, and how they are compared."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, Unpack

from ...i18n import N_
from ...types import currency_digits
from ..calendars import Calendar, is_open
from ..policy_calendars import WEEKDAYS
from ..policy_values import AMOUNT, Rates, expected_one_of, nearest, parse_amount
from ..saying import say
from .base import Around, Condition, Facts, Finding, Told
from .words import read_phrase, split

Side = Literal[1, -1]


def one_of(
    name: str, words: type[StrEnum], get: Callable[[Facts], str | None], **told: Unpack[Told]
) -> Condition:
    """A word out of a fixed list."""
    known = tuple(str(word) for word in words)

    def read(given: Any, _around: Around) -> str:
        if given not in known:
            raise ValueError(expected_one_of(known))
        return str(given)

    def ask(facts: Facts, expected: tuple[Any, ...], _rates: Rates) -> Finding:
        actual = get(facts)
        return Finding(held=actual in expected, actual=None if actual is None else str(actual))

    return Condition(name, say(N_("a word or a list of words")), read, ask, words=known, **told)


def folded(name: str, get: Callable[[Facts], str | None], **told: Unpack[Told]) -> Condition:
    """A text, whatever its case."""

    def ask(facts: Facts, expected: tuple[Any, ...], _rates: Rates) -> Finding:
        actual = get(facts)
        return Finding(actual is not None and actual.casefold() in expected, actual)

    return Condition(name, say(N_("a text or a list of texts")), _fold, ask, **told)


def tags(name: str, **told: Unpack[Told]) -> Condition:
    """Any of the customer's tags."""

    def ask(facts: Facts, expected: tuple[Any, ...], _rates: Rates) -> Finding:
        return Finding(any(tag.casefold() in expected for tag in facts.tags), list(facts.tags))

    return Condition(name, say(N_("a text or a list of texts")), _fold, ask, **told)


def language(name: str, **told: Unpack[Told]) -> Condition:
    """``de`` takes ``de-AT`` too; ``de-at`` takes nothing else."""

    def ask(facts: Facts, expected: tuple[Any, ...], _rates: Rates) -> Finding:
        actual = (facts.language or "").replace("_", "-").casefold()
        held = bool(actual) and any(
            actual == wanted or actual.startswith(f"{wanted}-") for wanted in expected
        )
        return Finding(held, facts.language)

    def read(given: Any, around: Around) -> str:
        return _fold(given, around).replace("_", "-")

    return Condition(name, say(N_("a language tag or a list of them")), read, ask, **told)


def words(name: str, **told: Unpack[Told]) -> Condition:
    """Words and beginnings of words in the customer's message."""

    def ask(facts: Facts, expected: tuple[Any, ...], _rates: Rates) -> Finding:
        message = split(facts.text or "")
        found = [said for phrase in expected if (said := phrase.find(message)) is not None]
        return Finding(bool(found), list(dict.fromkeys(found)))

    def read(given: Any, _around: Around) -> Any:
        return read_phrase(given)

    return Condition(
        name, say(N_("a word or a list of words such as 'refund*'")), read, ask, **told
    )


def total(name: str, side: Side, **told: Unpack[Told]) -> Condition:
    """A total strictly over (1) or under (-1) an amount of any currency that has a rate."""

    def read(given: Any, around: Around) -> Decimal:
        return around.rates.required(parse_amount(given))

    def ask(facts: Facts, expected: tuple[Any, ...], rates: Rates) -> Finding:
        actual = str(facts.total) if facts.total is not None else None
        in_base = rates.in_base(facts.total)
        if in_base is None:
            return Finding(held=False, actual=actual)
        distance = in_base - expected[0]
        return Finding(distance * side > 0, actual, _written(distance, rates.currency))

    return Condition(name, AMOUNT, read, ask, many=False, **told)


def count(
    name: str, side: Side, get: Callable[[Facts], int | None], **told: Unpack[Told]
) -> Condition:
    """A number strictly over (1) or under (-1) a limit."""

    def ask(facts: Facts, expected: tuple[Any, ...], _rates: Rates) -> Finding:
        actual = get(facts)
        if actual is None:
            return Finding(held=False)
        distance = actual - expected[0]
        return Finding(distance * side > 0, actual, f"{distance:+d}")

    return Condition(
        name, say(N_("a whole number of at least 0")), _number, ask, many=False, **told
    )


def hours(name: str, *, opened: bool, **told: Unpack[Told]) -> Condition:
    """Inside or outside the hours of a calendar."""

    def ask(facts: Facts, expected: tuple[Any, ...], _rates: Rates) -> Finding:
        at = facts.at
        if at is None:
            return Finding(held=False)
        held = any(is_open(calendar, at) is opened for calendar in expected)
        return Finding(held, ", ".join(dict.fromkeys(_local(at, one) for one in expected)))

    return Condition(
        name, say(N_("the name of a calendar or a list of them")), _calendar, ask, **told
    )


def _calendar(given: Any, around: Around) -> Calendar:
    known = around.calendars
    if not isinstance(given, str) or given not in known:
        message = say(
            N_("expected one of %(where)s: %(words)s"),
            where="[calendars]",
            words=", ".join(known) or say(N_("there are none")),
        )
        raise ValueError(message + nearest(given, known))
    return known[given]


def _local(at: datetime, calendar: Calendar) -> str:
    there = at.astimezone(calendar.timezone)
    return f"{WEEKDAYS[there.weekday()]} {there:%Y-%m-%d %H:%M} {calendar.timezone.key}"


def _text(given: Any) -> str:
    if not isinstance(given, str) or not given.strip():
        raise ValueError(say(N_("expected a text")))
    return given


def _fold(given: Any, _around: Around) -> str:
    return _text(given).casefold()


def _number(given: Any, _around: Around) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise ValueError(say(N_("expected a whole number of at least 0")))
    return given


def _written(amount: Decimal, currency: str) -> str:
    exact = Decimal(1).scaleb(-currency_digits(currency))
    return f"{amount.quantize(exact):+f} {currency}"
