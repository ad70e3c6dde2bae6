"""The calls of Stripe's API that this process answers itself."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from typing import Any, TypeAlias

from . import charges, methods
from .auth import check_client_secret
from .errors import invalid, missing
from .events import Events
from .intents import Intents, public
from .store import Json, Store, new_id

Handler: TypeAlias = Callable[[Json, str], Json]


class Api:
    """Finds the handler of a call: it takes parameters and API key, and returns the body."""

    def __init__(self, store: Store, intents: Intents, events: Events) -> None:
        self._store = store
        self._intents = intents
        self._events = events
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Json]]] = [
            (method, re.compile(pattern), handler)
            for method, pattern, handler in (
                ("POST", r"payment_methods", self._create_method),
                ("GET", r"payment_methods", self._list_methods),
                ("GET", r"payment_methods/(\w+)", self._get_method),
                ("POST", r"payment_methods/(\w+)/attach", self._attach),
                ("POST", r"payment_methods/(\w+)/detach", self._detach),
                ("POST", r"payment_intents", self._create_intent),
                ("GET", r"payment_intents", self._list("payment_intent", "customer")),
                ("GET", r"payment_intents/(\w+)", self._get_intent),
                ("POST", r"payment_intents/(\w+)", self._update_intent),
                ("POST", r"payment_intents/(\w+)/confirm", self._confirm),
                ("POST", r"payment_intents/(\w+)/capture", self._capture),
                ("POST", r"payment_intents/(\w+)/cancel", self._cancel),
                ("GET", r"charges", self._list("charge", "payment_intent", "customer")),
                ("GET", r"charges/(\w+)", self._get("charge")),
                ("POST", r"refunds", self._refund),
                ("GET", r"refunds", self._list("refund", "payment_intent", "charge")),
                ("GET", r"refunds/(\w+)", self._get("refund")),
                ("GET", r"events", self._list("event", "type")),
                ("GET", r"events/(\w+)", self._get("event")),
                ("POST", r"webhook_endpoints", self._create_endpoint),
                ("GET", r"webhook_endpoints", self._list("webhook_endpoint")),
                ("GET", r"webhook_endpoints/(\w+)", self._get("webhook_endpoint")),
            )
        ]

    def find(self, method: str, path: str) -> Handler | None:
        """Return the handler of a call, or ``None`` when it is not one of ours."""
        for allowed, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match and allowed == method:
                groups = match.groups()
                return lambda params, key: self._held(handler, groups, params, key)
        return None

    def _held(
        self, handler: Callable[..., Json], groups: tuple[str, ...], params: Json, key: str
    ) -> Json:
        expand = params.pop("expand", [])
        with self._store.exclusive():
            body = handler(*groups, params, key)
        return self._expanded(body, expand if isinstance(expand, list) else [])

    def _expanded(self, body: Json, expand: list[Any]) -> Json:
        kinds = {"payment_method": "payment_method", "latest_charge": "charge"}
        for name in expand:
            ident = body.get(str(name))
            if isinstance(ident, str) and name in kinds:
                found = self._store.get(kinds[str(name)], ident)
                body = {**body, str(name): public(found) if found else None}
        return body

    def _get(self, kind: str) -> Callable[..., Json]:
        def get(ident: str, _params: Json, _key: str) -> Json:
            found = self._store.get(kind, ident)
            if found is None:
                raise missing(kind, ident)
            return public(found)

        return get

    def _list(self, kind: str, *filters: str) -> Callable[..., Json]:
        def listed(params: Json, _key: str) -> Json:
            rows = self._store.all(kind)
            for name in filters:
                if params.get(name):
                    rows = [row for row in rows if row.get(name) == params[name]]
            return _page(rows, params, f"/v1/{kind}s")

        return listed

    def _create_method(self, params: Json, _key: str) -> Json:
        return methods.public(methods.create(self._store, params))

    def _get_method(self, ident: str, _params: Json, _key: str) -> Json:
        return methods.public(methods.find(self._store, ident))

    def _list_methods(self, params: Json, _key: str) -> Json:
        rows = [
            row
            for row in self._store.all("payment_method")
            if row["customer"] and row["customer"] == params.get("customer")
        ]
        return _page(rows, params, "/v1/payment_methods")

    def _attach(self, ident: str, params: Json, _key: str) -> Json:
        return methods.public(methods.attach(self._store, ident, params.get("customer")))

    def _detach(self, ident: str, _params: Json, _key: str) -> Json:
        return methods.public(methods.detach(self._store, ident))

    def _create_intent(self, params: Json, _key: str) -> Json:
        return public(self._intents.create(params))

    def _get_intent(self, ident: str, params: Json, key: str) -> Json:
        intent = self._intents.get(ident)
        check_client_secret(key, params, intent)
        return public(intent)

    def _update_intent(self, ident: str, params: Json, _key: str) -> Json:
        return public(self._intents.update(ident, params))

    def _confirm(self, ident: str, params: Json, key: str) -> Json:
        check_client_secret(key, params, self._intents.get(ident))
        return public(self._intents.confirm(ident, params))

    def _capture(self, ident: str, _params: Json, _key: str) -> Json:
        return public(self._intents.capture(ident))

    def _cancel(self, ident: str, params: Json, _key: str) -> Json:
        return public(self._intents.cancel(ident, params))

    def _refund(self, params: Json, _key: str) -> Json:
        made = charges.refund(self._store, params)
        charge = self._store.get("charge", made["charge"])
        if charge is not None:
            self._events.emit("charge.refunded", charge)
        return made

    def _create_endpoint(self, params: Json, _key: str) -> Json:
        url, wanted = str(params.get("url") or ""), params.get("enabled_events")
        if not url.startswith(("http://", "https://")):
            raise invalid("Invalid URL: an explicit scheme (such as https) must be provided.")
        if not isinstance(wanted, list) or not wanted:
            raise invalid("Missing required param: enabled_events.", param="enabled_events")
        secret = f"whsec_{secrets.token_hex(16)}"
        kept = self._store.put(
            {
                "id": new_id("we"),
                "object": "webhook_endpoint",
                "created": int(time.time()),
                "enabled_events": wanted,
                "livemode": False,
                "status": "enabled",
                "url": url,
                "_secret": secret,
            }
        )
        self._events.register(kept)
        return {**public(kept), "secret": secret}


def _page(rows: list[Json], params: Json, url: str) -> Json:
    limit = min(100, max(1, int(params.get("limit") or 10)))
    after = params.get("starting_after")
    idents = [row["id"] for row in rows]
    start = idents.index(after) + 1 if after in idents else 0
    page = rows[start : start + limit]
    return {
        "object": "list",
        "data": [public(row) for row in page],
        "has_more": start + limit < len(rows),
        "url": url,
    }
