"""Clocks that stand still, follow another promise, or keep to the hours of an office."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from flask_checkout_case.rules.policy import parse_policy
from flask_checkout_case.services import cases as services
from flask_checkout_case.services.access import Viewer
from flask_checkout_case.services.caseview import view
from flask_checkout_case.services.conversation import answered_within
from flask_checkout_case.services.policy_source import PolicySource
from tests.support.due import MINUTE, Clock, decline, runtime_of, set_clock, work
from tests.support.escalation import LIN, OFFICE, POLICY, actions, escalating_shop, only_case
from tests.support.shop import Shop

HOUR = timedelta(hours=1)
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def shop(make_app: Callable[..., Shop], tmp_path: Path) -> Shop:
    return escalating_shop(make_app, tmp_path)


def put_policy(shop: Shop, text: str) -> None:
    runtime_of(shop).policies = PolicySource(parse_policy(text, "changed.toml"), text)


def test_waiting_for_the_customer_costs_no_time(shop: Shop, clock: Clock) -> None:
    case = decline(shop, clock.now)
    opened = clock.now
    services.reply(runtime_of(shop), case.reference, "Which bank is it?", agent=LIN)
    clock.pass_by(10 * HOUR)
    work(shop)
    assert only_case(shop).resolution_due == opened + 76 * HOUR
    services.customer_message(runtime_of(shop), case.reference, "The big one.")
    assert only_case(shop).resolution_due == opened + 14 * HOUR
    assert only_case(shop).pauses == [[opened.isoformat(), clock.now.isoformat()]]
    assert ("sla_breached", "resolution", 100, 0) not in actions(shop)


def test_another_declined_payment_ends_the_waiting(shop: Shop, clock: Clock) -> None:
    case = decline(shop, clock.now)
    opened = clock.now
    services.reply(runtime_of(shop), case.reference, "Try another card.", agent=LIN)
    clock.pass_by(HOUR)
    decline(shop, clock.now)
    assert only_case(shop).status == "open"
    assert only_case(shop).resolution_due == opened + 5 * HOUR


def test_a_reopened_case_goes_on_where_it_stopped(shop: Shop, clock: Clock) -> None:
    case = decline(shop, clock.now)
    opened = clock.now
    services.solve(runtime_of(shop), case.reference, agent=LIN)
    clock.pass_by(timedelta(days=9))
    services.customer_message(runtime_of(shop), case.reference, "It is back.")
    assert only_case(shop).resolution_due == opened + timedelta(days=9) + 4 * HOUR


def test_a_priority_changes_no_clock(shop: Shop, clock: Clock) -> None:
    case = decline(shop, clock.now)
    services.reply(runtime_of(shop), case.reference, "Which bank is it?", agent=LIN)
    clock.pass_by(HOUR)
    services.customer_message(runtime_of(shop), case.reference, "The big one.")
    due, found = only_case(shop).resolution_due, only_case(shop)
    services.set_priority(
        runtime_of(shop), case.reference, "high", agent=LIN, version=found.version
    )
    assert only_case(shop).resolution_due == due
    assert only_case(shop).revision == 1


def test_a_changed_promise_keeps_what_has_run_and_tells_nothing_twice(
    shop: Shop, clock: Clock
) -> None:
    case = decline(shop, clock.now)
    opened = clock.now
    clock.pass_by(16 * MINUTE)
    work(shop)
    before = actions(shop)
    put_policy(shop, POLICY.replace('first_response = "15m"', 'first_response = "20m"'))
    services.note(runtime_of(shop), case.reference, "Looked at it.", agent=LIN)
    found = only_case(shop)
    assert (found.revision, found.first_response_due) == (2, opened + 20 * MINUTE)
    work(shop)
    assert actions(shop) == before
    clock.pass_by(4 * MINUTE)
    work(shop)
    assert actions(shop)[len(before) :] == [
        ("sla_breached", "first_response", 100, 0),
        ("escalated", "first_response", 100, 0),
    ]


# --- calendars -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("friday", "monday"),
    [("2026-03-06T16:00", "2026-03-09T10:00"), ("2026-10-30T16:00", "2026-11-02T10:00")],
    ids=["summer time begins", "summer time ends"],
)
def test_an_office_goes_on_after_the_weekend_on_which_clocks_are_set(
    make_app: Callable[..., Shop], tmp_path: Path, friday: str, monday: str
) -> None:
    shop = escalating_shop(make_app, tmp_path, OFFICE)
    opened = datetime.fromisoformat(friday).replace(tzinfo=NEW_YORK).astimezone(UTC)
    due = datetime.fromisoformat(monday).replace(tzinfo=NEW_YORK).astimezone(UTC)
    clock = set_clock(shop, opened)
    assert decline(shop, opened).first_response_due == due
    clock.now = due - 30 * MINUTE - timedelta(microseconds=1)
    work(shop)
    assert actions(shop) == []
    clock.now = due - 30 * MINUTE
    work(shop)
    assert actions(shop) == [("sla_warned", "first_response", 75, 0)]
    clock.now = due
    work(shop)
    assert actions(shop)[1:] == [("sla_breached", "first_response", 100, 0)]


def test_customers_are_promised_an_answer_in_working_hours(
    make_app: Callable[..., Shop],
    tmp_path: Path,
) -> None:
    shop = escalating_shop(make_app, tmp_path, OFFICE)
    saturday = datetime(2026, 3, 7, 12, tzinfo=NEW_YORK).astimezone(UTC)
    clock = set_clock(shop, saturday)
    assert answered_within(runtime_of(shop), Viewer(), None) == 46 * HOUR
    clock.now = datetime(2026, 3, 9, 12, tzinfo=NEW_YORK).astimezone(UTC)
    assert answered_within(runtime_of(shop), Viewer(), None) == 2 * HOUR


@pytest.mark.parametrize(
    ("opened", "soon"),
    [
        ("2026-03-06T16:00", "2026-03-09T09:30"),  # Friday: not all weekend long
        ("2026-03-07T12:00", "2026-03-09T10:30"),  # Saturday: as long as on any other day
        ("2026-03-09T10:00", "2026-03-09T11:30"),
    ],
)
def test_a_clock_is_due_soon_from_its_warning_on(
    make_app: Callable[..., Shop], tmp_path: Path, opened: str, soon: str
) -> None:
    shop = escalating_shop(make_app, tmp_path, OFFICE)
    shop.cases.agent_loader(lambda: LIN)
    began, warned = (
        datetime.fromisoformat(at).replace(tzinfo=NEW_YORK).astimezone(UTC) for at in (opened, soon)
    )
    clock = set_clock(shop, began)
    case = decline(shop, began)
    for at, state in [(began, "fine"), (warned - MINUTE, "fine"), (warned, "soon")]:
        clock.now = at
        work(shop)
        for path in ("", f"cases/{case.reference}"):
            page = shop.app.test_client().get(f"/checkout-case/agent/{path}").text
            assert f'class="due is-{state}"' in page
        assert bool(actions(shop)) == (state == "soon")


def test_a_pause_puts_off_from_when_on_it_is_due_soon(shop: Shop, clock: Clock) -> None:
    case = decline(shop, clock.now)
    opened = clock.now
    services.reply(runtime_of(shop), case.reference, "Which bank is it?", agent=LIN)
    clock.pass_by(10 * HOUR)
    services.customer_message(runtime_of(shop), case.reference, "The big one.")
    services.reply(runtime_of(shop), case.reference, "Then ring them.", agent=LIN)
    services.customer_message(runtime_of(shop), case.reference, "I did.")
    shown = view(runtime_of(shop), case.reference, LIN).clocks
    soon = {one.name: one.soon for one in shown}
    assert soon["resolution"] == opened + 13 * HOUR
