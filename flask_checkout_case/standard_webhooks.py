"""Standard Webhooks, signed and verified by the ``standardwebhooks`` library behind three guards.

The library signs a time without a zone, or of another one, as if it were UTC; raises a
``ValueError`` for a malformed signature; and takes a secret of one byte. Source of the rules:
https://www.standardwebhooks.com.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from .errors import ConfigurationError, SignatureError

SHORTEST: Final = 24
"""Bytes of a secret, as the standard has it."""
LARGEST: Final = 65_536
PREFIX: Final = "whsec_"


def read_secret(text: str) -> bytes:
    """Return a secret's bytes.

    Raises:
        ConfigurationError: it is no base64 of at least 24 bytes.
    """
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigurationError("a webhook secret is base64 behind 'whsec_'") from error
    if len(key) < SHORTEST:
        raise ConfigurationError(f"a webhook secret has at least {SHORTEST} bytes")
    return key


def sign(secrets: Sequence[str], message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """Return the headers of a message.

    Args:
        secrets: one or two; while one is being replaced, both sign.
        now: aware.
    """
    if now.tzinfo is None:
        raise ValueError("a time without a zone can't be signed")
    at = now.astimezone(UTC)
    text = body.decode()
    signatures = [Webhook(read_secret(one)).sign(message_id, at, text) for one in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes) -> None:
    """Refuse what isn't signed with one of the secrets, is older or newer than five minutes.

    Raises:
        SignatureError: it isn't; nothing else is told.
    """
    given = {name.lower(): value for name, value in headers.items()}
    for secret in secrets:
        try:
            Webhook(read_secret(secret)).verify(body, given, json_parse=False)
        except (WebhookVerificationError, ValueError):
            continue
        return
    raise SignatureError("the signature does not verify")
