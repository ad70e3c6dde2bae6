"""What a sweep costs while few of many open cases are due: ms, our CPU, statements, rows, plan.

Then what hands cost, in ms and as a ratio to the fewest cases: to take some cases back and give out
others instead, to find nothing to take back, and to count what waits, for the page of teams.

``python -m benchmarks.sweep [--due 10] [--cases 1000 10000 100000] [--rounds 5]``
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event, func, insert, select, text, update

from benchmarks._shop import databases
from benchmarks.queue import TEAMS, case
from flask_checkout_case import rules
from flask_checkout_case.data.models import AgentRow, AssignmentRow, CaseRow
from flask_checkout_case.data.queries_assignment import waiting_by_team
from flask_checkout_case.data.queries_due import due_case
from flask_checkout_case.services.alarms import sweep_cases
from flask_checkout_case.services.assignment import sweep_assignments
from flask_checkout_case.services.runtime import Runtime
from tests.support.due import Clock, runtime_of, set_clock
from tests.support.shop import Shop, build_shop, dispose

INDEX: Final = "ix_checkout_case_case_wake"
AT_ONCE: Final = 2_000
STAFF: Final = 50
EACH: Final = 8
HELD: Final = STAFF * EACH


@dataclass
class Seen:
    """What was sent to the database, and how many rows of cases came back or were written."""

    statements: int = 0
    rows: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--due", type=int, default=10)
    parser.add_argument("--cases", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    print(f"a sweep of {given.due} due cases, p50 of {given.rounds} rounds")
    print(
        f"{'':12}{'open cases':>12}{'ms':>9}{'CPU':>8}{'SQL':>6}{'written':>9}{'touched':>9}  plan"
    )
    hands: dict[str, dict[int, Hands]] = {}
    for cases in given.cases:
        with databases() as found:
            for name, (url, _, home) in found.items():
                with open_shop(url, home / f"{name}-{cases}", cases) as (shop, clock):
                    told = measure(runtime_of(shop), clock, given.due, given.rounds)
                    print(f"{name:12}{cases:12,}{told}")
                    seat(runtime_of(shop), clock)
                    hands.setdefault(name, {})[cases] = measure_hands(
                        runtime_of(shop), clock, given.due, given.rounds
                    )
    tell_of_hands(hands, given.due)


def measure(runtime: Runtime, clock: Clock, due: int, rounds: int) -> str:
    times, busy = list[float](), list[float]()
    told = ""
    for number in range(rounds + 1):
        before = make_due(runtime, clock, due, number)
        with watched(runtime) as seen:
            began, worked = time.perf_counter(), time.process_time()
            fired = sweep_cases(runtime)
            took = time.perf_counter() - began, time.process_time() - worked
        touched = count_touched(runtime, before)
        assert fired == due, (fired, due)
        if number:  # the first opens connections and compiles statements
            times.append(took[0] * 1000)
            busy.append(took[1] * 1000)
        told = f"{seen.statements:6}{seen.rows:9}{touched:9}"
    plan = explain(runtime, clock.now)
    cost = f"{statistics.median(times):9.1f}{statistics.median(busy):8.1f}"
    return f"{cost}{told}  {INDEX if INDEX in plan else plan}"


@dataclass
class Hands:
    """Milliseconds of each round: of sweeps over what agents have, and of counting what waits."""

    idle: list[float] = field(default_factory=list)
    taken_back: list[float] = field(default_factory=list)
    counted: list[float] = field(default_factory=list)


def measure_hands(runtime: Runtime, clock: Clock, due: int, rounds: int) -> Hands:
    found = Hands()
    for number in range(rounds + 1):
        clock.pass_by(timedelta(hours=1))
        let_lie(runtime, clock, due)
        # Who waits is given the places that become free, so each case counts twice.
        taken_back = timed(lambda: sweep_assignments(runtime), 2 * due)
        idle = timed(lambda: sweep_assignments(runtime), 0)
        with runtime.read() as session:
            counted = timed(lambda: len(waiting_by_team(session)), len(TEAMS))
        if number:
            found.taken_back.append(taken_back)
            found.idle.append(idle)
            found.counted.append(counted)
    return found


def timed(work: Callable[[], int], expected: int) -> float:
    began = time.perf_counter()
    done = work()
    took = (time.perf_counter() - began) * 1000
    assert done == expected, (done, expected)
    return took


def tell_of_hands(hands: dict[str, dict[int, Hands]], due: int) -> None:
    print(f"\n{HELD} cases in the hands of {STAFF} agents who are full, the others wait; p50 in ms")
    columns = "".join(f"{name:>18}{'ratio':>7}" for name in (f"take back {due}", "idle", "count"))
    print(f"{'':12}{'open cases':>12}{columns}")
    for name, of_database in hands.items():
        first = next(iter(of_database.values()))
        for cases, one in of_database.items():
            told = ""
            for part in ("taken_back", "idle", "counted"):
                now, base = (statistics.median(getattr(of, part)) for of in (one, first))
                told += f"{now:18.2f}{now / base:7.2f}"
            print(f"{name:12}{cases:12,}{told}")


def seat(runtime: Runtime, clock: Clock) -> None:
    """Give agents as many cases as they take, spread over all."""
    agents = [
        {"ref": f"a-{number}", "name": f"Agent {number}", "teams": list(TEAMS), "role": "agent"}
        for number in range(STAFF)
    ]
    here = {"presence": "available", "seen_at": clock.now}
    with runtime.write() as unit:
        session = unit.session
        session.execute(insert(AgentRow), [{**agent, **here} for agent in agents])
        session.execute(update(CaseRow).values(assignee_ref=None))
        highest = session.scalar(select(func.max(CaseRow.id))) or 0
        chosen = [highest * place // HELD for place in range(1, HELD + 1)]
        teams = {row.id: row.team for row in session.execute(select(CaseRow.id, CaseRow.team))}
        for place, case_id in enumerate(chosen):
            agent = f"a-{place % STAFF}"
            given = {"assignee_ref": agent, "assigned_at": clock.now}
            session.execute(update(CaseRow).where(CaseRow.id == case_id).values(given))
            kept = {"case_id": case_id, "agent_ref": agent, "team": teams[case_id]}
            session.execute(insert(AssignmentRow), {**kept, "how": "balanced", "at": clock.now})
    analyze(runtime)


def let_lie(runtime: Runtime, clock: Clock, due: int) -> None:
    """Let some of the held cases lie untouched for too long, and everybody be there."""
    held = select(AssignmentRow.case_id).where(AssignmentRow.ended_at.is_(None))
    with runtime.write() as unit:
        session = unit.session
        session.execute(update(AgentRow).values(seen_at=clock.now))
        lying = session.scalars(held.order_by(AssignmentRow.id).limit(due)).all()
        in_hands = update(CaseRow).where(CaseRow.id.in_(held))
        session.execute(in_hands.values(touched_at=clock.now))
        session.execute(update(CaseRow).where(CaseRow.id.in_(lying)).values(touched_at=None))


@contextmanager
def open_shop(url: str, home: Path, cases: int) -> Iterator[tuple[Shop, Clock]]:
    """Make a shop with open cases whose clocks run, none of them due, and fresh statistics."""
    home.mkdir(parents=True)
    policy = home / "policy.toml"
    policy.write_text(giving_policy())
    shop = build_shop(url, home, CHECKOUT_CASE_POLICY=str(policy))
    now = datetime.now(UTC).replace(microsecond=0)
    clock = set_clock(shop, now)
    runtime = runtime_of(shop)
    for numbers in (range(at, min(at + AT_ONCE, cases)) for at in range(0, cases, AT_ONCE)):
        with runtime.write() as unit:
            unit.session.execute(insert(CaseRow), [open_case(number, now) for number in numbers])
    analyze(runtime)
    yield shop, clock
    dispose(shop)


def giving_policy() -> str:
    """Return the default policy, with teams that give their cases out."""
    written = files(rules).joinpath("default_policy.toml").read_text()
    settings = f'assignment = "balanced"\nmember_limit = {EACH}\naccept_within = "30m"\n'
    for team in TEAMS:
        written = written.replace(f"[teams.{team}]\n", f"[teams.{team}]\n{settings}")
    return written


def analyze(runtime: Runtime) -> None:
    with runtime.database.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()


def open_case(number: int, now: datetime) -> dict[str, Any]:
    live = {"status": "open", "ended_at": None, "outcome": None, "sla": "payment"}
    later = now + timedelta(days=400, seconds=number)
    return {**case(number, now), **live, "opened_at": now, "wake_at": later, "pauses": []}


def make_due(runtime: Runtime, clock: Clock, due: int, number: int) -> dict[int, Any]:
    """Let the first clock of some cases, spread over all, warn now, and nothing else.

    Args:
        number: of the round; each takes other cases.

    Returns:
        The alarms of all cases.
    """
    clock.pass_by(timedelta(hours=1))
    start, later = clock.now - timedelta(minutes=12), clock.now + timedelta(days=400)
    with runtime.write() as unit:
        highest = unit.session.scalar(select(func.max(CaseRow.id))) or 0
        chosen = [highest * place // due - number for place in range(1, due + 1)]
        soon = CaseRow.wake_at < clock.now + timedelta(days=100)
        unit.session.execute(update(CaseRow).where(soon).values(wake_at=later))
        due_now = update(CaseRow).where(CaseRow.id.in_(chosen))
        unit.session.execute(due_now.values(opened_at=start, wake_at=clock.now))
    return alarms(runtime)


def alarms(runtime: Runtime) -> dict[int, Any]:
    with runtime.read() as session:
        found = select(CaseRow.id, CaseRow.wake_at, CaseRow.version)
        return {row.id: (row.wake_at, row.version) for row in session.execute(found)}


def count_touched(runtime: Runtime, before: dict[int, Any]) -> int:
    """Return how many cases are not as they were."""
    after = alarms(runtime)
    return sum(after[key] != told for key, told in before.items())


@contextmanager
def watched(runtime: Runtime) -> Iterator[Seen]:
    seen = Seen()

    def note(_connection: Any, cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.statements += 1
        if statement.startswith("UPDATE checkout_case_case "):
            seen.rows += max(cursor.rowcount, 0)

    engine = runtime.database.engine
    event.listen(engine, "after_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "after_cursor_execute", note)


def explain(runtime: Runtime, now: datetime) -> str:
    """Return the plan by which a sweep finds the next due case."""
    engine = runtime.database.engine
    how = "EXPLAIN" if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    statement = due_case(now).compile(engine, compile_kwargs={"literal_binds": True})
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"{how} {statement}".replace("%", "%%"))
        return " / ".join(" ".join(map(str, row)) for row in rows)


if __name__ == "__main__":
    main()
