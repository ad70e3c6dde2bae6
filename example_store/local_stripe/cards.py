"""Stripe's documented test cards and what each of them does when it is charged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DECLINED: Final = "Your card was declined."


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a charge fails, in the words of Stripe's error body."""

    code: str
    decline_code: str | None
    message: str
    advice_code: str | None = None
    network_decline_code: str | None = None
    param: str | None = None
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class CardBehaviour:
    """One test card.

    Args:
        number: the card number, digits only.
        title: what it shows, for lists of cards.
        decline: how charging it fails; ``None`` when it succeeds.
        challenge: 3-D Secure must be passed before it is charged.
        risk: Radar's ``risk_level``.
        cvc_check, postal_code_check: what the card's checks say when the value was given.
    """

    number: str
    title: str
    decline: Decline | None = None
    challenge: bool = False
    risk: str = "normal"
    cvc_check: str = "pass"
    postal_code_check: str = "pass"
    funding: str = "credit"


def _declined(
    decline_code: str,
    network: str | None = None,
    advice: str | None = "try_again_later",
    message: str = DECLINED,
    *,
    blocked: bool = False,
) -> Decline:
    return Decline("card_declined", decline_code, message, advice, network, blocked=blocked)


GENERIC: Final = _declined("generic_decline", "01")
FUNDS: Final = _declined("insufficient_funds", "51", message="Your card has insufficient funds.")
LOST: Final = _declined("lost_card", "41", "do_not_try_again")
STOLEN: Final = _declined("stolen_card", "43", "do_not_try_again")
VELOCITY: Final = _declined(
    "card_velocity_exceeded",
    "65",
    message=(
        "Your card was declined for making repeated attempts too frequently or exceeding its"
        " amount limit."
    ),
)
FRAUDULENT: Final = _declined("fraudulent", None, "do_not_try_again", blocked=True)
EXPIRED: Final = Decline(
    "expired_card", "expired_card", "Your card has expired.", "do_not_try_again", "54", "exp_month"
)
INCORRECT_CVC: Final = Decline(
    "incorrect_cvc",
    "incorrect_cvc",
    "Your card's security code is incorrect.",
    "confirm_card_data",
    "N7",
    "cvc",
)
PROCESSING: Final = Decline(
    "processing_error",
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
    "try_again_later",
    "06",
)
AUTHENTICATION_REQUIRED: Final = _declined(
    "authentication_required",
    "1A",
    None,
    "Your card was declined. This transaction requires authentication.",
)
POSTAL_CODE: Final = Decline(
    "incorrect_zip",
    "incorrect_zip",
    "Your card's postal code is incorrect.",
    "confirm_card_data",
    None,
    "address_zip",
)

