"""The workspace's words for what is stored as a word of ours."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from babel.dates import format_date
from babel.numbers import format_percent

from ...data.callback_models import CallbackRow
from ...data.models import TaskRow
from ...gateways import title_of
from ...i18n import N_, current_locale, format_money, gettext, ngettext
from ...rules.callbacks import DUE_BEFORE
from ...rules.classify import SURE
from ...rules.failures import ACTIONS, FAILURES, customer_text, next_actions
from ...rules.policy_calendars import zone_of
from ...rules.protocols import soon_at
from ...services import card_testing
from ...services.due import Clock
from ...services.incidents import name_of
from ...types import FailureClass, IncidentInfo, Money, PaymentFailure
from ..local_times import day_of, from_to, zone_name
from . import times
from .times import age, countdown, instant, span

__all__ = ("age", "countdown", "instant", "ngettext", "span", "times", "title_of", "zone_name")

VIEWS: Final[Mapping[str, str]] = {
    "mine": N_("Mine"),
    "teams": N_("My teams"),
    "unassigned": N_("Unassigned"),
    "all": N_("All cases"),
    "concierge": N_("Concierge"),
}
STATUSES: Final[Mapping[str, str]] = {
    "new": N_("New"),
    "open": N_("Open"),
    "waiting": N_("Waiting for customer"),
    "solved": N_("Solved"),
    "closed": N_("Closed"),
}
PRESENCES: Final[Mapping[str, str]] = {
    "available": N_("Available"),
    "busy": N_("Busy"),
    "away": N_("Away"),
    "gone": N_("Gone"),
}
ASSIGNMENTS: Final[Mapping[str, str]] = {
    "manual": N_("Everybody takes for themselves"),
    "round_robin": N_("In turn"),
    "balanced": N_("To whoever has the fewest"),
}
PRIORITIES: Final[Mapping[str, str]] = {
    "urgent": N_("Urgent"),
    "high": N_("High"),
    "normal": N_("Normal"),
    "low": N_("Low"),
}
CATEGORIES: Final[Mapping[str, str]] = {
    "payment_declined": N_("Payment declined"),
    "payment_error": N_("Payment error"),
    "payment_conflict": N_("Payment conflict"),
    "authentication": N_("Authentication"),
    "fraud": N_("Fraud"),
    "hesitation": N_("Hesitation"),
    "coupon_pricing": N_("Coupon and price"),
    "shipping_delivery": N_("Shipping and delivery"),
    "address_change": N_("Change of address"),
    "order_change": N_("Change of order"),
    "cancel_refund": N_("Cancellation and refund"),
    "account_login": N_("Account and login"),
    "stock": N_("Stock"),
    "invoice": N_("Invoice"),
    "product_question": N_("Product question"),
    "other": N_("Other"),
}
OUTCOMES: Final[Mapping[str, str]] = {
    "assisted": N_("Saved with our help"),
    "saved_change": N_("Saved by a change"),
    "self_recovered": N_("Recovered without help"),
    "rescued": N_("Recovered by a link"),
    "refused": N_("Request refused"),
    "lost": N_("Sale lost"),
    "duplicate": N_("Duplicate"),
    "spam": N_("Spam"),
}
CHOSEN_OUTCOMES: Final = ("assisted", "saved_change", "refused", "lost", "duplicate", "spam")
CLOCKS: Final[Mapping[str, str]] = {
    "first_response": N_("First response"),
    "next_response": N_("Next response"),
    "resolution": N_("Resolution"),
    "checkout": N_("Checkout"),
}
OWNERS: Final[Mapping[str, str]] = {
    "assignee": N_("Assignee"),
    "supervisors": N_("Supervisors"),
}
RETRIES: Final[Mapping[str, str]] = {
    "once": N_("may be tried once more"),
    "later": N_("may work later"),
    "never": N_("never retry this card"),
    "after_edit": N_("retry after correcting the card data"),
    "after_challenge": N_("retry with authentication"),
    "same_key": N_("retry with the same key"),
    "reconcile": N_("reconcile before any retry"),
}
FIXERS: Final[Mapping[str, str]] = {
    "issuer": N_("the bank"),
    "customer": N_("the customer"),
    "risk": N_("the risk team"),
    "gateway": N_("the payment gateway"),
    "shop": N_("the shop"),
}
ATTEMPTS: Final[Mapping[str, str]] = {
    "started": N_("Under way"),
    "action": N_("Waits for the bank's confirmation"),
    "canceled": N_("Cancelled by the customer"),
    "succeeded": N_("Paid"),
}
ATTEMPT_TONES: Final[Mapping[str, str]] = {
    "failed": "bad",
    "unknown": "bad",
    "succeeded": "good",
}
STEPS: Final[Mapping[str, str]] = {
    "checkout_started": N_("Started the checkout"),
    "checkout_step_viewed": N_("Opened a step"),
    "checkout_step_completed": N_("Completed a step"),
    "coupon_rejected": N_("Coupon refused"),
    "validation_shown": N_("The form came back with errors"),
    "policy_viewed": N_("Read the terms or about returns"),
    "payment_info_entered": N_("Entered payment details"),
    "payment_started": N_("Started to pay"),
    "payment_failed": N_("Payment failed"),
    "payment_succeeded": N_("Payment succeeded"),
    "payment_canceled": N_("Cancelled the payment"),
    "checkout_error": N_("Error in the checkout"),
    "stock_short": N_("Item out of stock"),
    "order_completed": N_("Order placed"),
    "order_updated": N_("Order updated"),
    "order_fulfilled": N_("Order fulfilled"),
    "order_cancelled": N_("Order cancelled"),
    "order_refunded": N_("Order refunded"),
    "incident": N_("Incident found"),
}
TROUBLE: Final = frozenset(
    {
        "coupon_rejected",
        "validation_shown",
        "payment_failed",
        "checkout_error",
        "stock_short",
        "incident",
    }
)
SUCCESS: Final = frozenset({"payment_succeeded", "order_completed"})
CONDITIONS: Final[Mapping[str, str]] = {
    "category": N_("Category"),
    "failure_class": N_("Failure"),
    "decline_code": N_("Decline code"),
    "provider": N_("Gateway"),
    "total_over": N_("Cart over"),
    "total_under": N_("Cart under"),
    "country": N_("Country"),
    "step": N_("Step"),
    "origin": N_("Origin"),
    "tag": N_("Customer tag"),
    "tags": N_("Customer tag"),
    "orders_over": N_("Orders over"),
    "orders_under": N_("Orders under"),
    "attempts_over": N_("Attempts over"),
    "language": N_("Language"),
    "text": N_("Text"),
    "words": N_("Words"),
    "inside": N_("Within the hours of"),
    "outside": N_("Outside the hours of"),
    "stock_under": N_("Stock under"),
}


def word(table: str, key: object) -> str:
    """Return how a stored word is called; a word of the shop's own stays as it is."""
    known: Mapping[str, str] = globals()[table]
    text = known.get(str(key))
    return gettext(text) if text is not None else str(key).replace("_", " ")


