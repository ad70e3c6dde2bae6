"""Which route something would take, and why, without opening a case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from ..errors import InvalidInputError
from ..gateways import read_failure
from ..rules import clocks
from ..rules.classify import classify
from ..rules.failures import category_of, priority_of
from ..rules.policy import Policy
from ..rules.policy_values import format_duration, parse_amount
from ..rules.routing import Check, Decision, Facts, Reason, decide
from ..types import Category, Money, Origin, PaymentFailure

EXAMPLE: Final = (
    '{"signal": "payment_failed", "provider": "stripe", "decline_code": "insufficient_funds", '
    '"checkout": {"value": "120.00 USD", "step": "payment"}}'
)
_CATEGORIES: Final[Mapping[str, Category]] = {
    "checkout_error": Category.PAYMENT_ERROR,
    "stock_short": Category.STOCK,
    "hesitation": Category.HESITATION,
}


def facts_of(told: Any) -> tuple[Facts, PaymentFailure | None]:
    """Read what would be routed.

    Args:
        told: a signal (``{"signal": "payment_failed", "decline_code": …, "checkout": {…}}``), a
            customer's message (``{"text": …}``) or a category (``{"category": …}``); each with
            ``checkout`` (``value`` as ``"5200.00 USD"``, ``step``, ``country``, ``customer``).

    Raises:
        InvalidInputError: it is none of these, opens no case, or has a value that can't be read.
    """
    if not isinstance(told, Mapping):
        raise InvalidInputError("expected a JSON object")
    failure = _failure(told)
    checkout = _table(told, "checkout")
    customer = _table(checkout, "customer")
    text = _text(told, "text")
    language = _text(told, "language") or _text(customer, "language")
    orders = customer.get("orders")
    facts = Facts(
        category=_category(told, failure, text, language),
        origin=_word(Origin, told.get("origin", _origin(text))),
        failure_class=failure.failure_class if failure else None,
        decline_code=failure.raw_code if failure else None,
        provider=_text(told, "provider"),
        total=_total(checkout),
        country=_text(checkout, "country") or _text(customer, "country"),
        step=_text(checkout, "step"),
        tags=tuple(str(tag) for tag in customer.get("tags") or ()),
        orders=orders if isinstance(orders, int) else None,
        language=language,
        text=text,
    )
    return facts, failure


def explain(policy: Policy, told: Any, now: datetime) -> Iterator[str]:
    """Yield lines that people read: each route tried, each condition, and what follows.

    Raises:
        InvalidInputError: see :func:`facts_of`.
    """
    facts, failure = facts_of(told)
    decision = decide(policy, facts)
    yield f"category {facts.category}" + (
        f", failure class {facts.failure_class}" if facts.failure_class else ""
    )
    for reason in decision.reasons:
        yield from _tried(reason)
    yield from _follows(decision, failure, now)


def _tried(reason: Reason) -> Iterator[str]:
    yield f"{'matches' if reason.matched else 'not'}: {reason.route}"
    for check in reason.checks:
        yield f"    {_checked(check)}"


def _checked(check: Check) -> str:
    found = check.finding
    by = f" ({found.by})" if found.by else ""
    actual = "nothing" if found.actual in (None, []) else found.actual
    held = f"failed with {found.error}" if found.error else "held" if found.held else "didn't hold"
    return f"{check.part} {check.condition} = {check.expected}: {held}, it is {actual}{by}"


def _follows(decision: Decision, failure: PaymentFailure | None, now: datetime) -> Iterator[str]:
    priority = decision.priority
    if failure is not None:
        priority = priority_of(failure.failure_class, failure.outcome, priority)
    protocol = f", protocol {decision.protocol}" if decision.protocol else ""
    yield f"team {decision.team}, priority {priority}{protocol}"
    if decision.sla is None:
        yield "no service level: nothing is due"
        return
    dues = clocks.first_dues(decision.sla, now)
    named = (("first response", dues.first_response), ("resolution", dues.resolution))
    written = [f"{name} within {format_duration(due - now)}" for name, due in named if due]
    yield f"service level {decision.sla.key}: {', '.join(written)}"


# --- reading -------------------------------------------------------------------------------------


def _failure(told: Mapping[str, Any]) -> PaymentFailure | None:
    if told.get("signal") != "payment_failed":
        return None
    failure = read_failure(told, None)
    if category_of(failure.failure_class) is None:
        raise InvalidInputError(f"a payment that is {failure.failure_class} opens no case")
    return failure


def _category(
    told: Mapping[str, Any],
    failure: PaymentFailure | None,
    text: str | None,
    language: str | None,
) -> Category:
    if failure is not None:
        return category_of(failure.failure_class) or Category.OTHER
    if "category" in told:
        category: Category = _word(Category, told["category"])
        return category
    if told.get("signal") in _CATEGORIES:
        return _CATEGORIES[str(told["signal"])]
    if text is not None:
        return classify(text, language).category
    raise InvalidInputError(
        "expected `signal` (payment_failed, checkout_error, stock_short), `text` or `category`; "
        f"for example {EXAMPLE}"
    )


def _origin(text: str | None) -> Origin:
    return Origin.SIGNAL if text is None else Origin.WIDGET


def _total(checkout: Mapping[str, Any]) -> Money | None:
    value = checkout.get("value")
    if value is not None:
        try:
            return parse_amount(value)
        except ValueError as error:
            raise InvalidInputError(f"checkout.value: {error}", field="value") from error
    minor, currency = checkout.get("value_minor"), checkout.get("currency")
    return Money.minor(minor, currency) if minor is not None and currency is not None else None


def _table(told: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = told.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"{key}: expected an object", field=key)
    return value


def _text(told: Mapping[str, Any], key: str) -> str | None:
    value = told.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidInputError(f"{key}: expected a text", field=key)
    return value or None


def _word(kind: type[Origin | Category], value: Any) -> Any:
    try:
        return kind(value)
    except ValueError as error:
        words = ", ".join(str(word) for word in kind)
        raise InvalidInputError(f"{value!r}: expected one of {words}") from error
