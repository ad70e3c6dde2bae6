"""A policy whose large carts are looked after step by step, and a call that is promised."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import select

from flask_checkout_case import CaseInfo
from flask_checkout_case.data.callback_models import CallbackRow
from flask_checkout_case.data.models import CaseRow, TaskRow
from flask_checkout_case.services import protocols

from .desk import runtime_of
from .shop import Shop

LARGE: Final = "6240.00"
"""A cart that the policy's first route takes."""

POLICY: Final = """
currency = "USD"

[teams.concierge]
name = "Concierge"
[teams.fulfilment]
name = "Fulfilment"
[teams.risk]
name = "Risk"
[teams.payments]
name = "Payments"

[calendars.office]
timezone = "Europe/Lisbon"
"mon-fri" = ["09:00-12:30", "13:30-18:00"]

[sla.concierge]
first_response = "5m"
[sla.office]
calendar = "office"
first_response = "1h"

[protocols.white-glove]
name = "White glove"
[[protocols.white-glove.tasks]]
title = "Call the customer"
within = "15m"
[[protocols.white-glove.tasks]]
title = "Hold the stock"
owner = "fulfilment"
within = "1h"
[[protocols.white-glove.tasks]]
title = "Offer another way to pay"
owner = "supervisors"
[[protocols.white-glove.tasks]]
title = "Offer gift wrapping"
required = false

[protocols.late]
name = "Late"
[[protocols.late.tasks]]
title = "Ring the bell"
within = "5m"

[[routes]]
name = "Fraud"
when = { category = ["fraud"] }
team = "risk"
[[routes]]
name = "Large, in office hours"
when = { total_over = "5000 USD", country = ["PT"] }
team = "concierge"
sla = "office"
protocol = "white-glove"
[[routes]]
name = "Large"
when = { total_over = "5000 USD" }
team = "concierge"
sla = "concierge"
priority = "high"
protocol = "white-glove"
[[routes]]
name = "Others"
team = "payments"
"""
TITLES: Final = (
    "Call the customer",
    "Hold the stock",
    "Offer another way to pay",
    "Offer gift wrapping",
)


def write_policy(folder: Path) -> Path:
    """Write the policy into a file and return where it is."""
    path = folder / "policy.toml"
    path.write_text(POLICY)
    return path


def tasks(shop: Shop) -> list[TaskRow]:
    """Return all tasks in the order of their making."""
    with runtime_of(shop).read() as session:
        return list(session.scalars(select(TaskRow).order_by(TaskRow.id)))


def follow_protocol(shop: Shop, key: str = "white-glove") -> None:
    """Add a protocol of the policy to every case."""
    with runtime_of(shop).write() as unit:
        for row in unit.session.scalars(select(CaseRow)).all():
            protocols.attach(unit, row, key)


def promise_call(shop: Shop, case: CaseInfo) -> None:
    """Let the customer of a case be promised a call, half an hour from now."""
    runtime = runtime_of(shop)
    with runtime.write() as unit:
        row = unit.session.scalars(select(CaseRow).where(CaseRow.reference == case.reference)).one()
        start = unit.now + timedelta(minutes=30)
        unit.session.add(
            CallbackRow(
                case_id=row.id,
                start_at=start,
                end_at=start + timedelta(minutes=30),
                place=1,
                zone="America/New_York",
                phone="+1 212 555 0142",
                asked_at=unit.now,
            )
        )