def failure(failure_class: object) -> str:
    """Return how agents call a failure class."""
    try:
        return gettext(FAILURES[FailureClass(str(failure_class))].label)
    except ValueError:
        return str(failure_class)


def remedy(failure: PaymentFailure) -> tuple[str, str]:
    """Return who can mend a failure, and whether the payment may be tried again."""
    return word("FIXERS", failure.fixer), word("RETRIES", failure.retry)


def told_customer(failure_class: FailureClass, outcome: str) -> tuple[str, list[str]]:
    """Return what the customer read, and what was offered, in the reader's language."""
    actions = [gettext(ACTIONS[name]) for name in next_actions(failure_class, outcome)]
    return gettext(customer_text(failure_class, outcome)), actions


def money(value: Money | None) -> str:
    """Write an amount; nothing where there is none."""
    return _amount(value.minor_units, value.currency) if value is not None else ""


def day(at: datetime) -> str:
    """Write the day of an instant, in UTC."""
    return str(format_date(at.date(), "medium", locale=current_locale.get().replace("-", "_")))


def percent(share: float) -> str:
    """Write a share as a percentage."""
    return str(format_percent(share, locale=current_locale.get().replace("-", "_")))


def minor(units: object, currency: object) -> str:
    """Write an amount of minor units as a snapshot keeps it."""
    if not isinstance(units, int) or not isinstance(currency, str) or len(currency) != 3:
        return ""
    return _amount(units, currency)


