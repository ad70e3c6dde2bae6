"""What a condition is, what it is asked about, and how it answers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias, TypedDict

from ...types import Category, FailureClass, Money, Origin
from ..calendars import Calendar
from ..policy_values import Rates

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a case when it is routed. Only category and origin are always there.

    Args:
        total: what the customer would pay.
        country: ISO 3166 code of the delivery address.
        tags: the shop's words for this customer (``vip``, ``wholesale``).
        orders: how many orders the customer has made.
        attempts: how often paying has failed on this checkout, this time included.
        language: the customer's language tag.
        text: the customer's own message.
        stock: pieces left of the line that is short.
        at: when it happened, UTC.
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
    at: datetime | None = None


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


@dataclass(frozen=True, slots=True)
class Around:
    """What else the policy says that a condition may refer to."""

    rates: Rates
    calendars: Mapping[str, Calendar] = field(default_factory=dict)


Read: TypeAlias = Callable[[Any, Around], Any]
Ask: TypeAlias = Callable[[Facts, tuple[Any, ...], Rates], Finding]


class Told(TypedDict):
    """What the documentation says of a condition, see :class:`Condition`."""

    about: str
    strictness: str
    example: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A question that a route may ask.

    Args:
        expected: what the policy has to give, for error messages.
        read: turns one given value into the one compared with; raises ``ValueError``, or
            marshmallow's ``ValidationError`` with a message for each key.
        ask: compares; gets all given values, of which one is enough.
        many: whether the policy may give a list.
        words: the only valid values, when there is such a list.
        about: when it holds, in a sentence of the documentation.
        strictness: what exactly counts, and what doesn't.
        example: how a policy asks it, as TOML: ``total_over = "5000 USD"``.
    """

    name: str
    expected: str
    read: Read
    ask: Ask
    many: bool = True
    words: tuple[str, ...] = ()
    about: str = ""
    strictness: str = ""
    example: str = ""


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
