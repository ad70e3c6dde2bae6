"""What a protocol asks for, and what it says about a case that is to end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.rules import protocols
from flask_checkout_case.rules.policy import Protocol, Task
from flask_checkout_case.types import Priority

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WHITE_GLOVE = Protocol(
    key="white-glove",
    name="White glove",
    tasks=(
        Task("Call the customer", owner="assignee", within=timedelta(minutes=15)),
        Task("Check the stock", owner="fulfilment", within=timedelta(hours=1)),
        Task("Offer gift wrapping", required=False),
    ),
)


@dataclass(frozen=True)
class Stored:
    required: bool = True
    due_at: datetime | None = None
    done_at: datetime | None = None


LENGTHS = st.none() | st.timedeltas(timedelta(0), timedelta(days=90))
TASKS = st.builds(
    Task,
    title=st.text(min_size=1, max_size=20),
    within=LENGTHS,
    required=st.booleans(),
)
INSTANTS = st.timedeltas(timedelta(days=-2000), timedelta(days=2000)).map(NOW.__add__)
STORED = st.builds(
    Stored, required=st.booleans(), due_at=st.none() | INSTANTS, done_at=st.none() | INSTANTS
)


def plainly(start: datetime, length: timedelta) -> datetime:
    return start + length


def test_a_plan_follows_the_protocol() -> None:
    first, second, third = protocols.plan(WHITE_GLOVE, NOW, plainly)
    assert (first.position, first.title, first.owner) == (0, "Call the customer", "assignee")
    assert first.due_at == NOW + timedelta(minutes=15)
    assert second.due_at == NOW + timedelta(hours=1)
    assert (third.due_at, third.required) == (None, False)


def test_time_is_counted_by_the_calendar_that_is_given() -> None:
    closed = timedelta(hours=16)
    first, *_ = protocols.plan(WHITE_GLOVE, NOW, lambda start, length: start + closed + length)
    assert first.due_at == NOW + closed + timedelta(minutes=15)


@given(st.lists(TASKS, max_size=8), INSTANTS)
def test_a_plan_keeps_order_and_gives_each_task_its_own_time(
    tasks: list[Task], at: datetime
) -> None:
    made = protocols.plan(Protocol("p", "P", tuple(tasks)), at, plainly)
    assert [one.position for one in made] == list(range(len(tasks)))
    for task, one in zip(tasks, made, strict=True):
        assert (one.title, one.owner, one.required) == (task.title, task.owner, task.required)
        assert one.due_at == (None if task.within is None else at + task.within)


@given(st.lists(STORED, max_size=8))
def test_a_case_is_held_by_exactly_what_is_required_and_open(tasks: list[Stored]) -> None:
    held = protocols.holding(tasks)
    assert [one for one in tasks if one.required and one.done_at is None] == held
    assert all(one in protocols.open_tasks(tasks) for one in held)
    done = [replace(one, done_at=NOW) for one in tasks]
    assert protocols.holding(done) == protocols.open_tasks(done) == []


@given(STORED, INSTANTS, INSTANTS)
def test_a_task_has_one_state_and_time_only_makes_it_worse(
    task: Stored, opened_at: datetime, now: datetime
) -> None:
    order = ["fine", "soon", "overdue"]
    first = protocols.state(task, opened_at, now)
    later = protocols.state(task, opened_at, now + timedelta(hours=1))
    if task.done_at is not None:
        assert first == later == "done"
    elif task.due_at is None:
        assert first == later == "open"
    else:
        assert order.index(first) <= order.index(later)
        assert (first == "overdue") == (now > task.due_at)


def test_exactly_at_the_due_time_is_in_time() -> None:
    task = Stored(due_at=NOW)
    opened = NOW - timedelta(minutes=20)
    assert protocols.state(task, opened, NOW) == "soon"
    assert protocols.state(task, opened, NOW + timedelta(microseconds=1)) == "overdue"
    assert protocols.state(task, opened, NOW - timedelta(minutes=5)) == "soon"
    assert protocols.state(task, opened, NOW - timedelta(minutes=5, seconds=1)) == "fine"


def test_a_long_task_is_pressing_in_its_last_hour() -> None:
    assert protocols.soon_at(NOW, NOW - timedelta(days=3)) == NOW - timedelta(hours=1)


@pytest.mark.parametrize(
    ("before", "after"),
    [("low", "normal"), ("normal", "high"), ("high", "urgent"), ("urgent", "urgent")],
)
def test_a_priority_is_raised_by_one(before: str, after: str) -> None:
    assert protocols.raised(Priority(before)) == after
