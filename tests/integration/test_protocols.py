"""Cases that follow a protocol: tasks added once, ticked, told of when late, asked about."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from flask_checkout_case import Agent, CaseInfo, signals
from flask_checkout_case.data.models import CaseRow, TaskRow
from flask_checkout_case.errors import (
    InvalidInputError,
    InvalidTransitionError,
    NotFoundError,
    PermissionDeniedError,
    StaleVersionError,
    VersionRequiredError,
)
from flask_checkout_case.jobs.mail import Mail
from flask_checkout_case.jobs.sweep import sweep
from flask_checkout_case.services import cases as services
from flask_checkout_case.services import overdue, protocols
from flask_checkout_case.services.staff import remember_agent
from flask_checkout_case.types import Outcome, Status
from tests.support.due import (
    MINUTE,
    Clock,
    Statements,
    checkout,
    decline,
    entries,
    runtime_of,
    send,
    set_clock,
    work,
)
from tests.support.protocols import LARGE, TITLES, tasks, write_policy
from tests.support.shop import Shop

LIN = Agent(ref="7", name="Lin Okafor", teams=["concierge"])
EVE = Agent(ref="9", name="Eve Lindqvist", teams=["fulfilment"])
REQUIRED = list(TITLES[:3])


@pytest.fixture
def shop(make_app: Callable[..., Shop], tmp_path: Path) -> Shop:
    return make_app(CHECKOUT_CASE_POLICY=str(write_policy(tmp_path)))


@pytest.fixture
def clock(shop: Shop) -> Clock:
    return set_clock(shop)


@pytest.fixture
def case(shop: Shop, clock: Clock) -> CaseInfo:
    return decline(shop, clock.now, checkout=checkout(value=LARGE))


def now_of(shop: Shop) -> CaseInfo:
    with shop.app.app_context():
        (found,) = shop.cases.find()
    return found


def told(shop: Shop, kind: str, action: str) -> list[dict[str, Any]]:
    lines = [line.data or {} for line in entries(shop, kind)]
    return [line for line in lines if line.get("action") == action]


def tick(shop: Shop, number: int, agent: Agent = LIN, *, done: bool = True) -> CaseInfo:
    case, task = now_of(shop), tasks(shop)[number]
    return protocols.tick(
        runtime_of(shop), case.reference, task.id, agent=agent, version=case.version, done=done
    )


@contextmanager
def escalated(shop: Shop) -> Iterator[list[tuple[str, str]]]:
    heard: list[tuple[str, str]] = []

    def on_escalated(_sender: Any, reason: str, task: str, **_more: Any) -> None:
        heard.append((reason, task))

    with signals.case_escalated.connected_to(on_escalated, shop.app):
        yield heard


# --- added ---------------------------------------------------------------------------------------


def test_a_route_brings_its_protocol_along(shop: Shop, clock: Clock, case: CaseInfo) -> None:
    made = tasks(shop)
    assert [task.title for task in made] == list(TITLES)
    assert [task.owner for task in made] == ["assignee", "fulfilment", "supervisors", "assignee"]
    assert [task.required for task in made] == [True, True, True, False]
    assert made[0].due_at == clock.now + 15 * MINUTE
    assert made[1].due_at == clock.now + 60 * MINUTE
    assert made[2].due_at is None
    (line,) = told(shop, "decision", "protocol_added")
    assert (line["name"], line["tasks"]) == ("White glove", 4)
    assert case.version == 1


def test_a_case_of_another_route_has_none(shop: Shop, clock: Clock) -> None:
    decline(shop, clock.now, checkout=checkout(value="20.00"))
    assert tasks(shop) == []


def test_a_second_failure_adds_nothing(shop: Shop, clock: Clock, case: CaseInfo) -> None:
    clock.pass_by(MINUTE)
    decline(shop, clock.now, checkout=checkout(value=LARGE))
    assert len(tasks(shop)) == 4
    assert len(told(shop, "decision", "protocol_added")) == 1


def test_the_same_protocol_is_added_once(shop: Shop, case: CaseInfo) -> None:
    runtime = runtime_of(shop)
    for _ in range(2):
        with runtime.write() as unit:
            row = unit.session.scalars(select(CaseRow)).one()
            assert protocols.attach(unit, row, "white-glove") == 0
    assert len(tasks(shop)) == 4


def test_a_second_protocol_comes_after_the_first(shop: Shop, clock: Clock, case: CaseInfo) -> None:
    clock.pass_by(30 * MINUTE)
    with runtime_of(shop).write() as unit:
        row = unit.session.scalars(select(CaseRow)).one()
        assert protocols.attach(unit, row, "late") == 1
        assert protocols.attach(unit, row, "unknown") == protocols.attach(unit, row, None) == 0
    shown = protocols.tasks_of(runtime_of(shop), 1)
    assert [task.title for task in shown][-1] == "Ring the bell"
    assert shown[-1].due_at == clock.now + 5 * MINUTE


def test_a_case_that_turns_out_to_be_fraud_drops_what_its_route_asked(
    shop: Shop, clock: Clock, case: CaseInfo
) -> None:
    tick(shop, 0)
    decline(shop, clock.now, checkout=checkout(value=LARGE), decline_code="fraudulent")
    assert now_of(shop).team == "risk"
    assert [task.title for task in tasks(shop)] == ["Call the customer"]
    (line,) = told(shop, "decision", "protocol_dropped")
    assert (line["name"], line["tasks"]) == ("White glove", 3)


def test_time_counts_by_the_calendar_of_the_service_level(shop: Shop, clock: Clock) -> None:
    clock.now = datetime(2026, 3, 27, 17, 50, tzinfo=UTC)  # Friday, ten minutes before closing
    decline(shop, clock.now, checkout=checkout(value=LARGE, country="PT"))
    call, hold, *_ = tasks(shop)
    # On Sunday Lisbon sets its clocks forward: nine o'clock on Monday is 08:00 UTC.
    assert call.due_at == datetime(2026, 3, 30, 8, 5, tzinfo=UTC)
    assert hold.due_at == datetime(2026, 3, 30, 8, 50, tzinfo=UTC)


# --- ticked --------------------------------------------------------------------------------------


def test_a_tick_says_who_and_when(shop: Shop, clock: Clock, case: CaseInfo) -> None:
    clock.pass_by(3 * MINUTE)
    assert tick(shop, 1).version == case.version + 1
    done = tasks(shop)[1]
    assert (done.done_at, done.done_by, done.done_by_name) == (clock.now, "7", "Lin Okafor")
    line = entries(shop)[-1]
    assert (line.author_name, (line.data or {})["task"]) == ("Lin Okafor", "Hold the stock")
    tick(shop, 1, done=False)
    again = tasks(shop)[1]
    assert (again.done_at, again.done_by, again.done_by_name) == (None, None, None)
    assert told(shop, "decision", "task_undone")


def test_a_tick_that_is_there_already_changes_nothing(shop: Shop, case: CaseInfo) -> None:
    once = tick(shop, 0)
    assert tick(shop, 0, LIN) == once
    assert len(told(shop, "decision", "task_done")) == 1


def test_a_tick_is_based_on_what_one_saw(shop: Shop, case: CaseInfo) -> None:
    task = tasks(shop)[0].id
    runtime = runtime_of(shop)
    services.note(runtime, case.reference, "Somebody else.", agent=LIN)
    with pytest.raises(StaleVersionError):
        protocols.tick(runtime, case.reference, task, agent=LIN, version=case.version)
    with pytest.raises(VersionRequiredError):
        protocols.tick(runtime, case.reference, task, agent=LIN, version=None)
    assert tasks(shop)[0].done_at is None


def test_a_tick_needs_the_permission(shop: Shop, case: CaseInfo) -> None:
    task = tasks(shop)[0].id
    runtime = runtime_of(shop)
    with pytest.raises(NotFoundError):
        protocols.tick(runtime, case.reference, task, agent=EVE, version=case.version)

    @shop.cases.permission
    def all_but_ticking(_agent: Agent, action: str, _case: object) -> bool:
        return action != "tick"

    with pytest.raises(PermissionDeniedError):
        protocols.tick(runtime, case.reference, task, agent=LIN, version=case.version)
    assert tasks(shop)[0].done_at is None


def test_a_task_of_another_case_cant_be_ticked(shop: Shop, clock: Clock, case: CaseInfo) -> None:
    other = decline(shop, clock.now, checkout=checkout("c-2", LARGE))
    foreign = tasks(shop)[0].id
    with pytest.raises(InvalidInputError):
        protocols.tick(runtime_of(shop), other.reference, foreign, agent=LIN, version=other.version)
    assert tasks(shop)[0].done_at is None


def test_tasks_of_an_ended_case_stay_as_they_are(shop: Shop, case: CaseInfo) -> None:
    with shop.app.app_context():
        shop.cases.solve(case.reference)
    with pytest.raises(InvalidTransitionError):
        tick(shop, 0)


# --- asked about at the end ----------------------------------------------------------------------


def solve(shop: Shop, reason: str | None) -> CaseInfo:
    case = now_of(shop)
    return services.set_status(
        runtime_of(shop),
        case.reference,
        "solved",
        agent=LIN,
        version=case.version,
        outcome="assisted",
        reason=reason,
    )


def close(shop: Shop, reason: str | None) -> CaseInfo:
    case = now_of(shop)
    return services.set_status(
        runtime_of(shop),
        case.reference,
        "closed",
        agent=LIN,
        version=case.version,
        reason=reason,
    )


def solve_from_code(shop: Shop, reason: str | None) -> CaseInfo:
    with shop.app.app_context():
        return shop.cases.solve(now_of(shop).reference, agent=LIN, reason=reason)


def reply_and_solve(shop: Shop, reason: str | None) -> CaseInfo:
    return services.reply(
        runtime_of(shop),
        now_of(shop).reference,
        "All is well.",
        agent=LIN,
        status=Status.SOLVED,
        outcome=Outcome.ASSISTED,
        reason=reason,
    )


ENDS = [solve, close, solve_from_code, reply_and_solve]


@pytest.mark.parametrize("end", ENDS)
def test_a_case_with_open_required_tasks_needs_a_reason(
    shop: Shop, case: CaseInfo, end: Callable[[Shop, str | None], CaseInfo]
) -> None:
    for nothing in (None, "", "  \n "):
        with pytest.raises(InvalidInputError) as refused:
            end(shop, nothing)
        assert refused.value.field == "reason"
    assert now_of(shop) == case
    assert entries(shop, "message") == []
    assert end(shop, "She  called\nher bank.").status in ("solved", "closed")
    (line,) = told(shop, "decision", "status")
    assert (line["reason"], line["left"]) == ("She called her bank.", REQUIRED)


@pytest.mark.parametrize("end", ENDS)
def test_with_all_required_done_it_needs_none(
    shop: Shop, case: CaseInfo, end: Callable[[Shop, str | None], CaseInfo]
) -> None:
    for number in range(3):
        tick(shop, number)
    assert end(shop, None).status in ("solved", "closed")
    assert all("reason" not in line for line in told(shop, "decision", "status"))


def test_a_card_number_in_a_reason_is_masked(shop: Shop, case: CaseInfo) -> None:
    solve(shop, "Paid with 4242 4242 4242 4242 by phone")
    (line,) = told(shop, "decision", "status")
    assert "4242 4242 4242 4242" not in line["reason"]


def test_a_reason_has_an_end(shop: Shop, case: CaseInfo) -> None:
    with pytest.raises(InvalidInputError) as refused:
        solve(shop, "x" * 501)
    assert refused.value.field == "reason"
    assert now_of(shop).status == "new"


def test_a_purchase_and_the_system_need_no_reason(shop: Shop, clock: Clock, case: CaseInfo) -> None:
    send(shop, "payment_succeeded", clock.now, checkout=checkout(value=LARGE))
    assert now_of(shop).outcome == Outcome.SELF_RECOVERED
    other = decline(shop, clock.now, checkout=checkout("c-2", LARGE))
    with shop.app.app_context():
        assert shop.cases.solve(other.reference).status == Status.SOLVED


def test_moving_on_needs_no_reason(shop: Shop, case: CaseInfo) -> None:
    runtime, reference = runtime_of(shop), case.reference
    waiting = services.set_status(runtime, reference, "waiting", agent=LIN, version=case.version)
    assert waiting.status == Status.WAITING
    solved = solve(shop, "Done by phone.")
    closed = services.set_status(runtime, reference, "closed", agent=LIN, version=solved.version)
    assert closed.status == Status.CLOSED


# --- late ----------------------------------------------------------------------------------------


def test_an_overdue_task_escalates_once(shop: Shop, clock: Clock, case: CaseInfo) -> None:
    with escalated(shop) as heard:
        for _ in range(17):
            sweep(runtime_of(shop))
            assert len(heard) == (clock.now >= case.opened_at + 15 * MINUTE)
            clock.pass_by(MINUTE)
    assert heard == [("task_overdue", "Call the customer")]
    assert (case.priority, now_of(shop).priority) == ("high", "urgent")
    (line,) = told(shop, "escalation", "task_overdue")
    assert (line["task"], line["from"], line["to"]) == ("Call the customer", "high", "urgent")
    assert line["notify"] == ["supervisors", "team"], "nobody has the case"
    assert line["people"] == []


def test_not_one_microsecond_early(shop: Shop, clock: Clock, case: CaseInfo) -> None:
    clock.now = case.opened_at + 15 * MINUTE - timedelta(microseconds=1)
    assert sweep(runtime_of(shop)).tasks == 0
    clock.pass_by(timedelta(microseconds=1))
    assert sweep(runtime_of(shop)).tasks == 1


def test_a_worker_that_was_down_tells_each_once(shop: Shop, clock: Clock, case: CaseInfo) -> None:
    clock.pass_by(timedelta(days=2))
    with escalated(shop) as heard:
        assert sweep(runtime_of(shop)).tasks == 2
        assert sweep(runtime_of(shop)).tasks == 0
    assert [task for _, task in heard] == ["Call the customer", "Hold the stock"]
    assert now_of(shop).priority == "urgent"


def test_it_is_said_whose_task_is_late(shop: Shop, clock: Clock, case: CaseInfo) -> None:
    boss = Agent(ref="1", name="Noor Haddad", role="supervisor")
    for agent in (LIN, EVE, boss):
        remember_agent(runtime_of(shop), agent)
    services.take(runtime_of(shop), case.reference, agent=LIN, version=case.version)
    clock.pass_by(timedelta(hours=2))
    assert overdue.sweep_overdue(runtime_of(shop)) == 2
    lines = told(shop, "escalation", "task_overdue")
    assert [line["people"] for line in lines] == [
        ["Lin Okafor", "Noor Haddad"],
        ["Eve Lindqvist", "Noor Haddad"],
    ]


def test_whose_task_is_late_gets_a_mail_that_says_which(
    shop: Shop, clock: Clock, case: CaseInfo, mails: list[Mail]
) -> None:
    for agent in (LIN, EVE):
        remember_agent(runtime_of(shop), replace(agent, email=f"{agent.ref}@staff.example"))
    services.take(runtime_of(shop), case.reference, agent=LIN, version=case.version)
    clock.pass_by(timedelta(hours=2))
    work(shop)
    work(shop)
    about = {mail.to: mail for mail in mails if mail.to.endswith("staff.example")}
    assert sorted(about) == sorted([f"{LIN.ref}@staff.example", f"{EVE.ref}@staff.example"])
    mail = about[f"{LIN.ref}@staff.example"]
    assert mail.subject == f"{case.reference}: A task of the protocol is overdue: Call the customer"
    assert "Call the customer" in mail.text


def test_a_task_that_was_done_meanwhile_is_not_mailed(
    shop: Shop, clock: Clock, case: CaseInfo, mails: list[Mail]
) -> None:
    remember_agent(runtime_of(shop), replace(LIN, email="lin@staff.example"))
    services.take(runtime_of(shop), case.reference, agent=LIN, version=case.version)
    clock.pass_by(16 * MINUTE)
    sweep(runtime_of(shop))
    tick(shop, 0)
    work(shop)
    assert [mail for mail in mails if "Call the customer" in mail.subject] == []


def test_what_is_done_in_time_is_never_late(shop: Shop, clock: Clock, case: CaseInfo) -> None:
    tick(shop, 0)
    clock.pass_by(30 * MINUTE)
    assert sweep(runtime_of(shop)).tasks == 0
    clock.pass_by(timedelta(hours=1))
    assert sweep(runtime_of(shop)).tasks == 1


def test_an_ended_case_raises_no_alarm(shop: Shop, clock: Clock, case: CaseInfo) -> None:
    solve(shop, "Nobody answers.")
    clock.pass_by(timedelta(days=1))
    with escalated(shop) as heard:
        assert overdue.sweep_overdue(runtime_of(shop)) == 0
    assert heard == []
    assert all(task.late_at for task in tasks(shop) if task.due_at)
    assert told(shop, "escalation", "task_overdue") == []


def test_two_workers_tell_each_task_once(shop: Shop, clock: Clock) -> None:
    for number in range(12):
        decline(shop, clock.now, checkout=checkout(f"c-{number}", LARGE))
    clock.pass_by(timedelta(hours=2))
    workers = [
        threading.Thread(target=overdue.sweep_overdue, args=(runtime_of(shop),)) for _ in range(3)
    ]
    with escalated(shop) as heard:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        overdue.sweep_overdue(runtime_of(shop))
    assert len(heard) == 24
    assert len(told(shop, "escalation", "task_overdue")) == 24


def test_a_sweep_reads_what_is_due_by_its_index(shop: Shop, clock: Clock, case: CaseInfo) -> None:
    runtime = runtime_of(shop)
    with runtime.read() as session:
        original = session.scalars(select(CaseRow)).one()
        columns = [item.key for item in CaseRow.__mapper__.column_attrs if item.key != "id"]
        copied = {name: getattr(original, name) for name in columns}
    many = range(2, 3002)
    with runtime.write() as unit:
        unit.session.execute(
            insert(CaseRow),
            [
                {**copied, "id": n, "reference": f"CC-{n}", "dedupe_key": f"k{n}", "wake_at": None}
                for n in many
            ],
        )
        unit.session.execute(insert(TaskRow), [row for n in many for row in task_rows(n, clock)])
    with runtime.database.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    clock.pass_by(30 * MINUTE)
    with Statements(shop) as statements:
        assert overdue.sweep_overdue(runtime) == 1
    plans = statements.plans("checkout_case_task.due_at <=")
    assert len(plans) == 2
    assert all("ix_checkout_case_task_due" in plan for plan in plans), plans


def task_rows(case_id: int, clock: Clock) -> list[dict[str, Any]]:
    """One task that has been done, one that isn't due for long."""
    row = {
        "case_id": case_id,
        "protocol": "white-glove",
        "title": "Call",
        "owner": "assignee",
        "required": True,
    }
    due = clock.now + timedelta(days=1, seconds=case_id)
    return [
        {**row, "position": 0, "due_at": clock.now, "done_at": clock.now},
        {**row, "position": 1, "due_at": due, "done_at": None},
    ]
