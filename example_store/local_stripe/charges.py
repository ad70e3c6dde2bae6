"""Charges: one attempt to take money from a card, as the card decides."""

from __future__ import annotations

import time
from typing import Any

from . import methods
from .cards import INCORRECT_CVC, CardBehaviour, Decline, behaviour_of
from .errors import invalid, missing
from .store import Json, Store, new_id


def behaviour(method: Json) -> CardBehaviour:
    """Return what the card of a payment method does."""
    found = behaviour_of(str(method["_number"]))
    if found is None:
        raise missing("test card", str(method["card"]["last4"]))
    return found


def decline_of(method: Json) -> Decline | None:
    """Return how charging this payment method fails, or ``None``."""
    card = behaviour(method)
    postal_code = method["billing_details"]["address"]["postal_code"]
    if card.decline is INCORRECT_CVC and not method["_cvc_given"]:
        return None
    if card.postal_code_check == "fail" and not postal_code:
        return None
    return card.decline


def create(store: Store, intent: Json, method: Json, decline: Decline | None) -> Json:
    """Keep one attempt, good or bad."""
    card = behaviour(method)
    charge = _charge(intent, method, card, decline)
    return store.put(charge)


def _charge(intent: Json, method: Json, card: CardBehaviour, decline: Decline | None) -> Json:
    amount, good = intent["amount"], decline is None
    ident = new_id("ch")
    return {
        "id": ident,
        "object": "charge",
        "amount": amount,
        "amount_captured": amount if good else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": new_id("txn") if good else None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "LOCAL STRIPE",
        "captured": good,
        "created": int(time.time()),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": decline.code if decline else None,
        "failure_message": decline.message if decline else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": _outcome(card, decline),
        "paid": good,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": _card_details(method, card), "type": "card"},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": intent["shipping"],
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded" if good else "failed",
        "transfer_data": None,
        "transfer_group": None,
    }


def _card_details(method: Json, card: CardBehaviour) -> Json:
    postal_code = method["billing_details"]["address"]["postal_code"]
    shown = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    return {
        **{name: method["card"][name] for name in shown},
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": card.postal_code_check if postal_code else None,
            "cvc_check": card.cvc_check if method["_cvc_given"] else None,
        },
        "installments": None,
        "mandate": None,
        "network": method["card"]["brand"],
        "three_d_secure": None,
        "wallet": None,
    }


def _outcome(card: CardBehaviour, decline: Decline | None) -> Json:
    score = {"normal": 12, "elevated": 68, "highest": 92}[card.risk]
    outcome: dict[str, Any] = {
        "advice_code": decline.advice_code if decline else None,
        "network_advice_code": None,
        "network_decline_code": decline.network_decline_code if decline else None,
        "risk_level": card.risk,
        "risk_score": score,
    }
    if decline is None:
        return outcome | {
            "network_status": "approved_by_network",
            "reason": "elevated_risk_level" if card.risk == "elevated" else None,
            "seller_message": "Payment complete.",
            "type": "authorized",
        }
    if decline.blocked:
        return outcome | {
            "network_status": "not_sent_to_network",
            "reason": "highest_risk_level",
            "seller_message": "Stripe blocked this payment as too risky.",
            "type": "blocked",
        }
    return outcome | {
        "network_status": "declined_by_network",
        "reason": decline.decline_code or decline.code,
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    }


def refund(store: Store, params: Json) -> Json:
    """Give money back: the whole of a charge, or ``amount`` of it."""
    charge = _refundable(store, params)
    left = charge["amount"] - charge["amount_refunded"]
    amount = int(params.get("amount") or left)
    if amount <= 0 or amount > left:
        raise invalid(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            param="amount",
        )
    returned = charge["amount_refunded"] + amount
    store.put({**charge, "amount_refunded": returned, "refunded": returned == charge["amount"]})
    return store.put(
        {
            "id": new_id("re"),
            "object": "refund",
            "amount": amount,
            "balance_transaction": new_id("txn"),
            "charge": charge["id"],
            "created": int(time.time()),
            "currency": charge["currency"],
            "metadata": params.get("metadata") or {},
            "payment_intent": charge["payment_intent"],
            "reason": params.get("reason"),
            "receipt_number": None,
            "status": "succeeded",
        }
    )


def _refundable(store: Store, params: Json) -> Json:
    ident = str(params.get("charge") or "")
    if not ident:
        intent = store.get("payment_intent", str(params.get("payment_intent") or ""))
        if intent is None:
            raise missing("payment_intent", str(params.get("payment_intent")), "payment_intent")
        ident = str(intent["latest_charge"] or "")
    charge = store.get("charge", ident)
    if charge is None:
        raise missing("charge", ident, "charge")
    if not charge["paid"]:
        raise invalid(f"Charge {ident} has not been paid.", code="charge_not_refundable")
    return charge


def public_error(decline: Decline, charge: Json, method: Json) -> Json:
    """Return Stripe's ``last_payment_error`` for a declined charge."""
    error: Json = {
        "charge": charge["id"],
        "code": decline.code,
        "doc_url": f"https://stripe.com/docs/error-codes/{decline.code.replace('_', '-')}",
        "message": decline.message,
        "payment_method": methods.public(method),
        "type": "card_error",
    }
    optional = {
        "advice_code": decline.advice_code,
        "decline_code": decline.decline_code,
        "network_decline_code": decline.network_decline_code,
        "param": decline.param,
    }
    return error | {name: value for name, value in optional.items() if value}
