"""Payments that wait for the customer at Klarna, their recorded answers, and the webhooks."""

from __future__ import annotations

import json
import logging
import secrets
import string
import threading
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tomllib import loads
from typing import Any, Final

from Adyen.util import generate_notification_sig

_log = logging.getLogger(__name__)
_ALPHABET: Final = string.ascii_uppercase + string.digits

ANSWERS: Final[Mapping[str, Mapping[str, str]]] = loads(
    Path(__file__).with_name("answers.toml").read_text(encoding="utf-8")
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One receiver of webhooks; ``key`` is its HMAC key, hexadecimal."""

    url: str
    key: str


@dataclass(slots=True)
class Payment:
    """A payment that was begun; ``answer`` names what the customer chose at Klarna."""

    id: str
    request: Mapping[str, Any]
    psp: str = field(default_factory=lambda: "".join(secrets.choice(_ALPHABET) for _ in range(16)))
    answer: str | None = None


class Payments:
    """All payments of this process.

    Args:
        endpoints: receivers of webhooks.
        pauses: seconds before each further try of a webhook that was not accepted.
    """

    def __init__(
        self, endpoints: tuple[Endpoint, ...] = (), pauses: tuple[float, ...] = (0.2, 1, 5, 30)
    ) -> None:
        self.endpoints = list(endpoints)
        self.broken = False
        self._pauses = pauses
        self._kept: dict[str, Payment] = {}

    def begin(self, request: Mapping[str, Any]) -> Payment:
        payment = Payment(secrets.token_urlsafe(12), request)
        self._kept[payment.id] = payment
        return payment

    def find(self, ident: str) -> Payment | None:
        return self._kept.get(ident)

    def decide(self, payment: Payment, answer: str) -> None:
        """Take what the customer chose, once; the webhooks leave at once, whoever comes back."""
        if payment.answer is not None:
            return
        payment.answer = answer
        if ANSWERS[answer]["resultCode"] != "Cancelled":
            threading.Thread(target=self._notify, args=(payment,), daemon=True).start()

    def _notify(self, payment: Payment) -> None:
        for endpoint in self.endpoints:
            body = json.dumps(notification(payment, endpoint.key)).encode()
            for pause in (0.0, *self._pauses):
                time.sleep(pause)
                if _accepted(endpoint.url, body):
                    break
            else:
                _log.warning("%s did not accept %s", endpoint.url, payment.psp)


def told(payment: Payment) -> dict[str, Any]:
    """Return the answer to ``/payments/details``."""
    answer = dict(ANSWERS[payment.answer or "cancelled"])
    del answer["choice"]
    return {
        "pspReference": payment.psp,
        **answer,
        "amount": payment.request["amount"],
        "merchantReference": payment.request["reference"],
        "paymentMethod": {"type": "klarna"},
    }


def notification(payment: Payment, key: str) -> dict[str, Any]:
    """Return the signed webhook of a payment's end."""
    answer = ANSWERS[payment.answer or "cancelled"]
    paid = answer["resultCode"] == "Authorised"
    item = {
        "amount": payment.request["amount"],
        "eventCode": "AUTHORISATION",
        "eventDate": datetime.now(UTC).isoformat(timespec="seconds"),
        "merchantAccountCode": payment.request["merchantAccount"],
        "merchantReference": payment.request["reference"],
        "paymentMethod": "klarna",
        "pspReference": payment.psp,
        "reason": "" if paid else answer["refusalReason"],
        "success": "true" if paid else "false",
    }
    signed = generate_notification_sig(item, key)
    text = signed.decode() if isinstance(signed, bytes) else str(signed)
    item["additionalData"] = {"hmacSignature": text}
    return {"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}


def _accepted(url: str, body: bytes) -> bool:
    request = urllib.request.Request(  # noqa: S310 - addresses of this machine
        url, body, {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False
