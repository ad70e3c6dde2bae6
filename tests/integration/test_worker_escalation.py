"""What the steps of an escalation do, each once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from flask_checkout_case import signals
from flask_checkout_case.data.models import CaseRow, TaskRow
from flask_checkout_case.jobs.mail import Mail
from tests.support.due import MINUTE, Clock, decline, runtime_of, set_clock, work
from tests.support.escalation import LIN, ODA, POLICY, actions, assign, escalating_shop, only_case
from tests.support.shop import Shop

HOUR = timedelta(hours=1)


@pytest.fixture
def shop(make_app: Callable[..., Shop], tmp_path: Path) -> Shop:
    return escalating_shop(make_app, tmp_path)


def test_it_warns_raises_and_moves_each_at_its_time(
    shop: Shop, clock: Clock, mails: list[Mail]
) -> None:
    decline(shop, clock.now)
    opened = clock.now
    assign(shop, LIN)
    seen: dict[timedelta, tuple[Any, ...]] = {}
    for _ in range(40):
        work(shop)
        found = only_case(shop)
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
    assert only_case(shop).protocol == "rescue"
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


def test_a_priority_is_never_lowered(make_app: Callable[..., Shop], tmp_path: Path) -> None:
    shop = escalating_shop(
        make_app,
        tmp_path,
        POLICY.replace('priority = "urgent", notify', 'priority = "low", notify'),
    )
    clock = set_clock(shop)
    decline(shop, clock.now)
    clock.pass_by(20 * MINUTE)
    work(shop)
    assert only_case(shop).priority == "normal"


def test_who_belongs_to_the_new_team_keeps_the_case(shop: Shop, clock: Clock) -> None:
    decline(shop, clock.now)
    assign(shop, ODA)
    clock.pass_by(31 * MINUTE)
    work(shop)
    assert (only_case(shop).team, only_case(shop).assignee_ref) == ("seniors", "8")


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
