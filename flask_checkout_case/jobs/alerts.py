"""Webhooks to the shop's own systems: signed by the Standard Webhooks rules, sent by the guard.

The receiver verifies with any library of https://www.standardwebhooks.com: the key is the secret's
base64 behind ``whsec_``, signed is ``id.timestamp.body``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from .. import egress
from ..services import escalation
from ..services.runtime import Runtime
from .letters import case_link
from .mail import PermanentError

GONE: Final = 410
"""The receiver wants no more of it, says the standard."""


class RefusedError(Exception):
    """The receiver answered something else than 2xx; it is tried again."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A webhook that is ready to be sent.

    Args:
        id: the same for each try, so that the receiver acts once.
    """

    url: str
    id: str
    body: bytes


def escalated(runtime: Runtime, case_id: int | None, payload: Mapping[str, Any], key: str) -> Alert:
    """Make the webhook that tells of an escalation.

    Args:
        payload: where it goes to, and what the step told of.
        key: the outbox's; it makes the webhook's id.

    Raises:
        PermanentError: the case is gone, or the configuration no longer allows it.
    """
    row = escalation.case_of(runtime, case_id)
    if row is None:
        raise PermanentError("the case is gone")
    if payload["url"] not in runtime.settings.alert_urls:
        raise PermanentError("the address is no longer in CHECKOUT_CASE_ALERT_URLS")
    if not runtime.settings.alert_secrets:
        raise PermanentError(
            "unsigned, nobody could tell who posts: set CHECKOUT_CASE_ALERT_SECRETS"
        )
    told = {name: value for name, value in payload.items() if name not in {"url", "at"}}
    case = {
        "reference": row.reference,
        "status": row.status,
        "category": row.category,
        "priority": row.priority,
        "team": row.team,
        "link": case_link(runtime, row),
    }
    body = {"type": "case.escalated", "timestamp": payload["at"], "data": {**told, "case": case}}
    named = "msg_" + hashlib.sha256(key.encode()).hexdigest()[:32]
    return Alert(str(payload["url"]), named, json.dumps(body, separators=(",", ":")).encode())


def send(runtime: Runtime, alert: Alert, now: datetime) -> None:
    """Post it once.

    Raises:
        PermanentError: the receiver is gone for good.
        RefusedError, EgressRefusedError, OSError: it may be tried again.
    """
    answer = egress.request(
        "POST",
        alert.url,
        headers={
            "Content-Type": "application/json",
            "User-Agent": "flask-checkout-case",
            **signed(runtime.settings.alert_secrets, alert, now),
        },
        body=alert.body,
        allow=egress.read_networks(runtime.settings.egress_allow),
    )
    if answer.status == GONE:
        raise PermanentError("the receiver answered 410: it is gone")
    if not 200 <= answer.status < 300:
        raise RefusedError(f"the receiver answered {answer.status}")


def signed(secrets: Sequence[str], alert: Alert, now: datetime) -> dict[str, str]:
    """Return the headers by which the receiver knows that it is from us, and fresh.

    Args:
        secrets: one or two; while one is being replaced, both sign.
    """
    stamp = str(int(now.timestamp()))
    text = f"{alert.id}.{stamp}.".encode() + alert.body
    signatures = [
        base64.b64encode(hmac.new(_key(secret), text, hashlib.sha256).digest()).decode()
        for secret in secrets
    ]
    return {
        "webhook-id": alert.id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
