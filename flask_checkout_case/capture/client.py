"""Who is behind a request: a name for a payer's network, and whether anybody looks at the page."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from flask import has_request_context, request

from ..rules.attention import is_unattended
from ..rules.velocity import network_of
from ..services.runtime import Runtime
from ..services.watching import ATTENDED, UNATTENDED

CLIENT: Final = "client"
ADDRESS: Final = "client_address"
_PAYMENTS: Final = frozenset({"payment_failed", "payment_succeeded"})
_PURPOSE: Final = b"flask-checkout-case client"


def with_client(runtime: Runtime, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add to a payment's arguments what stands for its customer's network.

    ``client_address``, where the shop tells it, never goes further. What a crawler or a
    prefetch has asked for is marked: nobody has seen it.
    """
    if name in ATTENDED:
        return {**arguments, UNATTENDED: True} if _is_unattended() else arguments
    if name not in _PAYMENTS:
        return arguments
    address = arguments.get(ADDRESS) or _address_of_customer()
    if not isinstance(address, str):
        return arguments
    kept = {key: value for key, value in arguments.items() if key != ADDRESS}
    return {**kept, CLIENT: _named(next(iter(runtime.secret_keys()), ""), network_of(address))}


def _is_unattended() -> bool:
    return has_request_context() and is_unattended(request.headers)


def _address_of_customer() -> str | None:
    # A gateway that calls a webhook of the shop has no cookies; whoever has filled a bag has some.
    if not has_request_context() or not request.cookies:
        return None
    return request.remote_addr


@lru_cache(maxsize=4096)
def _named(secret: str, network: str) -> str:
    digest = hmac.new(_PURPOSE + secret.encode(), network.encode(), hashlib.sha256).digest()
    # Letters: what looks like a card's number would be masked.
    return base64.b32encode(digest[:10]).decode().lower()
