"""What gateways send, signed as they sign it, and the failure class of every code they have."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from Adyen.util import generate_notification_sig
from stripe import WebhookSignature

STRIPE_SECRETS: Final = ("whsec_new", "whsec_old")
ADYEN_KEYS: Final = (
    "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
    "9064450A8892A093D9E97EFCC9639DE31B74F3A7803135555A3C96F5A57915D6",
)

STRIPE_CODES: Final[Mapping[str, str]] = {
    "soft": "generic_decline do_not_honor call_issuer no_action_taken approve_with_id "
    "try_again_later",
    "hard": "do_not_try_again not_permitted transaction_not_allowed service_not_allowed "
    "card_not_supported currency_not_supported invalid_account new_account_information_available "
    "revocation_of_authorization revocation_of_all_authorizations stop_payment_order",
    "funds": "insufficient_funds",
    "limit": "card_velocity_exceeded withdrawal_count_limit_exceeded pin_try_exceeded",
    "auth": "authentication_required authentication_not_handled incorrect_pin invalid_pin "
    "mobile_device_authentication_required offline_pin_required online_or_offline_pin_required",
    "fraud": "fraudulent lost_card stolen_card pickup_card restricted_card security_violation "
    "merchant_blacklist",
    "card_data": "incorrect_number invalid_number incorrect_cvc invalid_cvc invalid_expiry_month "
    "invalid_expiry_year incorrect_zip incorrect_address",
    "expired": "expired_card",
    "processing": "processing_error reenter_transaction",
    "network": "issuer_not_available",
    "config": "invalid_amount testmode_decline",
    "duplicate": "duplicate_transaction",
}
ADYEN_CODES: Final[Mapping[str, str]] = {
    "soft": "2 3 27",
    "hard": "10 23 25 26 34 35 50",
    "funds": "12",
    "limit": "18 28 29 46",
    "auth": "11 17 19 33 36 37 38 39 41 42 43",
    "fraud": "5 14 20 22 31",
    "card_data": "8 24 32",
    "expired": "6",
    "processing": "4 21 40 44 45",
    "network": "9",
    "config": "7",
    "cancelled": "15 16",
}
BRAINTREE_CODES: Final[Mapping[str, str]] = {
    "soft": "2000 2034 2035 2038 2044 2046 2057 2074 2092 2101 2104 2105 2106 2109 2110 2199 2500 "
    "2999",
    "hard": "2007 2011 2015 2017 2018 2019 2020 2022 2041 2043 2070 2075 2076 2093 2107 2108",
    "funds": "2001",
    "limit": "2002 2003 2086 2097 2098 2103 excessive_retry",
    "auth": "2078 2099 2102 three_d_secure",
    "fraud": "2012 2013 2014 2021 2047 2053 2077 2085 fraud risk_threshold",
    "card_data": "2005 2006 2008 2009 2010 2029 2050 2051 2059 2060 2061 2083 avs cvv avs_and_cvv "
    "81707 81710 81715 81736 81737 81799",
    "expired": "2004",
    "processing": "2031 2033 2036 2037 2039 2054 2062",
    "network": "3000",
    "config": "2023 2024 2025 2026 2027 2028 2030 2032 2040 2042 2045 2048 2049 2052 2055 2056 "
    "2058 2063 2064 2065 2066 2067 2068 2071 2072 2073 2079 2080 2081 2082 2084 2087 2088 2089 "
    "2090 2091 2095 2096 2100 application_incomplete token_issuance 81502 91510 91564",
    "duplicate": "2016 2069 2094 duplicate",
}
PAYPAL_CODES: Final[Mapping[str, str]] = {
    "soft": "0100 0500 10BR 5100 5910 9530 9540 9600",
    "hard": "0390 0580 1330 5140 5180 5700 5930 5950 PP06 PPAB PPRN",
    "funds": "5120",
    "limit": "5710 PPAX PPEL PPNL",
    "auth": "5650 7700 7710 PPD3",
    "fraud": "5150 9500 9510 9520",
    "card_data": "00N7 1380 1382 5110 5170 PCVV",
    "expired": "5400 PPEF",
    "processing": "0800 0960 8000 8220 9100",
    "network": "5920 8100 8110 PPNT",
    "config": "1310 1350 8020 8030 PPAI PPMD PPS4 PPVT",
    "duplicate": "5200 PPIF",
}
PAYPAL_ISSUES: Final[Mapping[str, str]] = {
    "soft": "INSTRUMENT_DECLINED PAYMENT_SOURCE_DECLINED_BY_PROCESSOR TRANSACTION_REFUSED",
    "hard": "PAYER_CANNOT_PAY PAYER_ACCOUNT_RESTRICTED PAYER_ACCOUNT_LOCKED_OR_CLOSED "
    "COMPLIANCE_VIOLATION CARD_BRAND_NOT_SUPPORTED REDIRECT_PAYER_FOR_ALTERNATE_FUNDING",
    "limit": "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED TRANSACTION_LIMIT_EXCEEDED",
    "auth": "PAYER_ACTION_REQUIRED",
    "fraud": "TRANSACTION_BLOCKED_BY_PAYEE PAYEE_BLOCKED_TRANSACTION "
    "DECLINED_BY_RISK_FRAUD_FILTERS",
    "expired": "CARD_EXPIRED",
    "processing": "INTERNAL_SERVER_ERROR FAILED",
    "config": "AMOUNT_MISMATCH ITEM_TOTAL_MISMATCH TAX_TOTAL_MISMATCH NEW_MISMATCH PPZZ PP9Z "
    "PERMISSION_DENIED PAYEE_ACCOUNT_RESTRICTED INVALID_RESOURCE_ID",
    "duplicate": "DUPLICATE_INVOICE_ID ORDER_ALREADY_CAPTURED",
    "cancelled": "ORDER_NOT_APPROVED",
}


def listed(codes: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return each code with its class."""
    return [(code, cls) for cls, words in codes.items() for code in words.split()]


