"""What a route may ask about a case. A new condition is one function and one line here.

The shop adds its own with ``@cases.condition("name")``, see :func:`register`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Literal, TypeAlias

from ..errors import ConfigurationError
from ..types import Category, FailureClass, Money, Origin, currency_digits
from .policy_values import AMOUNT, Rates, parse_amount

log = logging.getLogger(__name__)

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
CURRENCY_NEEDED: Final = "the same currency as the policy's, or one of [rates]"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a case when it is routed. Only category and origin are always there.

    Args:
        total: what the customer would pay.
        country: ISO 3166 code of the delivery address.
        tags: the shop's words for this customer (``vip``, ``wholesale``).
        orders: how many orders the customer has made.
        attempts: how often paying has failed on this checkout.
        language: the customer's language tag.
        text: the customer's own message.
        stock: pieces left of the scarcest line.
    """

    category: Category
    origin: Origin
    failure_class: FailureClass | None = None
    decline_code: str | None = None
    provider: str | None = None
    total: Money | None = None
    country: str | None = None
    step: str | None = None
    tags: tuple[str, ...] = ()
    orders: int | None = None
    attempts: int | None = None
    language: str | None = None
    text: str | None = None
    stock: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """How one condition came out.

    Args:
        actual: what the case has, as plain JSON.
        by: how far it is from the limit, signed, where there is a limit.
        error: the condition could not be asked; its route doesn't match.
    """

    held: bool
    actual: Any = None
    by: str | None = None
    error: str | None = None


Read: TypeAlias = Callable[[Any, Rates], Any]
Ask: TypeAlias = Callable[[Facts, tuple[Any, ...], Rates], Finding]


@dataclass(frozen=True, slots=True)
class Condition:
    """A question that a route may ask.

    Args:
        expected: what the policy has to give, for error messages.
        read: turns one given value into the one compared with; raises ``ValueError``.
        ask: compares; gets all given values, of which one is enough.
        many: whether the policy may give a list.
        words: the only valid values, when there is such a list.
    """

    name: str
    expected: str
    read: Read
    ask: Ask
    many: bool = True
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition as a route uses it; ``given`` is what the policy says, as plain JSON."""

    condition: Condition
    given: Any
    expected: tuple[Any, ...]

    def ask(self, facts: Facts, rates: Rates) -> Finding:
        """Compare; a condition that raises is logged and found not to hold."""
        try:
            return self.condition.ask(facts, self.expected, rates)
        except Exception as error:
            log.exception("the routing condition %s failed", self.condition.name)
            return Finding(held=False, error=type(error).__name__)


def register(name: str, function: Callable[[Facts, Any], bool]) -> None:
    """Make ``function(facts, given)`` a condition that policies use as ``name = …``.

    Args:
        name: small letters, digits and underscores.
        function: ``given`` is the policy's value, whatever TOML can hold. When it raises, the
            routes that ask it don't match.

    Raises:
        ConfigurationError: the name is no such word, or one of our own conditions'.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"{name!r} can't name a condition: expected a word like 'is_vip'")
    if name in _OURS:
        raise ConfigurationError(f"there is a condition {name!r} already")
    CONDITIONS[name] = Condition(
        name,
        "any value",
        lambda given, _rates: given,
        lambda facts, given, _rates: Finding(held=bool(function(facts, given[0]))),
        many=False,
    )


# --- kinds of conditions -------------------------------------------------------------------------


def _text(given: Any) -> str:
    if not isinstance(given, str) or not given.strip():
        raise ValueError("expected a text")
    return given


def _words(name: str, words: type[StrEnum], get: Callable[[Facts], str | None]) -> Condition:
    known = tuple(str(word) for word in words)

    def read(given: Any, _rates: Rates) -> str:
        if given not in known:
            raise ValueError(f"expected one of {', '.join(known)}")
        return str(given)

    return Condition(name, "a word or a list of words", read, _equal(get), words=known)


def _equal(get: Callable[[Facts], str | None]) -> Ask:
    def ask(facts: Facts, expected: tuple[Any, ...], _rates: Rates) -> Finding:
        actual = get(facts)
        return Finding(held=actual in expected, actual=None if actual is None else str(actual))

    return ask


def _folded(name: str, get: Callable[[Facts], str | None]) -> Condition:
    """Compare texts whatever their case."""

    def ask(facts: Facts, expected: tuple[Any, ...], _rates: Rates) -> Finding:
        actual = get(facts)
        return Finding(actual is not None and actual.casefold() in expected, actual)

    return Condition(name, "a text or a list of texts", _fold, ask)


def _fold(given: Any, _rates: Rates) -> str:
    return _text(given).casefold()


def _tags(facts: Facts, expected: tuple[Any, ...], _rates: Rates) -> Finding:
    return Finding(any(tag.casefold() in expected for tag in facts.tags), list(facts.tags))


def _language(facts: Facts, expected: tuple[Any, ...], _rates: Rates) -> Finding:
    """``de`` takes ``de-AT`` too; ``de-at`` takes nothing else."""
    actual = (facts.language or "").replace("_", "-").casefold()
    held = bool(actual) and any(
        actual == wanted or actual.startswith(f"{wanted}-") for wanted in expected
    )
    return Finding(held, facts.language)


def _language_tag(given: Any, _rates: Rates) -> str:
    return _text(given).replace("_", "-").casefold()


def _threshold(given: Any, rates: Rates) -> Decimal:
    limit = rates.in_base(parse_amount(given))
    if limit is None:
        raise ValueError(f"expected {CURRENCY_NEEDED}")
    return limit


def _total(side: Literal[1, -1]) -> Ask:
    """Strictly over (1) or under (-1) the limit."""

    def ask(facts: Facts, expected: tuple[Any, ...], rates: Rates) -> Finding:
        actual = str(facts.total) if facts.total is not None else None
        total = rates.in_base(facts.total)
        if total is None:
            return Finding(held=False, actual=actual)
        distance = total - expected[0]
        return Finding(distance * side > 0, actual, _written(distance, rates.currency))

    return ask


def _written(amount: Decimal, currency: str) -> str:
    exact = Decimal(1).scaleb(-currency_digits(currency))
    return f"{amount.quantize(exact):+f} {currency}"


_ALL: Final[Iterable[Condition]] = (
    _words("category", Category, lambda facts: facts.category),
    _words("failure_class", FailureClass, lambda facts: facts.failure_class),
    _words("origin", Origin, lambda facts: facts.origin),
    _folded("decline_code", lambda facts: facts.decline_code),
    _folded("provider", lambda facts: facts.provider),
    _folded("country", lambda facts: facts.country),
    _folded("step", lambda facts: facts.step),
    Condition("tags", "a text or a list of texts", _fold, _tags),
    Condition("language", "a language tag or a list of them", _language_tag, _language),
    Condition("total_over", AMOUNT, _threshold, _total(1), many=False),
    Condition("total_under", AMOUNT, _threshold, _total(-1), many=False),
)
_OURS: Final[Mapping[str, Condition]] = {condition.name: condition for condition in _ALL}
CONDITIONS: Final[dict[str, Condition]] = dict(_OURS)
"""Every condition by its name, the shop's own included."""
