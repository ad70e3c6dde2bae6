"""Which route something would take, and why, without opening a case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ..errors import InvalidInputError
from ..gateways import read_failure
from ..rules import clocks
from ..rules.calendars import Calendar, add_open
from ..rules.classify import classify
from ..rules.conditions import is_own
from ..rules.failures import category_of, priority_of
from ..rules.policy import Policy, Sla, Step
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


def facts_of(told: Any, now: datetime) -> tuple[Facts, PaymentFailure | None]:
    """Read what would be routed.

    Args:
        told: a signal (``{"signal": "payment_failed", "decline_code": …, "checkout": {…}}``), a
            customer's message (``{"text": …}``) or a category (``{"category": …}``); each with
            ``checkout`` (``value`` as ``"5200.00 USD"``, ``step``, ``country``, ``customer``), and
            where they matter ``at`` (``"2026-11-23T09:30:00-05:00"``), ``attempts`` and
            ``available``.
        now: when it happened, unless it tells.

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
        orders=_number(customer, "orders"),
        attempts=_number(told, "attempts") or (1 if failure else None),
        language=language,
        text=text,
        stock=_number(told, "available"),
        at=_instant(told, now),
    )
    return facts, failure


def explain(policy: Policy, told: Any, now: datetime) -> Iterator[str]:
    """Yield lines that people read: each route tried, each condition, and what follows.

    Raises:
        InvalidInputError: see :func:`facts_of`.
    """
    facts, failure = facts_of(told, now)
    decision = decide(policy, facts)
    yield f"category {facts.category}" + (
        f", failure class {facts.failure_class}" if facts.failure_class else ""
    )
    for reason in decision.reasons:
        yield from _tried(reason)
    yield from _follows(policy, decision, failure, facts.at or now)


def _tried(reason: Reason) -> Iterator[str]:
    yield f"{'matches' if reason.matched else 'not'}: {reason.route}"
    for check in reason.checks:
        yield f"    {_checked(check)}"


def _checked(check: Check) -> str:
    found = check.finding
    by = f" ({found.by})" if found.by else ""
    held = f"failed with {found.error}" if found.error else "held" if found.held else "didn't hold"
    asked = f"{check.part} {check.condition} = {check.expected}: {held}"
    if is_own(check.condition):
        return asked
    actual = "nothing" if found.actual in (None, []) else found.actual
    return f"{asked}, it is {actual}{by}"


def _follows(
    policy: Policy, decision: Decision, failure: PaymentFailure | None, at: datetime
) -> Iterator[str]:
    priority = decision.priority
    if failure is not None:
        priority = priority_of(failure.failure_class, failure.outcome, priority)
    protocol = f", protocol {decision.protocol}" if decision.protocol else ""
    yield f"team {decision.team}, priority {priority}{protocol}"
    sla = decision.sla
    calendar = policy.calendars.get(sla.calendar) if sla is not None else None
    if sla is None:
        yield "no service level: nothing is due"
    else:
        yield from _promised(sla, calendar, at)
    yield from _tasks(policy, decision.protocol, calendar, at)


def _promised(sla: Sla, calendar: Calendar | None, at: datetime) -> Iterator[str]:
    dues = clocks.first_dues(sla, at, calendar)
    named = (
        ("first response", sla.first_response, dues.first_response),
        ("resolution", sla.resolution, dues.resolution),
    )
    written = [
        f"{name} within {format_duration(length)}{_by(due, calendar)}"
        for name, length, due in named
        if length is not None
    ]
    hours = f", calendar {sla.calendar}" if calendar is not None else ""
    yield f"service level {sla.key}{hours}: {', '.join(written) or 'nothing is due yet'}"
    moments = clocks.thresholds(clocks.Promise(sla, calendar), clocks.Course(opened_at=at))
    reached = {id(step): one.at for one in moments for step in one.steps}
    for step in sla.escalate:
        moment = reached.get(id(step))
        when = _by(moment, calendar) if moment is not None else ""
        yield f"    {_moment(step)}{when}: {_actions(step)}"


def _by(due: datetime | None, calendar: Calendar | None) -> str:
    """Say when, where hours make it hard to see from the length alone."""
    if calendar is None:
        return ""
    if due is None:
        return " (its hours never come)"
    return f" ({due.astimezone(calendar.timezone):%Y-%m-%d %H:%M} {calendar.timezone.key})"


def _moment(step: Step) -> str:
    clock = step.clock.replace("_", " ")
    if step.after is not None:
        return f"{format_duration(step.after)} after the {clock} was due"
    return f"{step.percent}% of the {clock}"


def _actions(step: Step) -> str:
    told = (
        ("notify", ", ".join(step.notify)),
        ("priority", step.priority),
        ("team", step.team),
        ("protocol", step.protocol),
    )
    return ", ".join(f"{name} {value}" for name, value in told if value)


def _tasks(
    policy: Policy, key: str | None, calendar: Calendar | None, at: datetime
) -> Iterator[str]:
    protocol = policy.protocols.get(key or "")
    if protocol is None:
        return
    yield f"protocol {protocol.key}: {protocol.name}"
    for number, task in enumerate(protocol.tasks, 1):
        told = [task.owner]
        if task.within is not None:
            due = add_open(calendar, at, task.within)
            told.append(f"within {format_duration(task.within)}{_by(due, calendar)}")
        told += [] if task.required else ["may be left out"]
        yield f"    {number}. {task.title}: {', '.join(told)}"


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


def _number(told: Mapping[str, Any], key: str) -> int | None:
    value = told.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInputError(f"{key}: expected a whole number", field=key)
    return value


def _instant(told: Mapping[str, Any], now: datetime) -> datetime:
    value = told.get("at")
    if value is None:
        return now
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        at = None
    if at is None or at.tzinfo is None:
        raise InvalidInputError(
            "at: expected an instant with its offset such as '2026-11-23T09:30:00-05:00'",
            field="at",
        )
    return at.astimezone(UTC)


def _word(kind: type[Origin | Category], value: Any) -> Any:
    try:
        return kind(value)
    except ValueError as error:
        words = ", ".join(str(word) for word in kind)
        raise InvalidInputError(f"{value!r}: expected one of {words}") from error
