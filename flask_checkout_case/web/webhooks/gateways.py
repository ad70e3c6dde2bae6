"""Signed webhooks of gateways: verified on the raw bytes, durable before they are answered."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from flask import Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import ServiceUnavailable

from ...capture import make_event
from ...errors import (
    CheckoutCaseError,
    InvalidInputError,
    NotFoundError,
    SignatureError,
    UnavailableError,
)
from ...gateways import GATEWAYS
from ...services import ingest
from ...services.runtime import Runtime
from ...signals import FROM_SHOP
from ...types import Event, Origin
from ..current import runtime
from .blueprint import blueprint

log = logging.getLogger(__name__)

ACCEPTED: Final = "[accepted]"
"""What Adyen wants to read; the others ask for the status alone."""


@blueprint.post("/webhooks/<gateway>")
def receive(gateway: str) -> ResponseReturnValue:
    """Take one webhook. Whatever can't be verified or read is a 400, and nothing is kept of it."""
    current = runtime()
    reader = _reader(current, gateway)
    raw = request.get_data(cache=False)
    events = _read(reader, gateway, raw, request.headers, current.clock())
    try:
        ingest.record(current, events)
    except Exception as error:
        # Nothing was written: the gateway sends it again.
        log.exception("a webhook of %s could not be stored", gateway)
        raise ServiceUnavailable from error
    return Response(ACCEPTED, mimetype="text/plain")


# Werkzeug's headers are a mapping whose names have no case, in all but their type.
Reader = Callable[[bytes, Any, datetime], Sequence[Event]]


def _reader(current: Runtime, name: str) -> Reader:
    """Return what verifies and reads this gateway's webhooks; the shop's own goes first."""
    own = current.hooks.gateways.get(name)
    if own is not None:
        return lambda raw, headers, now: _read_own(name, own, raw, headers, now)
    gateway, secrets = GATEWAYS.get(name), current.settings.webhook_secrets.get(name)
    if gateway is None or not secrets:
        raise NotFoundError("no such webhook")
    return lambda raw, headers, now: gateway.read_webhook(raw, headers, secrets, now)


def _read(reader: Reader, gateway: str, raw: bytes, headers: Any, now: datetime) -> Sequence[Event]:
    try:
        return reader(raw, headers, now)
    except UnavailableError as error:
        # Nothing is known against it: the gateway sends it again.
        raise ServiceUnavailable from error
    except CheckoutCaseError:
        raise
    except Exception as error:
        log.exception("a webhook of %s could not be read", gateway)
        raise SignatureError("the webhook can't be read") from error


def _read_own(
    gateway: str, reader: Callable[..., Any], raw: bytes, headers: Any, now: datetime
) -> list[Event]:
    # A redelivery is the same bytes, for readers that tell neither an event's id nor an attempt's.
    digest = hashlib.sha256(raw).hexdigest()
    events = []
    for number, (name, arguments) in enumerate(reader(raw, headers) or ()):
        if name not in FROM_SHOP:
            raise InvalidInputError(f"{name!r} is none of our signals")
        told = {"provider": gateway, **arguments}
        event = make_event(name, told, now, f"{gateway}:{digest}:{number}")
        events.append(replace(event, origin=Origin.GATEWAY))
    return events