CARDS: Final[tuple[CardBehaviour, ...]] = (
    CardBehaviour("4242424242424242", "Succeeds"),
    CardBehaviour("4000056655665556", "Succeeds (debit)", funding="debit"),
    CardBehaviour("5555555555554444", "Succeeds (Mastercard)"),
    CardBehaviour("2223003122003222", "Succeeds (Mastercard, 2-series)"),
    CardBehaviour("5200828282828210", "Succeeds (Mastercard debit)", funding="debit"),
    CardBehaviour("5105105105105100", "Succeeds (Mastercard prepaid)", funding="prepaid"),
    CardBehaviour("378282246310005", "Succeeds (American Express)"),
    CardBehaviour("371449635398431", "Succeeds (American Express)"),
    CardBehaviour("6011111111111117", "Succeeds (Discover)"),
    CardBehaviour("3056930009020004", "Succeeds (Diners Club)"),
    CardBehaviour("3566002020360505", "Succeeds (JCB)"),
    CardBehaviour("6200000000000005", "Succeeds (UnionPay)"),
    CardBehaviour("4000000000000077", "Succeeds (straight to the balance)"),
    CardBehaviour("4000000000000002", "Declined by the bank, no reason given", GENERIC),
    CardBehaviour("4000000000009995", "Insufficient funds", FUNDS),
    CardBehaviour("4000000000009987", "Lost card", LOST),
    CardBehaviour("4000000000009979", "Stolen card", STOLEN),
    CardBehaviour("4000000000000069", "Expired card", EXPIRED),
    CardBehaviour("4000000000000127", "Wrong security code", INCORRECT_CVC, cvc_check="fail"),
    CardBehaviour("4000000000000119", "Processing error", PROCESSING),
    CardBehaviour("4000000000006975", "Card's limit of attempts exceeded", VELOCITY),
    CardBehaviour("4000000000000341", "Can be saved, declines when charged", GENERIC),
    CardBehaviour("4100000000000019", "Blocked as fraudulent", FRAUDULENT, risk="highest"),
    CardBehaviour("4000000000004954", "Highest risk, blocked", FRAUDULENT, risk="highest"),
    CardBehaviour("4000000000009235", "Elevated risk, succeeds", risk="elevated"),
    CardBehaviour("4000000000000101", "Security code check fails", INCORRECT_CVC, cvc_check="fail"),
    CardBehaviour(
        "4000000000000036", "Postcode check fails", POSTAL_CODE, postal_code_check="fail"
    ),
    CardBehaviour("4000000000003220", "3-D Secure required", challenge=True),
    CardBehaviour("4000002500003155", "3-D Secure required unless set up", challenge=True),
    CardBehaviour("4000002760003184", "3-D Secure always required", challenge=True),
    CardBehaviour("4000008400001629", "3-D Secure, then declined", GENERIC, challenge=True),
    CardBehaviour("4000008260003178", "3-D Secure, then insufficient funds", FUNDS, challenge=True),
    CardBehaviour("4000008400001280", "3-D Secure fails to start", PROCESSING),
    CardBehaviour("4000000000003055", "3-D Secure supported, not required"),
    CardBehaviour("4000003800000446", "3-D Secure already set up"),
)
BY_NUMBER: Final = {card.number: card for card in CARDS}

ALIASES: Final = {
    "pm_card_visa": "4242424242424242",
    "pm_card_visa_debit": "4000056655665556",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_amex": "378282246310005",
    "pm_card_discover": "6011111111111117",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeDeclinedLostCard": "4000000000009987",
    "pm_card_chargeDeclinedStolenCard": "4000000000009979",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeDeclinedIncorrectCvc": "4000000000000127",
    "pm_card_chargeDeclinedProcessingError": "4000000000000119",
    "pm_card_chargeDeclinedVelocityLimitExceeded": "4000000000006975",
    "pm_card_chargeDeclinedFraudulent": "4100000000000019",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_radarBlock": "4100000000000019",
    "pm_card_riskLevelHighest": "4000000000004954",
    "pm_card_riskLevelElevated": "4000000000009235",
    "pm_card_threeDSecure2Required": "4000000000003220",
    "pm_card_threeDSecureRequiredChargeDeclined": "4000008400001629",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": "4000008260003178",
}
ALIASES.update(
    {
        alias.replace("pm_card_", "pm_card_visa_", 1): number
        for alias, number in tuple(ALIASES.items())
        if alias.startswith("pm_card_chargeDeclined")
    }
)

_PREFIXES: Final = {
    "visa": ("4",),
    "mastercard": ("51", "52", "53", "54", "55"),
    "amex": ("34", "37"),
    "discover": ("6011", "65"),
    "unionpay": ("62",),
    "jcb": ("35",),
    "diners": ("30", "36", "38"),
}


def brand_of(number: str) -> str:
    """Return Stripe's name for the brand of ``number``, by its first digits."""
    for brand, prefixes in _PREFIXES.items():
        if number.startswith(prefixes):
            return brand
    return "mastercard" if 2221 <= int(number[:4]) <= 2720 else "unknown"


def passes_luhn(number: str) -> bool:
    """Tell whether the check digit of ``number`` is right."""
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(number))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def behaviour_of(number: str) -> CardBehaviour | None:
    """Return what a test card does, or ``None`` for a number that is no test card of Stripe's."""
    return BY_NUMBER.get(number)
