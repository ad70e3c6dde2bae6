"""The policies of the documentation's three shops do what its page says, on the real routing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from flask_checkout_case import CaseInfo, Checkout, Money
from flask_checkout_case.data.models import CaseRow, TaskRow
from flask_checkout_case.jobs.sweep import sweep
from flask_checkout_case.rules.policy import load_policy
from tests.support.due import (
    MINUTE,
    Clock,
    cases,
    checkout,
    decline,
    entries,
    runtime_of,
    send,
    set_clock,
)
from tests.support.shop import Shop

POLICIES = Path(__file__).parents[2] / "docs" / "policies"
BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)  # a Sunday

Opens = Callable[[str], Shop]


@pytest.fixture
def opens(make_app: Callable[..., Shop]) -> Opens:
    return lambda name: make_app(CHECKOUT_CASE_POLICY=str(POLICIES / f"{name}.toml"))


def row(shop: Shop) -> CaseRow:
    with runtime_of(shop).read() as session:
        return session.scalars(select(CaseRow)).one()


def asked(shop: Shop, at: datetime, **told: Any) -> CaseInfo:
    given = {"subject": "A question", "checkout": checkout(), **told}
    with shop.app.app_context():
        return shop.cases.open(at=at, **given)


@pytest.mark.parametrize("path", sorted(POLICIES.glob("*.toml")), ids=lambda path: path.stem)
def test_each_loads_and_is_shown(path: Path) -> None:
    assert load_policy(path).source == path.name
    page = (POLICIES.parent / "shop-policies.md").read_text()
    assert f"policies/{path.name}" in page


# --- the merchant of a payment processor ---------------------------------------------------------


def test_a_declined_payment_is_due_in_15_minutes_around_the_clock(opens: Opens) -> None:
    shop = opens("payments")
    set_clock(shop, NIGHT)
    case = decline(shop, NIGHT)
    assert (case.team, case.priority, case.route) == ("payments", "high", "Payment declined")
    assert case.first_response_due == NIGHT + 15 * MINUTE


def state(shop: Shop) -> tuple[str, str, list[str]]:
    """Return team, priority and whom each step has told so far."""
    case = row(shop)
    told = [
        "+".join((line.data or {})["notify"])
        for line in entries(shop, "escalation")
        if "notify" in (line.data or {})
    ]
    return case.team, case.priority, told


def test_it_warns_escalates_and_escalates_again(opens: Opens) -> None:
    shop = opens("payments")
    clock: Clock = set_clock(shop, NIGHT)
    decline(shop, NIGHT)
    moment = timedelta(microseconds=1)
    before: tuple[str, str, list[str]] = ("payments", "high", [])
    warned = ("payments", "high", ["assignee"])
    breached = ("payments", "urgent", ["assignee", "team"])
    again = ("supervisors", "urgent", ["assignee", "team", "supervisors"])
    for at, expected in (
        (11.25 * MINUTE - moment, before),
        (11.25 * MINUTE, warned),
        (15 * MINUTE - moment, warned),
        (15 * MINUTE, breached),
        (30 * MINUTE - moment, breached),
        (30 * MINUTE, again),
        (3 * 60 * MINUTE, again),
    ):
        clock.now = NIGHT + at
        sweep(runtime_of(shop))
        assert state(shop) == expected, at


def test_the_fourth_failure_makes_it_urgent(opens: Opens) -> None:
    shop = opens("payments")
    set_clock(shop, NIGHT)
    for number in range(3):
        case = decline(shop, NIGHT + number * MINUTE)
        assert (case.priority, case.route) == ("high", "Payment declined")
    case = decline(shop, NIGHT + 3 * MINUTE)
    assert (case.priority, case.route) == ("urgent", "Keeps failing")
    assert case.occurrences == 4


# --- the luxury retailer -------------------------------------------------------------------------


def bag(value: str, currency: str = "USD") -> Checkout:
    return Checkout(ref="c-bag", value=Money(value, currency), step="payment")


@pytest.mark.parametrize(
    ("value", "currency", "team", "protocol"),
    [
        ("5000.01", "USD", "concierge", "white-glove"),
        ("5000.00", "USD", "boutique", None),
        ("4629.64", "EUR", "concierge", "white-glove"),  # 5,000.0112 dollars
        ("4629.62", "EUR", "boutique", None),  # 4,999.9896 dollars
    ],
)
def test_over_5000_goes_to_the_concierge(
    opens: Opens, value: str, currency: str, team: str, protocol: str | None
) -> None:
    shop = opens("luxury")
    case = decline(shop, NIGHT, checkout=bag(value, currency))
    assert (case.team, row(shop).protocol) == (team, protocol)
    with runtime_of(shop).read() as session:
        tasks = session.scalars(select(TaskRow).order_by(TaskRow.position)).all()
    assert len(tasks) == (4 if protocol else 0)


def test_hesitation_over_5000_meets_a_concierge(opens: Opens) -> None:
    shop = opens("luxury")
    clock = set_clock(shop, NIGHT)
    send(shop, "checkout_started", NIGHT, checkout=bag("5000.01"))
    clock.pass_by(5 * MINUTE)
    sweep(runtime_of(shop))
    (case,) = cases(shop)
    assert (case.category, case.team, case.priority) == ("hesitation", "concierge", "urgent")
    assert case.first_response_due == clock.now + 5 * MINUTE


# --- the shop that ships a lot -------------------------------------------------------------------


def berlin(*when: int) -> datetime:
    return datetime(*when, tzinfo=BERLIN)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("at", "due"),
    [
        # The night to Sunday has an hour less, and one more.
        (berlin(2026, 3, 27, 16, 30), berlin(2026, 3, 30, 8, 30)),
        (berlin(2026, 10, 23, 16, 30), berlin(2026, 10, 26, 8, 30)),
        (berlin(2026, 3, 29, 2, 30), berlin(2026, 3, 30, 9, 0)),
        (berlin(2026, 10, 25, 2, 30), berlin(2026, 10, 26, 9, 0)),
        # Good Friday and Easter Monday; the lunch hour; exactly at closing.
        (berlin(2026, 4, 2, 16, 30), berlin(2026, 4, 7, 8, 30)),
        (berlin(2026, 4, 7, 11, 30), berlin(2026, 4, 7, 13, 0)),
        (berlin(2026, 4, 7, 17, 0), berlin(2026, 4, 8, 9, 0)),
        (berlin(2026, 4, 7, 16, 0), berlin(2026, 4, 7, 17, 0)),
    ],
)
def test_a_change_of_address_is_due_in_office_hours(
    opens: Opens, at: datetime, due: datetime
) -> None:
    shop = opens("logistics")
    set_clock(shop, at.astimezone(UTC))
    case = asked(shop, at.astimezone(UTC), category="address_change")
    assert (case.team, case.route) == ("fulfilment", "Change before it ships")
    assert case.first_response_due == due.astimezone(UTC)


def test_what_is_sold_out_goes_to_those_who_pack(opens: Opens) -> None:
    shop = opens("logistics")
    send(shop, "stock_short", NIGHT, checkout=checkout("c-1"), sku="A", available=0)
    send(shop, "stock_short", NIGHT, checkout=checkout("c-2"), sku="B", available=1)
    teams = {case.checkout_ref: case.team for case in cases(shop)}
    assert teams == {"c-1": "fulfilment", "c-2": "support"}


@pytest.mark.parametrize(
    ("text", "at", "team"),
    [
        ("Wo ist der Rücksendeschein?", berlin(2026, 4, 7, 9, 0), "fulfilment"),
        ("Wo ist der Rücksendeschein?", berlin(2026, 4, 7, 18, 0), "support"),
        ("Wo ist mein Paket?", berlin(2026, 4, 7, 9, 0), "support"),
    ],
)
def test_words_and_hours_decide_together(opens: Opens, text: str, at: datetime, team: str) -> None:
    shop = opens("logistics")
    set_clock(shop, at.astimezone(UTC))
    assert asked(shop, at.astimezone(UTC), text=text).team == team
