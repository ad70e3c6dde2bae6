"""A desk whose policy gives cases out, and processes that all give out at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select

from flask_checkout_case import Agent, CaseInfo
from flask_checkout_case.data.models import AssignmentRow, CaseRow
from flask_checkout_case.services.assignment import place_waiting
from flask_checkout_case.services.runtime import Runtime
from flask_checkout_case.services.staff import remember_agent

from .desk import decline, runtime_of
from .shop import Shop, build_shop, dispose

POLICY = """
currency = "USD"

[teams.payments]
name = "Payments"
{settings}

[teams.fulfilment]
name = "Fulfilment"

[[routes]]
name = "everything"
team = "payments"
"""
AT_ONCE = """
[payments]
recovers_within = "0s"
"""


def giving_shop(make: Callable[..., Shop], home: Path, settings: str, **config: Any) -> Shop:
    """Make a shop all of whose cases go to one team, with these lines about it in the policy."""
    file = home / "policy.toml"
    text = POLICY.format(settings=settings)
    file.write_text(text if "[payments]" in settings else text + AT_ONCE)
    return make(CHECKOUT_CASE_POLICY=str(file), **config)


def arrive(shop: Shop, *refs: str, limit: int | None = None) -> None:
    """Let agents of the team open the workspace."""
    for ref in refs:
        agent = Agent(ref=ref, name=f"Agent {ref}", teams=["payments"], limit=limit)
        runtime_of(shop).extras.pop("agents_seen", None)
        remember_agent(runtime_of(shop), agent)


def who(ref: str) -> Agent:
    return Agent(ref=ref, name=f"Agent {ref}", teams=["payments"])


def open_cases(shop: Shop, number: int, **more: Any) -> list[CaseInfo]:
    """Let so many payments fail, and return the cases, the first one first."""
    return [decline(shop, f"c-{count}", **more) for count in range(number)]


def assignments(shop: Shop) -> list[AssignmentRow]:
    with runtime_of(shop).read() as session:
        return list(session.scalars(select(AssignmentRow).order_by(AssignmentRow.id)))


def row_of(shop: Shop, reference: str) -> CaseRow:
    with runtime_of(shop).read() as session:
        return session.scalars(select(CaseRow).where(CaseRow.reference == reference)).one()


def holders(shop: Shop) -> dict[str, str | None]:
    """Return who has which case."""
    with runtime_of(shop).read() as session:
        found = session.execute(select(CaseRow.reference, CaseRow.assignee_ref)).all()
        return {row.reference: row.assignee_ref for row in found}


def give_out(
    url: str, home: str, policy: str, start: Any, times: int
) -> None:  # pragma: no cover - in a process of its own
    """Give out what waits, again and again, together with others who do the same."""
    shop = build_shop(url, Path(home), create_tables=False, CHECKOUT_CASE_POLICY=policy)
    runtime: Runtime = runtime_of(shop)
    with runtime.read() as session:
        session.execute(select(CaseRow.id)).all()
    start.wait(timeout=60)
    with shop.app.app_context():
        for _ in range(times):
            place_waiting(runtime)
    dispose(shop)
