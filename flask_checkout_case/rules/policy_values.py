"""The small values of a policy: durations, amounts, exchange rates."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Final

from ..errors import InvalidInputError
from ..i18n import N_
from ..types import Money
from .saying import Said, said_by, say

DURATION: Final = say(N_("a duration such as '15m', '4h', '2d' or '90s'"))
AMOUNT: Final = say(N_("an amount such as '5000 USD'"))
PERCENT: Final = say(N_("a share of the time from '1%' to '100%'; what comes later is `after`"))
LONGEST: Final = timedelta(days=3650)
RATE: Final = say(N_("a rate above 0, such as 1.08 or '1.08'"))
RATES: Final = (Decimal("1e-9"), Decimal("1e9"))
"""The least and the greatest rate: what an amount is worth can be written, and compared."""

_DURATION: Final = re.compile(r"([1-9][0-9]{0,8})([smhd])", re.ASCII)
_PERCENT: Final = re.compile(r"([1-9][0-9]?|100)%", re.ASCII)
_AMOUNT: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,4})?) ([A-Z]{3})", re.ASCII)
_SECONDS: Final[Mapping[str, int]] = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def nearest(word: object, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest of the known names, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1) if isinstance(word, str) else []
    return say(N_("; did you mean %(name)s?"), name=repr(near[0])) if near else ""


def expected(what: str) -> Said:
    """Say that something was expected, and isn't there."""
    return say(N_("expected %(what)s"), what=what)


def unknown_key(key: str, known: Iterable[str]) -> Said:
    """Say that a table has no such key, and which it has."""
    words = list(known)
    message = N_("is no key here: expected one of %(words)s")
    return say(message, words=", ".join(words)) + nearest(key, words)


def expected_one_of(words: Iterable[str], given: object = None) -> Said:
    """Say which words were expected, and which of them is near to what is there."""
    known = list(words)
    return say(N_("expected one of %(words)s"), words=", ".join(known)) + nearest(given, known)


NO_DELAY: Final = "0s"


def parse_duration(text: object) -> timedelta:
    """Read ``15m``, ``4h``, ``2d`` or ``90s``; a day is 24 hours.

    Raises:
        ValueError: for anything else, zero, or more than ten years.
    """
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(expected(DURATION))
    seconds = int(found[1]) * _SECONDS[found[2]]
    if seconds > LONGEST.total_seconds():
        raise ValueError(say(N_("expected a duration of at most ten years")))
    return timedelta(seconds=seconds)


def parse_delay(text: object) -> timedelta:
    """Read a duration, or ``0s`` for at once.

    Raises:
        ValueError: see :func:`parse_duration`.
    """
    if text == NO_DELAY:
        return timedelta(0)
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ValueError(
            said_by(error) + say(N_(", or %(other)s"), other=repr(NO_DELAY))
        ) from error


def format_duration(length: timedelta) -> str:
    """Write a whole number of seconds as :func:`parse_duration` reads it, in the largest unit."""
    seconds = int(length.total_seconds())
    unit = next(unit for unit in "dhms" if seconds % _SECONDS[unit] == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"


def parse_percent(text: object) -> int:
    """Read ``75%``.

    Raises:
        ValueError: for anything else, or a number outside 1 to 100.
    """
    found = _PERCENT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(expected(PERCENT))
    return int(found[1])


def parse_amount(text: object) -> Money:
    """Read ``5000 USD``: major units, a space, an ISO 4217 code.

    Raises:
        ValueError: for anything else, or more digits than the currency has.
    """
    found = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(expected(AMOUNT))
    try:
        return Money(found[1], found[2])
    except InvalidInputError as error:
        raise ValueError(expected(AMOUNT) + f": {error}") from error


def parse_rate(value: object) -> Decimal:
    """Read an exchange rate: a number, or one in quotes.

    Raises:
        ValueError: for anything else, and outside of :data:`RATES`.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise ValueError(expected(RATE))  # noqa: TRY004 - read functions raise one kind
    try:
        rate = Decimal(value)
    except ArithmeticError as error:
        raise ValueError(expected(RATE)) from error
    if not rate.is_finite() or rate <= 0:
        raise ValueError(expected(RATE))
    least, greatest = RATES
    if not least <= rate <= greatest:
        raise ValueError(
            say(
                N_("expected a rate from %(least)s to %(greatest)s"),
                least=f"{least:f}",
                greatest=f"{greatest:f}",
            )
        )
    return rate


@dataclass(frozen=True, slots=True)
class Rates:
    """What one major unit of a currency is worth in the base currency."""

    currency: str
    rates: Mapping[str, Decimal] = field(default_factory=dict)

    def in_base(self, money: Money | None) -> Decimal | None:
        """Return the amount in major units of the base currency; ``None`` without a rate."""
        if money is None:
            return None
        if money.currency == self.currency:
            return money.amount
        rate = self.rates.get(money.currency)
        return None if rate is None else money.amount * rate

    def required(self, money: Money) -> Decimal:
        """Return what :meth:`in_base` does.

        Raises:
            ValueError: the amount's currency has no rate.
        """
        amount = self.in_base(money)
        if amount is None:
            known = list(dict.fromkeys([self.currency, *self.rates]))
            raise ValueError(
                say(
                    N_("expected an amount in the policy's currency or one of [rates]: %(words)s"),
                    words=", ".join(known),
                )
                + nearest(money.currency, known)
            )
        return amount
