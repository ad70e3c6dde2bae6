"""A shop with a few agents, known by a cookie, and cases for them to work on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import request

from flask_checkout_case import Agent, CaseInfo, Checkout, Customer, Line, Money, signals
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


def open_desk(make: Callable[..., Shop], **config: Any) -> Shop:
    """Make a shop in which the cookie ``agent`` says who is at the desk."""
    shop = make(**config)

    @shop.cases.agent_loader
    def load_agent() -> Agent | None:
        return AGENTS.get(request.cookies.get(COOKIE, ""))

    return shop


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


def decline(shop: Shop, ref: str, *, code: str = "insufficient_funds", **more: Any) -> CaseInfo:
    """Let a payment of this checkout fail, and return its case."""
    details = {key: more.pop(key) for key in ("attempt_id", "method", "at") if key in more}
    with shop.app.app_context():
        signals.payment_failed.send(
            shop.app,
            checkout=checkout(ref, **more),
            provider="stripe",
            failure_code="card_declined",
            decline_code=code,
            **details,
        )
        shop.cases.flush()
        return shop.cases.find(checkout_ref=ref)[0]


def ago(**span: float) -> datetime:
    return datetime.now(UTC) - timedelta(**span)
