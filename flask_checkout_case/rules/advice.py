"""What an agent does best about a checkout's payments, in one sentence."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from ..i18n import N_
from ..types import FailureClass
from .payments import Attempt, Conflict, State

_TRY_LATER: Final = N_(
    "Nobody here can mend it: ask the customer to try again shortly or pay another way."
)
_BY_CLASS: Final[Mapping[FailureClass, str]] = {
    FailureClass.SOFT: N_("Offer another way to pay, or one more try after a call to the bank."),
    FailureClass.HARD: N_("Offer another way to pay: this card will be refused again."),
    FailureClass.FUNDS: N_("Offer another way to pay, or to split the payment."),
    FailureClass.LIMIT: N_("Offer another way to pay: this card has reached its limit for now."),
    FailureClass.AUTH: N_(
        "Ask the customer to pay once more and to confirm it when the bank asks."
    ),
    FailureClass.FRAUD: N_(
        "Let the risk team look first. The customer was told of a plain decline: tell no more."
    ),
    FailureClass.CARD_DATA: N_(
        "Ask the customer to check the card's details in the checkout. Never ask for the number."
    ),
    FailureClass.EXPIRED: N_("Ask the customer to check the expiry date or to use another card."),
    FailureClass.PROCESSING: _TRY_LATER,
    FailureClass.NETWORK: _TRY_LATER,
    FailureClass.CONFIG: N_(
        "Call whoever runs the shop's payments: every customer is refused for the same reason."
    ),
    FailureClass.DUPLICATE: N_("Find the first charge before anybody pays or is refunded."),
    FailureClass.CANCELLED: N_("The customer stopped: ask what was missing."),
}
_BY_STATE: Final[Mapping[State, str]] = {
    State.STARTED: N_("A payment is under way: wait for how it ends."),
    State.ACTION: N_("The bank waits for the customer: ask whether its request has arrived."),
    State.UNKNOWN: N_("Ask the gateway whether money has moved, before anybody pays again."),
    State.CANCELED: _BY_CLASS[FailureClass.CANCELLED],
    State.SUCCEEDED: N_("It has been paid: nothing is left to do about the payment."),
}
_BY_CONFLICT: Final[Mapping[Conflict, str]] = {
    Conflict.CHARGED_TWICE: N_("Refund all charges but one, and tell the customer."),
    Conflict.CHARGED_WITHOUT_ORDER: N_(
        "Place the order that was paid for, or refund it, and tell the customer."
    ),
}


def next_best_action(
    attempts: Sequence[Attempt],
    failure_class: FailureClass | None,
    conflicts: Collection[Conflict] = (),
) -> str | None:
    """Return what an agent does best now; the English source of the translation.

    Money in the wrong place comes first, then whether it has been paid, then the last attempt.

    Args:
        attempts: of one checkout, in the order in which they began.
        failure_class: of the last attempt, where that has failed.
    """
    for conflict, text in _BY_CONFLICT.items():
        if conflict in conflicts:
            return text
    if not attempts:
        return None
    if any(one.state is State.SUCCEEDED for one in attempts):
        return _BY_STATE[State.SUCCEEDED]
    if attempts[-1].state is State.FAILED and failure_class is not None:
        return _BY_CLASS[failure_class]
    return _BY_STATE.get(attempts[-1].state)