def _amount(units: int, currency: str) -> str:
    return _written(units, currency, current_locale.get())


@lru_cache(maxsize=4096)
def _written(units: int, currency: str, locale: str) -> str:
    return format_money(units, currency, locale)


def owner(key: str, team: Callable[[str], str]) -> str:
    """Return whose a task of a protocol is.

    Args:
        team: gives the name of a team's key.
    """
    return gettext(OWNERS[key]) if key in OWNERS else team(key)


def task_clock(task: TaskRow, opened_at: datetime) -> Clock | None:
    """Return the clock of a task that is still to be done, if its time is limited."""
    if task.due_at is None or task.done_at is not None:
        return None
    return Clock("task", task.due_at, soon_at(task.due_at, opened_at))


def call_clock(call: CallbackRow) -> Clock:
    """Return the clock that runs out when a customer is to be called."""
    return Clock("call", call.start_at, call.start_at - DUE_BEFORE)


def call_time(call: CallbackRow) -> str:
    """Write when a call is to be made, as the customer's clocks show it."""
    zone = zone_of(call.zone) or UTC
    return f"{day_of(call.start_at, zone)}, {from_to(call.start_at, call.end_at, zone)}"


def dialled(phone: str) -> str:
    """Return what a telephone dials."""
    return "".join(char for char in phone if char in "+0123456789")


def capped(count: int) -> str:
    """Write a count that was not counted to its end."""
    return "99+" if count > 99 else str(count)


def initials(name: str) -> str:
    """Return one or two letters that stand for a name."""
    parts = [part for part in name.split() if part[0].isalnum()]
    if not parts:
        return "?"
    chosen = parts[0][0] + (parts[-1][0] if len(parts) > 1 else "")
    return chosen.upper()


@lru_cache(maxsize=4096)
def hue(text: str) -> int:
    """Return one of eight colours, always the same for the same text."""
    return hashlib.sha256(text.encode()).digest()[0] % 8


def safe_url(url: object) -> str | None:
    """Return an address that may stand in a link: a path of this site, or plain http(s)."""
    if not isinstance(url, str) or "\\" in url or any(ord(char) <= 32 for char in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme in ("http", "https") and parts.netloc:
        return url
    return url if url.startswith("/") and not url.startswith("//") else None


def expected(given: Any) -> str:
    """Write what a routing condition expected or found."""
    if given is None:
        return "–"
    if isinstance(given, bool):
        return gettext("yes") if given else gettext("no")
    if isinstance(given, Mapping):
        return ", ".join(f"{key}: {expected(value)}" for key, value in given.items())
    if isinstance(given, Iterable) and not isinstance(given, str):
        return ", ".join(expected(one) for one in given) or "–"
    return word("CATEGORIES", given) if str(given) in CATEGORIES else str(given)


def is_unsure(confidence: float | None) -> bool:
    """Whether a message's category is a guess that an agent should look at."""
    return confidence is not None and confidence < SURE


def incident(found: IncidentInfo) -> str:
    """Say what has broken, or who is at work."""
    if found.kind == card_testing.KIND:
        return card_testing.name_of(found.class_group or "")
    return name_of(found.gateway, found.method, silent=found.kind == "silence")
