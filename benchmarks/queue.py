"""The agents' pages with few and with many cases: time, processor time, statements.

The same pages of two shops, asked in turn, so that whatever else the machine does meets both. Half
of the cases have ended. ``python -m benchmarks.queue [--many 100000] [--rounds 60]``
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flask import request
from sqlalchemy import insert, select, text
from werkzeug.test import EnvironBuilder

from benchmarks._shop import databases
from flask_checkout_case import Agent
from flask_checkout_case.data.models import CaseRow, EntryRow
from flask_checkout_case.services.reports import sweep_reports
from flask_checkout_case.services.runtime import Runtime
from tests.support.desk import runtime_of, statements
from tests.support.shop import Shop, build_shop, dispose

LIN: Final = Agent(ref="7", name="Lin", teams=["payments", "concierge"])
BOSS: Final = Agent(ref="1", name="Noor", role="supervisor")
DESK: Final = "/checkout-case/agent"
TEAMS: Final = ("payments", "support", "concierge", "risk", "fulfilment")
GOAL_RATIO: Final = 1.2
GOAL_STATEMENTS: Final = 6
GOAL_MS: Final = 10.0
GOAL_POLL_MS: Final = 1.0


@dataclass
class Desk:
    """A shop with cases, and what asking it has cost, in milliseconds."""

    shop: Shop
    reference: str
    times: dict[str, list[float]] = field(default_factory=dict)
    busy: dict[str, list[float]] = field(default_factory=dict)
    statements: dict[str, int] = field(default_factory=dict)

    def ask(self, name: str, path: str, headers: Mapping[str, str], status: int) -> str:
        """Ask for a page once; return its ETag."""
        told: list[Any] = []
        address = DESK + path.format(case=self.reference)
        environ = EnvironBuilder(address, headers=list(headers.items())).get_environ()
        began, worked = time.perf_counter(), time.thread_time()
        body = self.shop.app(environ, _keep_in(told))
        for _ in body:
            pass
        if hasattr(body, "close"):
            body.close()
        self.busy.setdefault(name, []).append((time.thread_time() - worked) * 1000)
        self.times.setdefault(name, []).append((time.perf_counter() - began) * 1000)
        assert told[0].startswith(str(status)), (path, told[0])
        return str(dict(told[1]).get("ETag", ""))


def _keep_in(told: list[Any]) -> Any:
    def start_response(*given: Any) -> None:
        told.extend(given)

    return start_response


PAGES: Final = {
    "queue, my teams": ("/", "agent"),
    "queue, everything": ("/?view=all", "boss"),
    "queue, filtered": ("/?view=all&priority=urgent&category=fraud", "boss"),
    "queue, what has ended": ("/?view=all&status=solved", "boss"),
    "case, 50 entries": ("/cases/{case}", "agent"),
    "reports, 30 days": ("/reports", "boss"),
    "queue, nothing new": ("/queue", "agent"),
    "case, nothing new": ("/cases/{case}/live", "agent"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=1_000)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=60)
    given = parser.parse_args()
    with databases() as found:
        for name, (first, second, home) in found.items():
            with (
                open_desk(first, home / f"{name}-few", given.few) as few,
                open_desk(second, home / f"{name}-many", given.many) as many,
            ):
                measure((few, many), given.rounds)
                print(f"\n{name}: p50 in ms of {given.rounds} rounds")
                report(few, many, given.few, given.many)


def measure(desks: tuple[Desk, Desk], rounds: int) -> None:
    for desk in desks:
        for who in ("agent", "boss"):  # they are remembered with their first page
            Desk(desk.shop, desk.reference).ask("", "/", {"X-Agent": who}, 200)
    for round_number in range(rounds + 3):
        for name, (path, who) in PAGES.items():
            for desk in desks:
                poll = "nothing new" in name
                headers = {"X-Agent": who}
                if poll:
                    quiet = Desk(desk.shop, desk.reference)
                    headers["If-None-Match"] = quiet.ask(name, path, headers, 200)
                if round_number == 0:
                    with statements(desk.shop) as noted:
                        desk.ask(name, path, headers, 304 if poll else 200)
                    desk.statements[name] = len(noted)
                desk.ask(name, path, headers, 304 if poll else 200)
        if round_number == 2:
            for desk in desks:
                desk.times.clear()
                desk.busy.clear()


def report(few: Desk, many: Desk, few_cases: int, many_cases: int) -> None:
    head = f"{few_cases:,}", f"{many_cases:,}", "ratio", "CPU", "SQL"
    print(f"{'':24}{head[0]:>10}{head[1]:>10}{head[2]:>8}{head[3]:>8}{head[4]:>5}")
    for name in PAGES:
        small, large = (statistics.median(desk.times[name]) for desk in (few, many))
        busy = statistics.median(many.busy[name])
        asked = max(few.statements[name], many.statements[name])
        ratio = large / small
        poll = "nothing new" in name
        fine = asked <= GOAL_STATEMENTS and (
            busy <= GOAL_POLL_MS if poll else ratio <= GOAL_RATIO and large <= GOAL_MS
        )
        told = "" if fine else "  over"
        print(f"{name:24}{small:10.2f}{large:10.2f}{ratio:8.2f}{busy:8.2f}{asked:5}{told}")


@contextmanager
def open_desk(database_url: str, home: Any, cases: int) -> Iterator[Desk]:
    home.mkdir(parents=True)
    shop = build_shop(database_url, home)

    @shop.cases.agent_loader
    def load_agent() -> Agent | None:
        return BOSS if request.headers.get("X-Agent") == "boss" else LIN

    fill(runtime_of(shop), cases)
    count_for_reports(runtime_of(shop))
    with runtime_of(shop).read() as session:
        reference = session.scalar(
            select(CaseRow.reference).where(CaseRow.id == EntryRow.case_id, EntryRow.id == 1)
        )
    yield Desk(shop, str(reference))
    dispose(shop)


def count_for_reports(runtime: Runtime) -> None:
    """Count the cases as the worker does, and print what the fullest day took."""
    took = []
    began = time.perf_counter()
    while sweep_reports(runtime):
        took.append(time.perf_counter() - began)
        began = time.perf_counter()
    print(f"counting the fullest day for reports took {max(took):.2f} s")


def fill(runtime: Runtime, cases: int) -> None:
    """Put cases there, and 50 entries to one of them, with fresh statistics."""
    start = datetime.now(UTC) - timedelta(hours=2)
    for numbers in (range(at, min(at + 2_000, cases)) for at in range(0, cases, 2_000)):
        with runtime.write() as unit:
            unit.session.execute(insert(CaseRow), [case(number, start) for number in numbers])
    with runtime.write() as unit:
        found = select(CaseRow.id).where(CaseRow.reference == f"CC-{5:08d}")
        case_id = unit.session.scalar(found)
        lines = [entry(case_id, number, start) for number in range(50)]
        unit.session.execute(insert(EntryRow), lines)
    with runtime.database.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()


def case(number: int, start: datetime) -> dict[str, Any]:
    ended = number % 10 in (0, 2, 4, 6, 8)
    at = start + timedelta(milliseconds=number * 50)
    due = None if ended else at + timedelta(minutes=15)
    return {
        "reference": f"CC-{number:08d}",
        "dedupe_key": f"c-{number}|payment",
        "family": "payment",
        "status": "solved" if ended else ("new", "open", "waiting")[number % 3],
        "category": "fraud" if number % 7 == 0 else "payment_declined",
        "failure_class": "fraud" if number % 7 == 0 else "funds",
        "unmapped": False,
        "priority": ("urgent", "high", "normal")[number % 3],
        "origin": "signal",
        "outcome": "assisted" if ended else None,
        "subject": f"Insufficient funds · Customer {number} · $120.00",
        "team": TEAMS[number % 5 if number % 10 != 5 else 0],
        "assignee_ref": "7" if number % 97 == 0 else None,
        "route": "Payment declined",
        "reasons": [{"route": "Payment declined", "matched": True, "checks": []}],
        "policy_version": "benchmark",
        "checkout_ref": f"c-{number}",
        "customer_ref": f"u-{number % (number // 3 + 1)}",
        "customer_name": f"Customer {number}",
        "value_minor": 12_000 + number,
        "currency": "USD",
        "snapshot": {"checkout": {"ref": f"c-{number}", "lines": [], "step": "payment"}},
        "occurrences": 1,
        "opened_at": at,
        "first_response_due": due,
        "due_at": due,
        "urgency_at": at,
        "ended_at": at + timedelta(minutes=5) if ended else None,
        "fired": [],
        "changed_at": at,
        "version": 1,
    }


def entry(case_id: int | None, number: int, start: datetime) -> dict[str, Any]:
    return {
        "case_id": case_id,
        "at": start + timedelta(seconds=number),
        "kind": "message",
        "author": "agent" if number % 2 else "customer",
        "author_ref": "7" if number % 2 else None,
        "author_name": "Lin" if number % 2 else "Ada",
        "public": True,
        "text": f"Message number {number}. " + "A few words more. " * 5,
        "case_version": 1,
    }


if __name__ == "__main__":
    main()
