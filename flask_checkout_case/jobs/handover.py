"""Sending approved order changes to fulfilment, by the Standard Webhooks' rules."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from .. import change_schema, egress
from ..services import change_steps, changes, checkout_changes, handover
from ..services.runtime import Runtime
from ..standard_webhooks import sign
from .mail import PermanentError

TIMEOUT: Final = 20.0
"""Seconds for each step of a connection."""
PAUSES: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        *(5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600),
    )
)
"""After each failed try, before the next; the standard's own schedule."""
JITTER: Final = 0.1
LONGEST_RETRY_AFTER: Final = timedelta(hours=24)
GONE: Final = 410


class NotReceivedError(Exception):
    """Fulfilment has not taken it; it is tried again.

    Args:
        retry_after: how long the receiver asks to be left alone.
    """

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Post:
    """What is ready to leave.

    Args:
        body: empty where the shop's own hook is all of fulfilment.
        is_change: whether an answer is expected.
    """

    change_id: str
    webhook_id: str
    body: bytes
    is_change: bool

    def send(self, runtime: Runtime) -> None:
        """Post it once, and write down what became of it.

        Raises:
            PermanentError: the receiver is gone for good.
            NotReceivedError, EgressRefusedError, OSError: it may be tried again.
        """
        outcome = self._post(runtime) if self.body else "no address: the shop applies it"
        if self.is_change:
            handover.received(runtime, self.change_id, outcome)
        else:
            handover.note(runtime, self.change_id, "told", outcome)

    def _post(self, runtime: Runtime) -> str:
        url, secrets = runtime.settings.fulfilment_url, runtime.settings.fulfilment_secrets
        if url is None or not secrets:
            raise PermanentError("set CHECKOUT_CASE_FULFILMENT_URL and …_SECRETS")
        signed = sign(secrets, self.webhook_id, self.body, datetime.now(UTC))
        try:
            answer = egress.request(
                "POST",
                url,
                headers={
                    "Content-Type": "application/json",
                    "User-Agent": "flask-checkout-case",
                    **signed,
                },
                body=self.body,
                allow=egress.read_networks(runtime.settings.egress_allow),
                timeout=TIMEOUT,
            )
        except Exception as error:
            handover.note(runtime, self.change_id, "failed", f"{type(error).__name__}: {error}")
            raise
        told = f"HTTP {answer.status}"
        if 200 <= answer.status < 300:
            return told
        handover.note(runtime, self.change_id, "failed", told)
        if answer.status == GONE:
            raise PermanentError("the receiver answered 410: it is gone")
        raise NotReceivedError(told, retry_after(answer.headers, datetime.now(UTC)))


@dataclass(frozen=True, slots=True)
class Application:
    """What the shop's own hook has to do."""

    change_id: str

    def send(self, runtime: Runtime) -> None:
        """Let the hook apply the change; what it raises is raised, and it is tried again."""
        handover.apply(runtime, self.change_id)


@dataclass(frozen=True, slots=True)
class Refund:
    """What was paid for a change that isn't made."""

    change_id: str

    def send(self, runtime: Runtime) -> None:
        """Let the shop's hook give it back; what it raises is raised, and it is tried again."""
        handover.give_back(runtime, self.change_id)


@dataclass(frozen=True, slots=True)
class LateApplication:
    """What the request of a customer in a checkout has left undone."""

    change_id: str

    def send(self, runtime: Runtime) -> None:
        """Let the shop's hook apply the change, or refuse it."""
        checkout_changes.apply(runtime, self.change_id)


def prepare(runtime: Runtime, kind: str, change_id: str, key: str) -> Post | str:
    """Make what is to be sent, or say why nothing is any more."""
    if kind == change_steps.HANDOVER:
        change, why = handover.begin(runtime, change_id)
        if change is None:
            return why or "not wanted"
    else:
        change = changes.get(runtime, change_id)
    has_address = runtime.settings.fulfilment_url is not None
    told = change_schema.dump(change, handover.TYPES[kind], runtime.clock())
    body = json.dumps(told, separators=(",", ":")).encode() if has_address else b""
    return Post(change_id, f"msg_{key}"[:250], body, kind == change_steps.HANDOVER)


def pause_after(attempts: int, error: Exception) -> timedelta | None:
    """Return how long to wait after so many tries; ``None`` when there is no further one."""
    if attempts > len(PAUSES):
        return None
    pause = PAUSES[attempts - 1] * (1 + random.random() * JITTER)  # noqa: S311 - spreads load
    asked = error.retry_after if isinstance(error, NotReceivedError) else None
    return max(pause, asked) if asked is not None else pause


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Read ``Retry-After``: seconds or a date; at most a day, nothing when it can't be read."""
    text = {name.lower(): value for name, value in headers.items()}.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        found = timedelta(seconds=min(int(text[:9]), 10**7))
    else:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        found = at.replace(tzinfo=at.tzinfo or UTC) - now
    return min(max(found, timedelta(0)), LONGEST_RETRY_AFTER)
