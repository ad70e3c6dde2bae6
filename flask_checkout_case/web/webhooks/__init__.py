"""Signed webhooks of gateways: verified on the raw bytes, durable before they are answered."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import Headers

from ...capture import make_event
from ...errors import CheckoutCaseError, InvalidInputError, NotFoundError, SignatureError
from ...gateways import stripe
from ...services import ingest
from ...services.runtime import Runtime
from ...types import Event
from ..current import runtime
from ..guard import protect

log = logging.getLogger(__name__)

blueprint = Blueprint("checkout_case_webhooks", __name__)
protect(blueprint, csp="default-src 'none'")


@blueprint.post("/webhooks/<gateway>")
def receive(gateway: str) -> ResponseReturnValue:
    """Take one webhook. Whatever can't be verified or read is a 400, and nothing is kept of it."""
    raw = request.get_data(cache=False)
    events = _read(runtime(), gateway, raw, request.headers)
    ingest.record(runtime(), events)
    return jsonify(received=True)


def _read(current: Runtime, gateway: str, raw: bytes, headers: Headers) -> Sequence[Event]:
    own = current.hooks.gateways.get(gateway)
    if own is not None:
        return _read_own(gateway, own, raw, headers, current.clock())
    secrets = current.settings.webhook_secrets.get(gateway)
    if gateway != stripe.NAME or not secrets:
        raise NotFoundError("no such webhook")
    text = stripe.verify(raw, headers.get("Stripe-Signature"), secrets, current.clock())
    event = stripe.read_event(_parse(text))
    return [] if event is None else [event]


def _parse(text: str) -> Mapping[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError("the body is not JSON") from error
    if not isinstance(body, Mapping):
        raise InvalidInputError("the body is not a JSON object")
    return body


def _read_own(
    gateway: str, reader: Any, raw: bytes, headers: Headers, now: datetime
) -> Sequence[Event]:
    try:
        told = reader(raw, headers)
    except CheckoutCaseError:
        raise
    except Exception as error:
        log.exception("the gateway %s could not read a webhook", gateway)
        raise SignatureError("the webhook can't be read") from error
    return [
        make_event(name, {"provider": gateway, **arguments}, now) for name, arguments in told or ()
    ]
