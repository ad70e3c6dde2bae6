"""A shop whose service level escalates, its staff, and what its clocks have written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select

from flask_checkout_case import Agent
from flask_checkout_case.data.models import CaseRow
from flask_checkout_case.services import cases as services
from flask_checkout_case.services.staff import remember_agent

from .due import entries, runtime_of
from .shop import Shop

LIN = Agent(ref="7", name="Lin", teams=["payments"], email="lin@example.com")
ODA = Agent(ref="8", name="Oda", teams=["payments", "seniors"], email="oda@example.com")
BOSS = Agent(ref="1", name="Noor", role="supervisor", email="noor@example.com")
AWAY = Agent(ref="9", name="Gone", teams=["payments"])

POLICY = """
currency = "USD"

[teams.payments]
name = "Payments"

[teams.seniors]
name = "Seniors"

[calendars.office]
timezone = "America/New_York"
mon-fri = ["09:00-17:00"]

[sla.payment]
calendar = "always"
first_response = "15m"
next_response = "30m"
resolution = "4h"
escalate = [
  { at = "75%", notify = ["assignee"] },
  { at = "100%", priority = "urgent", notify = ["team"] },
  { after = "15m", team = "seniors", protocol = "rescue", notify = ["supervisors"] },
]

[sla.office]
calendar = "office"
first_response = "2h"
resolution = "1d"

[protocols.rescue]
name = "Rescue"
tasks = [{ title = "Ring the customer", within = "10m" }]

[[routes]]
name = "Everything"
team = "payments"
sla = "payment"
"""
OFFICE = POLICY.replace('sla = "payment"', 'sla = "office"')


def escalating_shop(
    make_app: Callable[..., Shop], home: Path, policy: str = POLICY, **config: Any
) -> Shop:
    """Make a shop with this policy whose staff have all been seen."""
    path = home / "policy.toml"
    path.write_text(policy)
    public = {"CHECKOUT_CASE_PUBLIC_URL": "https://shop.example.com"}
    shop = make_app(CHECKOUT_CASE_POLICY=str(path), **public, **config)
    for agent in (LIN, ODA, BOSS, AWAY):
        remember_agent(runtime_of(shop), agent)
    return shop


def only_case(shop: Shop) -> CaseRow:
    with runtime_of(shop).read() as session:
        return session.scalars(select(CaseRow)).one()


def actions(shop: Shop) -> list[tuple[str, str, int, int]]:
    """Return what clocks and steps have written on the timeline."""
    lines = [line.data or {} for line in entries(shop, "escalation")]
    told = [one for one in lines if "clock" in one]
    return [(one["action"], one["clock"], one["percent"], one.get("after", 0)) for one in told]


def assign(shop: Shop, agent: Agent) -> None:
    """Let an agent take the only case."""
    found = only_case(shop)
    services.take(runtime_of(shop), found.reference, agent=agent, version=found.version)
