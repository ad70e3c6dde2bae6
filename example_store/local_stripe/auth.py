"""Who is calling: a secret key for everything, a publishable key for what a page may do."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from flask import Request

from .errors import StripeError
from .store import Json

_PUBLISHABLE: Final = (
    ("POST", re.compile(r"/v1/payment_methods")),
    ("GET", re.compile(r"/v1/payment_intents/\w+")),
    ("POST", re.compile(r"/v1/payment_intents/\w+/confirm")),
)


def key_of(request: Request, params: Json) -> str:
    """Return the API key of a request, from its ``Authorization`` header or its ``key`` parameter.

    Raises:
        StripeError: 401 without a key, or with one that is no test key.
    """
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    key = str(params.pop("key", ""))
    if scheme == "Bearer":
        key = value
    elif scheme == "Basic":
        try:
            key = base64.b64decode(value).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            key = ""
    if not key:
        raise StripeError(
            401,
            "invalid_request_error",
            "You did not provide an API key. You need to provide your API key in the Authorization"
            " header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        )
    if not key.startswith(("sk_test_", "pk_test_", "rk_test_")):
        raise StripeError(
            401,
            "invalid_request_error",
            f"Invalid API Key provided: {key[:8]}{'*' * 8}. The local Stripe takes test keys only.",
        )
    return key


def allow(request: Request, key: str) -> None:
    """Refuse what a publishable key may not do.

    Raises:
        StripeError: 403 when a secret key is needed.
    """
    if not key.startswith("pk_"):
        return
    for method, pattern in _PUBLISHABLE:
        if request.method == method and pattern.fullmatch(request.path):
            return
    raise StripeError(
        403,
        "invalid_request_error",
        "This API call cannot be made with a publishable API key. Please use a secret API key.",
        code="secret_key_required",
    )


def check_client_secret(key: str, params: Json, intent: Json) -> None:
    """Let a page touch an intent only when it knows the intent's client secret.

    Raises:
        StripeError: 400 when the secret is missing or another intent's.
    """
    given = params.pop("client_secret", None)
    if (key.startswith("pk_") or given is not None) and given != intent["client_secret"]:
        raise StripeError(
            400,
            "invalid_request_error",
            "The client_secret provided does not match any associated PaymentIntent on this"
            " account. Ensure the publishable key used belongs to the same account that created"
            " the PaymentIntent.",
            code="payment_intent_invalid_parameter" if given is None else "resource_missing",
            param="client_secret",
        )
