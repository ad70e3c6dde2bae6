"""What an outage changes for a case of a failed payment, and for what its customer reads."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from ..i18n import N_
from ..types import FailureClass, Money, currency_digits
from .failures import customer_text
from .policy import Policy
from .surge import classes_of

_TROUBLE: Final = N_(
    "Payments by this method are having trouble right now. Nothing is wrong with your card: "
    "please pay another way."
)
_BANKS: Final = N_(
    "Payments by this method are having trouble right now, and it may not be about your card. "
    "Please pay another way."
)
_AT_BANKS: Final = frozenset({"issuer", "authentication"})
ACTIONS: Final = ("other_method",)


def is_individual(policy: Policy, value: Money | None) -> bool:
    """Whether so much is at stake that the case is worked on by itself, in an outage too."""
    return policy.is_over(value, policy.hesitation.over)


def individual_over(policy: Policy) -> Mapping[str, int]:
    """Return, for each currency, above how many minor units :func:`is_individual` holds."""
    return minor_over(policy, policy.hesitation.over)


def minor_over(policy: Policy, amount: Money) -> Mapping[str, int]:
    """Return, for each currency, how many minor units are worth an amount, rounded down."""
    limit = policy.in_base(amount)
    if limit is None:
        return {}
    rates = {policy.currency: Decimal(1), **policy.rates}
    return {
        currency: int((limit / rate).scaleb(currency_digits(currency)))
        for currency, rate in rates.items()
    }


def outage_text(group: str, failure_class: FailureClass, outcome: str) -> str | None:
    """Return what the customer reads while payments fail; ``None`` where it is not about them.

    What is told follows from what the customer would read without an outage, so that a suspected
    fraud still reads what every declined card reads.

    Args:
        group: of the failures of which the incident is.
        outcome: of the attempt; after an unknown one nobody is told to pay again.
    """
    texts = {customer_text(one) for one in classes_of(group)}
    if outcome == "unknown" or customer_text(failure_class) not in texts:
        return None
    return _BANKS if group in _AT_BANKS else _TROUBLE
