"""What tells one card from another, without a number."""

from __future__ import annotations

from typing import Any

import pytest
import stripe as sdk

from flask_checkout_case.gateways import describe_exception, describe_result

CARD = {"type": "card", "card": {"fingerprint": "Xt5EWLLDS7FJjR1c", "last4": "0002"}}
CHARGE: dict[str, Any] = {
    "id": "ch_1",
    "object": "charge",
    "amount": 200,
    "currency": "usd",
    "livemode": False,
    "status": "failed",
    "failure_code": "card_declined",
    "outcome": {"type": "issuer_declined", "reason": "generic_decline"},
    "payment_intent": "pi_1",
    "payment_method_details": CARD,
}
INTENT: dict[str, Any] = {
    "id": "pi_1",
    "object": "payment_intent",
    "amount": 200,
    "currency": "usd",
    "livemode": False,
    "status": "requires_payment_method",
    "last_payment_error": {"code": "card_declined", "charge": "ch_1", "payment_method": CARD},
}


@pytest.mark.parametrize(
    "body", [pytest.param(CHARGE, id="charge"), pytest.param(INTENT, id="intent")]
)
def test_stripes_objects_tell_the_card(body: dict[str, Any]) -> None:
    kinds: dict[str, Any] = {"charge": sdk.Charge, "payment_intent": sdk.PaymentIntent}
    kind = kinds[body["object"]]
    told = describe_result(kind.construct_from(body, "sk_test_1"))
    assert told is not None
    assert told[1]["card_fingerprint"] == "Xt5EWLLDS7FJjR1c"


def test_stripes_exceptions_tell_the_card() -> None:
    error = {"type": "card_error", "code": "card_declined", "payment_method": CARD}
    raised = sdk.CardError(  # type: ignore[no-untyped-call]
        "no", None, "card_declined", json_body={"error": error}
    )
    told = describe_exception(raised)
    assert told is not None
    assert told["card_fingerprint"] == "Xt5EWLLDS7FJjR1c"


@pytest.mark.parametrize("used", [None, {}, {"card": None}, {"card": {"fingerprint": None}}, "x"])
def test_where_none_is_told_none_is_made_up(used: Any) -> None:
    body = {**CHARGE, "payment_method_details": used}
    told = describe_result(sdk.Charge.construct_from(body, "sk_test_1"))
    assert told is not None
    assert "card_fingerprint" not in told[1]