def stripe_signature(
    raw: bytes, secret: str = STRIPE_SECRETS[0], at: float | None = None
) -> dict[str, str]:
    stamp = int(at if at is not None else time.time())
    payload = f"{stamp}.{raw.decode('utf-8', 'replace')}"
    signature = WebhookSignature._compute_signature(payload, secret)
    return {"Stripe-Signature": f"t={stamp},v1={signature}", "Content-Type": "application/json"}


def stripe_event(kind: str, about: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a webhook of Stripe's about a payment intent ``pi_1`` of the checkout ``c-1``."""
    body = {
        "id": "pi_1",
        "object": "payment_intent",
        "amount": 12000,
        "currency": "usd",
        "metadata": {"checkout_ref": "c-1"},
        "livemode": False,
        **about,
    }
    return {
        "id": f"evt_{kind}",
        "type": kind,
        "created": int(time.time()),
        "data": {"object": body},
        **changes,
    }


def stripe_failure(charge: str | None = "ch_1", **error: Any) -> dict[str, Any]:
    told = {
        "code": "card_declined",
        "decline_code": "insufficient_funds",
        "type": "card_error",
        "charge": charge,
        **error,
    }
    kind = "payment_intent.payment_failed"
    return stripe_event(kind, {"last_payment_error": told}, id=f"evt_{charge}")


def adyen_item(psp: str = "PSP1", **changes: Any) -> dict[str, Any]:
    """Return an unsigned item of Adyen's: a refused authorisation of the checkout ``c-1``."""
    return {
        "pspReference": psp,
        "merchantAccountCode": "Atelier",
        "merchantReference": "c-1",
        "amount": {"currency": "EUR", "value": 12000},
        "eventCode": "AUTHORISATION",
        "success": "false",
        "eventDate": "2026-01-10T13:40:54+01:00",
        "paymentMethod": "visa",
        "reason": "Not enough balance",
        "additionalData": {},
        **changes,
    }


def adyen_signed(item: Mapping[str, Any], key: str = ADYEN_KEYS[0]) -> dict[str, Any]:
    signature = generate_notification_sig(dict(item), key).decode()
    return {**item, "additionalData": {**item["additionalData"], "hmacSignature": signature}}


def adyen_body(items: Sequence[Mapping[str, Any]], live: str = "false") -> bytes:
    wrapped = [{"NotificationRequestItem": item} for item in items]
    return json.dumps({"live": live, "notificationItems": wrapped}).encode()
