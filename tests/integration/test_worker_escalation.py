"""What the steps of an escalation do, each once, and what a checkout's own time does to a case."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from flask_checkout_case import Agent, signals
from flask_checkout_case.data.models import CaseRow, TaskRow
from flask_checkout_case.jobs.deliver import deliver
from flask_checkout_case.jobs.mail import Mail
from flask_checkout_case.jobs.sweep import sweep
from flask_checkout_case.rules.policy import parse_policy
from flask_checkout_case.services import cases as services
from flask_checkout_case.services.access import Viewer
from flask_checkout_case.services.conversation import answered_within
from flask_checkout_case.services.policy_source import PolicySource
from flask_checkout_case.services.staff import remember_agent
from tests.support.due import MINUTE, Clock, decline, entries, outbox, runtime_of, send, set_clock
from tests.support.shop import Shop

LIN = Agent(ref="7", name="Lin", teams=["payments"], email="lin@example.com")
ODA = Agent(ref="8", name="Oda", teams=["payments", "seniors"], email="oda@example.com")
BOSS = Agent(ref="1", name="Noor", role="supervisor", email="noor@example.com")
AWAY = Agent(ref="9", name="Gone", teams=["payments"])
HOUR = timedelta(hours=1)
NEW_YORK = ZoneInfo("America/New_York")

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


@pytest.fixture
def make_shop(make_app: Callable[..., Shop], tmp_path: Path) -> Callable[[str], Shop]:
    def make(policy: str) -> Shop:
        path = tmp_path / "policy.toml"
        path.write_text(policy)
        shop = make_app(
            CHECKOUT_CASE_POLICY=str(path), CHECKOUT_CASE_PUBLIC_URL="https://shop.example.com"
        )
        for agent in (LIN, ODA, BOSS, AWAY):
            remember_agent(runtime_of(shop), agent)
        return shop

    return make


@pytest.fixture
def shop(make_shop: Callable[[str], Shop]) -> Shop:
    return make_shop(POLICY)


@pytest.fixture
def clock(shop: Shop) -> Clock:
    return set_clock(shop)


@pytest.fixture
def mails(shop: Shop) -> list[Mail]:
    kept: list[Mail] = []
    shop.cases.mailer(kept.append)
    return kept


def work(shop: Shop) -> None:
    with shop.app.app_context():
        sweep(runtime_of(shop))
        deliver(runtime_of(shop))


def row(shop: Shop) -> CaseRow:
    with runtime_of(shop).read() as session:
        return session.scalars(select(CaseRow)).one()


def actions(shop: Shop) -> list[tuple[str, str, int, int]]:
    """Return what clocks and steps have written on the timeline."""
    lines = [line.data or {} for line in entries(shop, "escalation")]
    told = [one for one in lines if "clock" in one]
    return [(one["action"], one["clock"], one["percent"], one.get("after", 0)) for one in told]


def assign(shop: Shop, agent: Agent) -> None:
    found = row(shop)
    services.take(runtime_of(shop), found.reference, agent=agent, version=found.version)


def put_policy(shop: Shop, text: str) -> None:
    runtime_of(shop).policies = PolicySource(parse_policy(text, "changed.toml"), text)


def test_it_warns_raises_and_moves_each_at_its_time(
    shop: Shop, clock: Clock, mails: list[Mail]
) -> None:
    decline(shop, clock.now)
    opened = clock.now
    assign(shop, LIN)
    seen: dict[timedelta, tuple[Any, ...]] = {}
    for _ in range(40):
        work(shop)
        found = row(shop)
        state = (found.priority, found.team, found.assignee_ref)
        if state not in seen.values():
            seen[clock.now - opened] = state
        clock.pass_by(MINUTE)
    before = ("normal", "payments", "7")
    assert seen == {
        0 * MINUTE: before,
        15 * MINUTE: ("urgent", "payments", "7"),
        30 * MINUTE: ("urgent", "seniors", None),
    }
    assert actions(shop) == [
        ("sla_warned", "first_response", 75, 0),
        ("escalated", "first_response", 75, 0),
        ("sla_breached", "first_response", 100, 0),
        ("escalated", "first_response", 100, 0),
        ("escalated", "first_response", 100, 900),
    ]
    assert sorted((mail.to, mail.purpose) for mail in mails if mail.to != "ada@example.com") == [
        ("lin@example.com", "service"),
        ("lin@example.com", "service"),
        ("noor@example.com", "service"),
        ("oda@example.com", "service"),
    ]


def test_a_step_adds_its_protocol(shop: Shop, clock: Clock) -> None:
    decline(shop, clock.now)
    clock.pass_by(30 * MINUTE)
    work(shop)
    assert row(shop).protocol == "rescue"
    with runtime_of(shop).read() as session:
        assert [task.title for task in session.scalars(select(TaskRow))] == ["Ring the customer"]


def test_the_shop_hears_of_each_step_once(shop: Shop, clock: Clock) -> None:
    told: list[tuple[str, str]] = []

    def hear(_sender: Any, case: Any, reason: str, **_more: Any) -> None:
        if reason.startswith("first_response"):  # and not a late task of the protocol
            told.append((reason, case.team))

    decline(shop, clock.now)
    with signals.case_escalated.connected_to(hear, shop.app):
        for _ in range(5):
            clock.pass_by(10 * MINUTE)
            work(shop)
    assert told == [
        ("first_response:75", "payments"),
        ("first_response:100", "payments"),
        ("first_response:100+900", "seniors"),
    ]


def test_a_worker_that_was_down_for_a_day_acts_once_in_order(
    shop: Shop, clock: Clock, mails: list[Mail]
) -> None:
    decline(shop, clock.now)
    assign(shop, LIN)
    clock.pass_by(timedelta(days=1))
    work(shop)
    expected = [
        ("sla_warned", "first_response", 75, 0),
        ("escalated", "first_response", 75, 0),
        ("sla_breached", "first_response", 100, 0),
        ("escalated", "first_response", 100, 0),
        ("escalated", "first_response", 100, 900),
        ("sla_warned", "resolution", 75, 0),
        ("sla_breached", "resolution", 100, 0),
    ]
    assert actions(shop) == expected
    left = len(mails)
    work(shop)
    clock.pass_by(timedelta(days=1))
    work(shop)
    assert actions(shop) == expected
    # The protocol was added when the worker came back: its task had a day since then.
    assert {mail.subject.partition(": ")[2] for mail in mails[left:]} == {
        "A task of the protocol is overdue: Ring the customer"
    }


def test_who_would_hear_of_several_steps_at_once_gets_the_last_alone(
    shop: Shop, clock: Clock, mails: list[Mail]
) -> None:
    decline(shop, clock.now)
    assign(shop, LIN)
    clock.pass_by(20 * MINUTE)
    work(shop)
    to_lin = [mail.subject for mail in mails if mail.to == LIN.email]
    assert [subject.partition(": ")[2] for subject in to_lin] == ["The first response is overdue"]
    assert len([one for one in actions(shop) if one[0] == "escalated"]) == 2


@pytest.mark.parametrize("jump", [-2 * HOUR, 2 * HOUR], ids=["back", "forward"])
def test_a_clock_that_jumps_repeats_nothing(shop: Shop, clock: Clock, jump: timedelta) -> None:
    decline(shop, clock.now)
    clock.pass_by(16 * MINUTE)
    work(shop)
    before = actions(shop)
    assert len(before) == 4
    clock.pass_by(jump)
    work(shop)
    clock.now = clock.now - jump
    work(shop)
    after = actions(shop)
    assert after[:4] == before
    assert len(set(after)) == len(after)


def test_a_priority_is_never_lowered(make_shop: Callable[[str], Shop]) -> None:
    shop = make_shop(POLICY.replace('priority = "urgent", notify', 'priority = "low", notify'))
    clock = set_clock(shop)
    decline(shop, clock.now)
    clock.pass_by(20 * MINUTE)
    work(shop)
    assert row(shop).priority == "normal"


def test_who_belongs_to_the_new_team_keeps_the_case(shop: Shop, clock: Clock) -> None:
    decline(shop, clock.now)
    assign(shop, ODA)
    clock.pass_by(31 * MINUTE)
    work(shop)
    assert (row(shop).team, row(shop).assignee_ref) == ("seniors", "8")


def test_the_mail_says_what_is_overdue_and_leads_to_the_case(
    shop: Shop, clock: Clock, mails: list[Mail]
) -> None:
    case = decline(shop, clock.now)
    clock.pass_by(15 * MINUTE)
    work(shop)
    (mail,) = [mail for mail in mails if mail.to == "lin@example.com"]
    assert mail.subject == f"{case.reference}: The first response is overdue"
    assert case.subject in mail.text
    link = f"https://shop.example.com/checkout-case/agent/cases/{case.reference}"
    assert link in mail.text
    assert link in mail.html
    assert "(UTC)" in mail.text

    @shop.cases.agent_loader
    def load_agent() -> Agent | None:
        return LIN

    page = shop.app.test_client().get(link.removeprefix("https://shop.example.com"))
    assert page.status_code == 200
    assert "Escalated: First response is overdue" in page.text
    assert "priority raised to Urgent" in page.text
    assert "told: Gone, Lin, Oda" in page.text


def test_what_was_answered_meanwhile_is_not_mailed(
    shop: Shop, clock: Clock, mails: list[Mail]
) -> None:
    case = decline(shop, clock.now)
    clock.pass_by(15 * MINUTE)
    with shop.app.app_context():
        sweep(runtime_of(shop))
        services.reply(runtime_of(shop), case.reference, "Here I am.", agent=LIN)
        deliver(runtime_of(shop))
    assert mails == []
    assert {one.state for one in outbox(shop)} == {"cancelled"}


def test_one_bad_row_takes_nothing_back_from_the_others(shop: Shop, clock: Clock) -> None:
    told: list[str] = []
    for number in range(5):
        decline(shop, clock.now, checkout_ref=f"c-{number}", checkout=None)
    with runtime_of(shop).write() as unit:
        rows = unit.session.scalars(select(CaseRow).order_by(CaseRow.id)).all()
        rows[2].failure_class = "odd"
    bad = rows[2].reference
    clock.pass_by(15 * MINUTE)

    def hear(_sender: Any, case: Any, **_more: Any) -> None:
        told.append(case.reference)

    with signals.sla_breached.connected_to(hear, shop.app):
        work(shop)
    assert sorted(told) == sorted(one.reference for one in rows if one.reference != bad)
    with runtime_of(shop).read() as session:
        found = {one.reference: one for one in session.scalars(select(CaseRow))}
    assert found[bad].wake_at == clock.now + 5 * MINUTE
    assert {one.priority for one in found.values() if one.reference != bad} == {"urgent"}


# --- pauses --------------------------------------------------------------------------------------


def test_waiting_for_the_customer_costs_no_time(shop: Shop, clock: Clock) -> None:
    case = decline(shop, clock.now)
    opened = clock.now
    services.reply(runtime_of(shop), case.reference, "Which bank is it?", agent=LIN)
    clock.pass_by(10 * HOUR)
    work(shop)
    assert row(shop).resolution_due == opened + 76 * HOUR
    services.customer_message(runtime_of(shop), case.reference, "The big one.")
    assert row(shop).resolution_due == opened + 14 * HOUR
    assert row(shop).pauses == [[opened.isoformat(), clock.now.isoformat()]]
    assert ("sla_breached", "resolution", 100, 0) not in actions(shop)


def test_another_declined_payment_ends_the_waiting(shop: Shop, clock: Clock) -> None:
    case = decline(shop, clock.now)
    opened = clock.now
    services.reply(runtime_of(shop), case.reference, "Try another card.", agent=LIN)
    clock.pass_by(HOUR)
    decline(shop, clock.now)
    assert row(shop).status == "open"
    assert row(shop).resolution_due == opened + 5 * HOUR


def test_a_reopened_case_goes_on_where_it_stopped(shop: Shop, clock: Clock) -> None:
    case = decline(shop, clock.now)
    opened = clock.now
    services.solve(runtime_of(shop), case.reference, agent=LIN)
    clock.pass_by(timedelta(days=9))
    services.customer_message(runtime_of(shop), case.reference, "It is back.")
    assert row(shop).resolution_due == opened + timedelta(days=9) + 4 * HOUR


def test_a_priority_changes_no_clock(shop: Shop, clock: Clock) -> None:
    case = decline(shop, clock.now)
    services.reply(runtime_of(shop), case.reference, "Which bank is it?", agent=LIN)
    clock.pass_by(HOUR)
    services.customer_message(runtime_of(shop), case.reference, "The big one.")
    due, found = row(shop).resolution_due, row(shop)
    services.set_priority(
        runtime_of(shop), case.reference, "high", agent=LIN, version=found.version
    )
    assert row(shop).resolution_due == due
    assert row(shop).revision == 1


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
    found = row(shop)
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
    make_shop: Callable[[str], Shop], friday: str, monday: str
) -> None:
    shop = make_shop(POLICY.replace('sla = "payment"', 'sla = "office"'))
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
    make_shop: Callable[[str], Shop],
) -> None:
    shop = make_shop(POLICY.replace('sla = "payment"', 'sla = "office"'))
    saturday = datetime(2026, 3, 7, 12, tzinfo=NEW_YORK).astimezone(UTC)
    clock = set_clock(shop, saturday)
    assert answered_within(runtime_of(shop), Viewer(), None) == 46 * HOUR
    clock.now = datetime(2026, 3, 9, 12, tzinfo=NEW_YORK).astimezone(UTC)
    assert answered_within(runtime_of(shop), Viewer(), None) == 2 * HOUR


# --- the checkout's own time ---------------------------------------------------------------------


def test_a_case_is_due_when_its_checkout_runs_out_of_time(shop: Shop, clock: Clock) -> None:
    now = clock.now
    decline(
        shop,
        now,
        reserved_until=now + 8 * MINUTE,
        session_expires_at=(now + HOUR).isoformat(),
        ships_at=now - MINUTE,
    )
    found = row(shop)
    assert found.checkout_due == found.due_at == now + 8 * MINUTE
    assert found.urgency_at < now + 8 * MINUTE
    clock.pass_by(9 * MINUTE)
    work(shop)
    assert actions(shop) == [
        ("sla_warned", "checkout", 75, 0),
        ("sla_breached", "checkout", 100, 0),
    ]
    assert row(shop).due_at == now + 15 * MINUTE


def test_a_renewed_reservation_gives_time_again(shop: Shop, clock: Clock) -> None:
    now = clock.now
    decline(shop, now, reserved_until=now + 8 * MINUTE)
    later = now + 12 * MINUTE
    send(shop, "checkout_step_viewed", now + MINUTE, checkout_ref="c-1", reserved_until=later)
    assert row(shop).due_at == row(shop).checkout_due == later
    decline(shop, now + 2 * MINUTE, reserved_until=now + 10 * MINUTE)
    assert row(shop).due_at == now + 10 * MINUTE


@pytest.mark.parametrize("odd", ["soon", 12, "2030-01-01T00:00:00", None, ["2030"]])
def test_what_is_no_instant_is_left_out(shop: Shop, clock: Clock, odd: Any) -> None:
    decline(shop, clock.now, reserved_until=odd)
    assert row(shop).checkout_due is None


def test_the_queue_shows_the_checkouts_time(shop: Shop, clock: Clock) -> None:
    decline(shop, clock.now, reserved_until=clock.now + 8 * MINUTE)

    @shop.cases.agent_loader
    def load_agent() -> Agent | None:
        return LIN

    page = shop.app.test_client().get("/checkout-case/agent/")
    assert page.status_code == 200
    assert "Checkout" in page.text
