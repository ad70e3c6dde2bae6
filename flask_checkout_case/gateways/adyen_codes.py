"""Adyen's refusal reasons: their codes, and the words that its webhooks tell instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ..types import FailureClass
from .codes import Vocabulary

# Adyen counts these otherwise than ISO 4217 does.
DIGITS: Final[Mapping[str, int]] = {"CLP": 2, "CVE": 0, "IDR": 0, "ISK": 2}

VOCABULARY: Final = Vocabulary(
    {
        FailureClass.SOFT: "2 3 27",
        FailureClass.HARD: "10 23 25 26 34 35 50",
        FailureClass.FUNDS: "12",
        FailureClass.LIMIT: "18 28 29 46",
        FailureClass.AUTH: "11 17 19 33 36 37 38 39 41 42 43 authentication_expired",
        FailureClass.FRAUD: "5 14 20 22 31",
        FailureClass.CARD_DATA: "8 24 32",
        FailureClass.EXPIRED: "6",
        FailureClass.PROCESSING: "4 21 40 44 45",
        FailureClass.NETWORK: "9",
        FailureClass.CONFIG: "7",
        FailureClass.CANCELLED: "15 16",
    },
    # Faults of 3-D Secure itself: no customer can mend them.
    faulty="39 42",
)
CODES: Final = VOCABULARY.classes

REASONS: Final[Mapping[str, str]] = {
    "2": "Refused",
    "3": "Referral",
    "4": "Acquirer Error",
    "5": "Blocked Card",
    "6": "Expired Card",
    "7": "Invalid Amount",
    "8": "Invalid Card Number",
    "9": "Issuer Unavailable",
    "10": "Not supported",
    "11": "3D Not Authenticated",
    "12": "Not enough balance",
    "14": "Acquirer Fraud",
    "15": "Cancelled",
    "16": "Shopper Cancelled",
    "17": "Invalid Pin",
    "18": "Pin tries exceeded",
    "19": "Pin validation not possible",
    "20": "FRAUD",
    "21": "Not Submitted",
    "22": "FRAUD-CANCELLED",
    "23": "Transaction Not Permitted",
    "24": "CVC Declined",
    "25": "Restricted Card",
    "26": "Revocation Of Auth",
    "27": "Declined Non Generic",
    "28": "Withdrawal amount exceeded",
    "29": "Withdrawal count exceeded",
    "31": "Issuer Suspected Fraud",
    "32": "AVS Declined",
    "33": "Card requires online pin",
    "34": "No checking account available on Card",
    "35": "No savings account available on Card",
    "36": "Mobile pin required",
    "37": "Contactless fallback",
    "38": "Authentication required",
    "39": "RReq not received from DS",
    "40": "Current AID is in Penalty Box",
    "41": "CVM Required Restart Payment",
    "42": "3DS Authentication Error",
    "43": "Online PIN required",
    "44": "Try another interface",
    "45": "Chip downgrade mode",
    "46": "Transaction blocked by Adyen to prevent excessive retry fees",
}
"""Adyen's own words; a webhook tells them in place of the code."""
_BY_REASON: Final = {
    **{reason.lower(): code for code, reason in REASONS.items()},
    "3d-secure: authentication failed": "11",
}


# Results tell that a card was used, webhooks which one: for a gateway's health that is one method.
_CARDS: Final = frozenset(
    [
        "scheme",
        "amex",
        "bcmc",
        "cartebancaire",
        "cup",
        "diners",
        "discover",
        "electron",
        "elo",
        "hipercard",
        "jcb",
        "maestro",
        "maestrouk",
        "mc",
        "uatp",
        "visa",
        "visadankort",
    ]
)


def method_of(told: Any) -> str | None:
    """Return how it was paid, ``card`` for every brand: ``mc``, ``scheme``."""
    word = told.strip().lower() if isinstance(told, str) else ""
    return "card" if word in _CARDS else word or None


def code_of(code: Any, reason: Any) -> str | None:
    """Return a refusal's code, from its words where it isn't told; unknown words as they are."""
    if isinstance(code, (str, int)) and not isinstance(code, bool) and str(code).strip():
        return str(code).strip()
    words = reason.strip() if isinstance(reason, str) else ""
    numbered = re.match(r"(\d{1,2})\s*:", words)
    return _BY_REASON.get(words.lower()) or (numbered[1] if numbered else words) or None
