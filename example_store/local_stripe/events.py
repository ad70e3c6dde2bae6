"""Events: kept, signed and posted to the receivers of webhooks until they are taken."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import urlsplit

from .intents import public
from .settings import Endpoint, Settings
from .store import Json, Store, new_id

API_VERSION: Final = "2026-10-28.endive"
_log = logging.getLogger(__name__)


def sign(body: bytes, secret: str, at: int) -> str:
    """Return the ``Stripe-Signature`` header for ``body``, signed at the Unix time ``at``."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def post(endpoint: Endpoint, body: bytes, timeout: float) -> int:
    """Post a signed event once.

    Returns:
        the HTTP status of the answer, 0 when there was none.
    """
    parts = urlsplit(endpoint.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": sign(body, endpoint.secret, int(time.time())),
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    }
    try:
        connection.request("POST", parts.path or "/", body=body, headers=headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


class Events:
    """What happened, and its delivery. Deliveries run side by side, so their order is open."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._endpoints: dict[str, Endpoint] = {
            f"we_configured_{index}": endpoint for index, endpoint in enumerate(settings.endpoints)
        }
        for kept in store.all("webhook_endpoint"):
            self.register(kept)
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._busy: set[int] = set()
        self._thread: threading.Thread | None = None

    def add(self, endpoint: Endpoint) -> None:
        """Deliver to one more receiver from now on."""
        self._endpoints[f"we_configured_{len(self._endpoints)}"] = endpoint

    def register(self, endpoint: Json) -> None:
        """Deliver to a webhook endpoint that was made by the API."""
        wanted: Sequence[str] = endpoint["enabled_events"]
        self._endpoints[endpoint["id"]] = Endpoint(
            endpoint["url"], endpoint["_secret"], () if "*" in wanted else tuple(wanted)
        )

    def emit(self, kind: str, subject: Json) -> Json:
        """Record an event and plan its deliveries."""
        takers = [
            ident
            for ident, endpoint in self._endpoints.items()
            if not endpoint.events or kind in endpoint.events
        ]
        event = self._store.put(
            {
                "id": new_id("evt"),
                "object": "event",
                "api_version": API_VERSION,
                "created": int(time.time()),
                "data": {"object": public(subject)},
                "livemode": False,
                "pending_webhooks": len(takers),
                "request": {"id": new_id("req"), "idempotency_key": None},
                "type": kind,
            }
        )
        for ident in takers:
            self._store.plan_delivery(event["id"], ident)
        self._wake.set()
        return event

    def start(self) -> None:
        """Begin to deliver, in the background."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop delivering; what was not taken yet is delivered after the next start."""
        self._stopped.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(self._settings.delivery_timeout + 1)
            self._thread = None

    def _run(self) -> None:
        with ThreadPoolExecutor(4, thread_name_prefix="webhook") as pool:
            while not self._stopped.is_set():
                self._wake.clear()
                for delivery in self._store.due_deliveries(time.time()):
                    if delivery["id"] not in self._busy:
                        self._busy.add(delivery["id"])
                        pool.submit(self._deliver, delivery)
                self._wake.wait(self._pause())

    def _pause(self) -> float:
        due = self._store.next_due()
        return 60.0 if due is None else min(60.0, max(0.05, due - time.time()))

    def _deliver(self, delivery: Json) -> None:
        try:
            endpoint = self._endpoints.get(delivery["endpoint"])
            event = self._store.get("event", delivery["event"])
            if endpoint is None or event is None:
                self._store.record_delivery(delivery["id"], 0, None)
                return
            body = json.dumps(event, indent=2).encode()
            status = post(endpoint, body, self._settings.delivery_timeout)
            again = self._next_attempt(status, delivery["attempts"])
            self._store.record_delivery(delivery["id"], status, again)
            if again is not None:
                _log.warning("%s answered %s to %s", endpoint.url, status or "nothing", event["id"])
        finally:
            self._busy.discard(delivery["id"])
            self._wake.set()

    def _next_attempt(self, status: int, attempts: int) -> float | None:
        delays = self._settings.retry_delays
        if 200 <= status < 300 or attempts >= len(delays):
            return None
        return time.time() + delays[attempts]
