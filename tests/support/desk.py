"""A shop with a few agents, known by a cookie, and cases for them to work on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

from flask import request
from sqlalchemy import event
from webtest import TestApp, TestResponse

from flask_checkout_case import Agent, CaseInfo, Checkout, Customer, Line, Money, signals
from flask_checkout_case.rules.signs import occurrence
from flask_checkout_case.services import glancing, reading
from flask_checkout_case.services.runtime import Runtime
from flask_checkout_case.services.staff import remember_agent

from .shop import Shop

AGENTS = {
    "lin": Agent(ref="7", name="Lin Okafor", teams=["payments", "concierge"]),
    "sam": Agent(ref="8", name="Sam Duarte", teams=["payments"]),
    "eve": Agent(ref="9", name="Eve Lindqvist", teams=["fulfilment"]),
    "boss": Agent(ref="1", name="Noor Haddad", role="supervisor"),
}
LIN, SAM, EVE, BOSS = AGENTS["lin"], AGENTS["sam"], AGENTS["eve"], AGENTS["boss"]
COOKIE = "agent"
AGENT_PAGES = "/checkout-case/agent"
ORIGIN = {"Origin": "http://localhost"}


def open_desk(make: Callable[..., Shop], **config: Any) -> Shop:
    """Make a shop that knows its agents, and by the cookie ``agent`` who is at the desk."""
    shop = make(**config)
    seat_agents(shop)
    know_agents(shop)
    return shop


def seat_agents(shop: Shop) -> None:
    """Let the cookie ``agent`` say who is at the desk."""

    @shop.cases.agent_loader
    def load_agent() -> Agent | None:
        return AGENTS.get(request.cookies.get(COOKIE, ""))


def runtime_of(shop: Shop) -> Runtime:
    found: Runtime = shop.app.extensions["checkout_case"]
    return found


def know_agents(shop: Shop) -> None:
    """Let the shop know its agents, as their first visit would."""
    for agent in AGENTS.values():
        remember_agent(runtime_of(shop), agent)


def checkout(ref: str, value: str = "120.00", name: str = "Ada Lovelace", **more: Any) -> Checkout:
    given: dict[str, Any] = {
        "ref": ref,
        "value": Money(value, "USD"),
        "step": "payment",
        "customer": Customer(ref=f"of-{name}", name=name, email="ada@example.com", orders=3),
        "lines": [Line(sku="BAG-1", title="Colette crossbody", unit_price=Money(value, "USD"))],
        **more,
    }
    return Checkout(**given)


_PAYMENT = ("at", "attempt_id", "livemode", "method", "outcome", "payment_id", "provider")
"""What is told of the payment, not of the checkout."""


def decline(shop: Shop, ref: str, *, code: str = "insufficient_funds", **more: Any) -> CaseInfo:
    """Let a payment of this checkout fail, and return its case."""
    details = {"provider": "stripe"} | {key: more.pop(key) for key in _PAYMENT if key in more}
    with shop.app.app_context():
        signals.payment_failed.send(
            shop.app,
            checkout=checkout(ref, **more),
            failure_code="card_declined",
            decline_code=code,
            **details,
        )
        shop.cases.flush()
        return shop.cases.find(checkout_ref=ref)[0]


def watch(shop: Shop, ref: str, value: str = "5200.00", **more: Any) -> None:
    """Let somebody be in a checkout who has consented to being observed."""
    shop.cases.consent_loader(lambda: True)
    runtime = runtime_of(shop)
    with shop.app.app_context():
        signals.checkout_started.send(
            shop.app, checkout=checkout(ref, value, **more), at=runtime.clock()
        )
        shop.cases.flush()
        glancing.note_consent(runtime, ref, None)
        shop.cases.flush()


def notice(shop: Shop, ref: str, *kinds: str) -> None:
    """Let a browser in a checkout notice these signs."""
    runtime = runtime_of(shop)
    at = runtime.clock()
    for number, kind in enumerate(kinds):
        told = {kind: [occurrence(at, f"{kind}{number}")]}
        glancing.take(runtime, ref, told, dismissed=False)
        with shop.app.app_context():
            shop.cases.flush()


def ago(**span: float) -> datetime:
    return datetime.now(UTC) - timedelta(**span)


class Desk:
    """An agent's browser without scripts."""

    def __init__(self, shop: Shop, who: str | None) -> None:
        self.http = TestApp(shop.app)
        if who is not None:
            self.http.set_cookie(COOKIE, who)

    def get(self, page: str = "", **more: Any) -> TestResponse:
        return self.http.get(f"{AGENT_PAGES}/{page}", **more)

    def do(self, reference: str, deed: str, *, answers: int = 303, **fields: Any) -> TestResponse:
        """Open the case and press a button on it; ``fields`` override what the form holds."""
        return self.send(reference, deed, self.get(f"cases/{reference}").text, answers, **fields)

    def send(
        self, reference: str, deed: str, page: str, answers: int = 303, **fields: Any
    ) -> TestResponse:
        """Press a button on a page that was opened before."""
        form = {**_hidden_fields(page), **fields}
        address = f"{AGENT_PAGES}/cases/{reference}/{deed}"
        kept = {name: value for name, value in form.items() if value is not None}
        return self.http.post(address, kept, headers=ORIGIN, status=answers)


def _hidden_fields(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]+)"[^>]* value="([^"]*)">', page)
    return {name: unescape(value) for name, value in found}


def now(shop: Shop, case: CaseInfo) -> CaseInfo:
    """Return the case as it is by now."""
    return reading.get(runtime_of(shop), case.reference)


def body(page: str) -> str:
    """Return what a reader sees of a page: no tags, one space between words."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


@contextmanager
def statements(shop: Shop) -> Iterator[list[str]]:
    """Note what our engine executes inside the ``with`` block."""
    noted: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            noted.append(statement)

    engine = runtime_of(shop).database.engine
    # Looked for every other second, whatever the page is.
    runtime_of(shop).incidents.refresh(runtime_of(shop).database)
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield noted
    finally:
        event.remove(engine, "before_cursor_execute", note)
