"""The thirteen classes of payment failure: what follows from each, for the case and the customer.

The class of a gateway's code is decided in ``gateways``; here is what follows from the class.
What the customer reads and is offered never tells fraud, lost or stolen from a plain decline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ..i18n import N_
from ..types import Category, FailureClass, Priority

_DECLINED: Final = N_(
    "Your bank didn't approve this payment. Try another method or contact your bank."
)
_CONFIRM: Final = N_("Your bank needs to confirm it's you.")
_CHECK_CARD: Final = N_("Check number, date, code and billing postcode.")
_EXPIRED: Final = N_("Check the expiry date or use another card.")
_TECHNICAL: Final = N_("Technical problem; try again shortly.")
_CHECKING: Final = N_("We're checking your payment; please don't pay again yet.")
_OUR_SIDE: Final = N_("Problem on our side; try another method.")

_DECLINED_ACTIONS: Final = ("other_method", "call_bank")


ACTIONS: Final[Mapping[str, str]] = {
    "retry": N_("Try again in a moment"),
    "other_method": N_("Pay another way"),
    "edit_card": N_("Check the card details"),
    "new_card": N_("Use another card"),
    "confirm_identity": N_("Start the payment again and confirm it in your banking app"),
    "call_bank": N_("Ask your bank to approve the payment"),
    "wait": N_("Wait for our answer before you pay again"),
    "contact": N_("Write to us"),
}
"""What is offered, in words: English source of the translation."""


@dataclass(frozen=True, slots=True)
class FailureKind:
    """What a failure class implies.

    Args:
        retry: when the same payment may be tried again.
        fixer: who can mend it.
        category: of the case it opens; ``None`` opens none.
        text: what the customer reads (English source of the translation).
        actions: what the customer is offered, most useful first.
        label: how agents call it.
        urgent: needs a human at once, whatever the value.
    """

    retry: str
    fixer: str
    category: Category | None
    text: str
    actions: tuple[str, ...]
    label: str
    urgent: bool = False


FAILURES: Final[Mapping[FailureClass, FailureKind]] = {
    FailureClass.SOFT: FailureKind(
        "once", "issuer", Category.PAYMENT_DECLINED, _DECLINED, _DECLINED_ACTIONS,
        N_("Declined by the bank"),
    ),
    FailureClass.HARD: FailureKind(
        "never", "customer", Category.PAYMENT_DECLINED, _DECLINED, _DECLINED_ACTIONS,
        N_("Declined for good"),
    ),
    FailureClass.FUNDS: FailureKind(
        "later", "customer", Category.PAYMENT_DECLINED, _DECLINED, _DECLINED_ACTIONS,
        N_("Insufficient funds"),
    ),
    FailureClass.LIMIT: FailureKind(
        "later", "customer", Category.PAYMENT_DECLINED, _DECLINED, _DECLINED_ACTIONS,
        N_("Card limit reached"),
    ),
    FailureClass.AUTH: FailureKind(
        "after_challenge", "customer", Category.AUTHENTICATION, _CONFIRM,
        ("confirm_identity", "other_method"), N_("Authentication not passed"),
    ),
    FailureClass.FRAUD: FailureKind(
        "never", "risk", Category.FRAUD, _DECLINED, _DECLINED_ACTIONS, N_("Fraud suspected"),
    ),
    FailureClass.CARD_DATA: FailureKind(
        "after_edit", "customer", Category.PAYMENT_DECLINED, _CHECK_CARD,
        ("edit_card", "other_method"), N_("Card data wrong"),
    ),
    FailureClass.EXPIRED: FailureKind(
        "after_edit", "customer", Category.PAYMENT_DECLINED, _EXPIRED,
        ("new_card", "other_method"), N_("Card expired"),
    ),
    FailureClass.PROCESSING: FailureKind(
        "same_key", "gateway", Category.PAYMENT_ERROR, _TECHNICAL, ("retry", "other_method"),
        N_("Gateway trouble"),
    ),
    FailureClass.NETWORK: FailureKind(
        "reconcile", "gateway", Category.PAYMENT_ERROR, _TECHNICAL, ("retry", "other_method"),
        N_("Issuer or network unreachable"),
    ),
    FailureClass.CONFIG: FailureKind(
        "never", "shop", Category.PAYMENT_ERROR, _OUR_SIDE, ("other_method",),
        N_("Shop configuration"), urgent=True,
    ),
    FailureClass.DUPLICATE: FailureKind(
        "reconcile", "shop", Category.PAYMENT_CONFLICT, _CHECKING, ("wait",),
        N_("Duplicate charge"), urgent=True,
    ),
    FailureClass.CANCELLED: FailureKind(
        "later", "customer", None, "", (), N_("Cancelled by the customer"),
    ),
}  # fmt: skip


def category_of(failure_class: FailureClass) -> Category | None:
    """Return the category of the case that this class opens; ``None`` when it opens none."""
    return FAILURES[failure_class].category


def customer_text(failure_class: FailureClass, outcome: str = "failed") -> str:
    """Return what the customer reads, in English; translate it with ``gettext``.

    An unknown outcome always asks not to pay again, whatever the class: the money may have moved.
    """
    return _CHECKING if outcome == "unknown" else FAILURES[failure_class].text


def next_actions(failure_class: FailureClass, outcome: str = "failed") -> tuple[str, ...]:
    """Return what the customer is offered, most useful first."""
    return ("wait",) if outcome == "unknown" else FAILURES[failure_class].actions


def is_urgent(failure_class: FailureClass, outcome: str = "failed") -> bool:
    """Whether this failure needs a human at once: our fault, a double charge, or money in doubt."""
    return outcome == "unknown" or FAILURES[failure_class].urgent


def priority_of(failure_class: FailureClass, outcome: str, routed: Priority) -> Priority:
    """Return the route's priority, raised to urgent where :func:`is_urgent` says so."""
    return Priority.URGENT if is_urgent(failure_class, outcome) else routed
