"""The agents' queue on both databases: who sees what, in which order, at what price."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from flask_checkout_case import Agent, CaseInfo
from flask_checkout_case.data.models import CaseRow
from flask_checkout_case.data.queries_queue import counts_statement, page_statement
from flask_checkout_case.errors import InvalidInputError
from flask_checkout_case.services import cases, queue
from flask_checkout_case.services.due import Clock
from flask_checkout_case.services.queue import Question, View, Wanted
from tests.support.desk import (
    BOSS,
    EVE,
    LIN,
    SAM,
    ago,
    decline,
    open_desk,
    runtime_of,
    statements,
)
from tests.support.shop import Shop

START = datetime(2026, 1, 5, 8, tzinfo=UTC)


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return open_desk(make_app)


def values(number: int, **changes: Any) -> dict[str, Any]:
    """A case's columns, as plain as they can be."""
    at = START + timedelta(seconds=number)
    return {
        "reference": f"CC-{number:08d}",
        "dedupe_key": f"checkout:row-{number}|payment",
        "family": "payment",
        "status": "new",
        "category": "payment_declined",
        "failure_class": "funds",
        "unmapped": False,
        "priority": "normal",
        "origin": "signal",
        "subject": f"Case {number}",
        "team": "payments",
        "assignee_ref": None,
        "route": "Payment declined",
        "reasons": [],
        "policy_version": "test",
        "checkout_ref": f"row-{number}",
        "value_minor": 12000,
        "currency": "USD",
        "occurrences": 1,
        "opened_at": at,
        "due_at": at + timedelta(minutes=15),
        "first_response_due": at + timedelta(minutes=15),
        "urgency_at": at,
        "fired": [],
        "changed_at": at,
        "version": 1,
        **changes,
    }


def put(shop: Shop, rows: list[dict[str, Any]]) -> None:
    with runtime_of(shop).write() as unit:
        unit.session.execute(insert(CaseRow), rows)


def seen(shop: Shop, agent: Agent, view: View = View.ALL, **wanted: Any) -> list[str]:
    page = queue.page(runtime_of(shop), agent, Question(view, Wanted(**wanted)))
    return [row.reference for row in page.rows]


def walk(shop: Shop, agent: Agent, question: Question) -> list[str]:
    """Turn page after page to the end."""
    found: list[str] = []
    while True:
        page = queue.page(runtime_of(shop), agent, question)
        found += [row.reference for row in page.rows]
        if page.following is None:
            return found
        question = Question(question.view, question.wanted, after=page.following)


def test_the_views_of_an_agent(shop: Shop) -> None:
    mine = decline(shop, "c-mine")
    cases.take(runtime_of(shop), mine.reference, agent=LIN, version=mine.version)
    others = decline(shop, "c-sams")
    cases.take(runtime_of(shop), others.reference, agent=SAM, version=others.version)
    free = decline(shop, "c-free")
    risk = decline(shop, "c-risk", code="stolen_card")
    assert seen(shop, LIN, View.MINE) == [mine.reference]
    assert set(seen(shop, LIN, View.TEAMS)) == {
        mine.reference,
        others.reference,
        free.reference,
    }
    assert seen(shop, LIN, View.UNASSIGNED) == [free.reference]
    assert risk.reference not in seen(shop, LIN, View.ALL)
    assert seen(shop, EVE, View.ALL) == []
    assert len(seen(shop, BOSS, View.ALL)) == 4
    assert set(seen(shop, BOSS, View.UNASSIGNED)) == {free.reference, risk.reference}


def test_a_case_given_to_an_agent_of_another_team_is_in_their_queue(shop: Shop) -> None:
    case = decline(shop, "c-1")
    put(shop, [values(1, team="risk", assignee_ref="9")])
    assert seen(shop, EVE, View.ALL) == ["CC-00000001"]
    assert seen(shop, EVE, View.MINE) == ["CC-00000001"]
    assert seen(shop, EVE, View.TEAMS) == []
    assert case.reference not in seen(shop, EVE)


def test_nobody_sees_a_case_twice(shop: Shop) -> None:
    put(shop, [values(1, team="payments", assignee_ref="7")])
    assert seen(shop, LIN, View.ALL) == ["CC-00000001"]


def test_the_most_urgent_comes_first(shop: Shop) -> None:
    late = decline(shop, "c-late", at=ago(minutes=40))
    new = decline(shop, "c-new")
    dear = decline(shop, "c-dear", value="4900.00")
    order = seen(shop, LIN)
    assert order[0] == late.reference
    assert order.index(dear.reference) < order.index(new.reference)


def test_filters(shop: Shop) -> None:
    put(
        shop,
        [
            values(1, status="waiting"),
            values(2, priority="urgent"),
            values(3, category="stock", team="support"),
            values(4, team="risk", category="fraud", priority="high"),
        ],
    )
    assert seen(shop, BOSS, status="waiting") == ["CC-00000001"]
    assert seen(shop, BOSS, priorities=("urgent", "high")) == ["CC-00000002", "CC-00000004"]
    assert seen(shop, BOSS, categories=("stock",)) == ["CC-00000003"]
    assert seen(shop, BOSS, teams=("risk", "support")) == ["CC-00000003", "CC-00000004"]
    assert seen(shop, LIN, teams=("risk",)) == []
    assert seen(shop, LIN, teams=("payments",)) == ["CC-00000001", "CC-00000002"]


def test_what_has_ended_is_listed_by_its_end(shop: Shop) -> None:
    put(
        shop,
        [
            values(
                number,
                status="solved",
                outcome="assisted",
                due_at=None,
                ended_at=START + timedelta(hours=number),
                team="payments" if number % 2 else "risk",
            )
            for number in range(60)
        ],
    )
    assert seen(shop, BOSS) == []
    every = walk(shop, BOSS, Question(View.ALL, Wanted(status="solved")))
    assert every == [f"CC-{number:08d}" for number in reversed(range(60))]
    team = walk(shop, LIN, Question(View.TEAMS, Wanted(status="solved")))
    assert team == [f"CC-{number:08d}" for number in reversed(range(1, 60, 2))]


def test_counts_stop_where_the_page_says_so(shop: Shop) -> None:
    put(shop, [values(number, assignee_ref="7" if number < 3 else None) for number in range(130)])
    counted = queue.counts(runtime_of(shop), LIN)
    assert counted == {
        View.MINE: 3,
        View.TEAMS: 100,
        View.UNASSIGNED: 100,
        View.ALL: 100,
        View.CONCIERGE: 0,
    }


def test_pages_both_ways(shop: Shop) -> None:
    put(shop, [values(number) for number in range(60)])
    runtime = runtime_of(shop)
    first = queue.page(runtime, LIN, Question(View.TEAMS))
    assert (len(first.rows), first.previous) == (25, None)
    second = queue.page(runtime, LIN, Question(View.TEAMS, after=first.following))
    third = queue.page(runtime, LIN, Question(View.TEAMS, after=second.following))
    assert len(third.rows) == 10
    assert third.following is None
    back = queue.page(runtime, LIN, Question(View.TEAMS, before=third.previous))
    assert [row.id for row in back.rows] == [row.id for row in second.rows]
    again = queue.page(runtime, LIN, Question(View.TEAMS, before=back.previous))
    assert [row.id for row in again.rows] == [row.id for row in first.rows]
    assert again.previous is None


@pytest.mark.parametrize("seed", range(4))
def test_no_case_is_lost_or_twice_while_others_arrive(shop: Shop, seed: int) -> None:
    chance = random.Random(seed)
    teams = ("payments", "concierge", "risk")
    # Many share an urgency: then the id decides.
    there = [
        values(
            number,
            team=chance.choice(teams),
            urgency_at=START + timedelta(seconds=chance.randrange(40)),
        )
        for number in range(140)
    ]
    put(shop, there)
    wanted = {row["reference"] for row in there if row["team"] in LIN.teams}
    found: list[str] = []
    question = Question(View.TEAMS)
    fresh = 1000
    while True:
        page = queue.page(runtime_of(shop), LIN, question)
        found += [row.reference for row in page.rows]
        if page.following is None:
            break
        arrived = [
            values(
                fresh + extra,
                team=chance.choice(teams),
                urgency_at=START + timedelta(seconds=chance.randrange(40)),
            )
            for extra in range(9)
        ]
        fresh += 9
        put(shop, arrived)
        question = Question(View.TEAMS, after=page.following)
    assert len(found) == len(set(found))
    assert wanted <= set(found)


def test_a_place_survives_the_address(shop: Shop) -> None:
    put(shop, [values(number) for number in range(30)])
    page = queue.page(runtime_of(shop), LIN, Question(View.TEAMS))
    assert page.following is not None
    assert queue.read_place(queue.write_place(page.following), "after") == page.following


@pytest.mark.parametrize(
    "text", ["", "1", "x-1", "1-x", "1--1", "9" * 19 + "-1", "1-" + "9" * 19, "١-١", "1-1 "]
)
def test_a_bad_place_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        queue.read_place(text, "after")


def test_the_shops_permission_takes_cases_away_and_gives_none(shop: Shop) -> None:
    mine, other = decline(shop, "c-1"), decline(shop, "c-2")
    risk = decline(shop, "c-risk", code="stolen_card")

    @shop.cases.permission
    def allowed(_agent: Agent, _action: str, case: CaseInfo | None) -> bool:
        return case is not None and case.reference in (mine.reference, risk.reference)

    assert seen(shop, LIN) == [mine.reference]
    assert other.reference not in seen(shop, LIN)
    assert queue.counts(runtime_of(shop), LIN) == {}


def test_the_mark_changes_with_what_is_shown_and_only_then(shop: Shop) -> None:
    runtime, question = runtime_of(shop), Question(View.TEAMS)
    case = decline(shop, "c-1")
    before = queue.mark(runtime, LIN, question)
    assert queue.mark(runtime, LIN, question) == before
    decline(shop, "c-risk", code="stolen_card")
    assert queue.mark(runtime, LIN, question) == before
    cases.note(runtime, case.reference, "Seen.", agent=LIN)
    changed = queue.mark(runtime, LIN, question)
    assert changed != before
    assert queue.mark(runtime, SAM, question) != changed


def test_a_page_takes_two_statements(shop: Shop) -> None:
    put(shop, [values(number) for number in range(60)])
    with statements(shop) as noted:
        queue.page(runtime_of(shop), LIN, Question(View.TEAMS))
    assert len(noted) == 2, noted


QUESTIONS = {
    "a supervisor's all": (BOSS, Question(View.ALL), "ix_checkout_case_case_queue"),
    "one team": (SAM, Question(View.TEAMS), "ix_checkout_case_case_team_queue"),
    "two teams": (LIN, Question(View.TEAMS), "ix_checkout_case_case_team_queue"),
    "mine": (LIN, Question(View.MINE), "ix_checkout_case_case_assignee_queue"),
    "a supervisor's concierge": (
        BOSS,
        Question(View.CONCIERGE),
        "ix_checkout_case_case_valuable_queue",
    ),
    "my concierge": (LIN, Question(View.CONCIERGE), "ix_checkout_case_case_valuable_team_queue"),
    "what a concierge has solved": (
        BOSS,
        Question(View.CONCIERGE, Wanted(status="solved")),
        "ix_checkout_case_case_valuable_ended",
    ),
    "all I may see": (LIN, Question(View.ALL), "ix_checkout_case_case_team_queue"),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_pages_are_read_from_the_index_that_fits_their_order(shop: Shop, name: str) -> None:
    agent, question, index = QUESTIONS[name]
    rare = {0: "payments", 1: "concierge"}
    put(
        shop,
        [
            values(
                number,
                team=rare.get(number % 50, "support"),
                assignee_ref=f"a-{number % 30}" if number % 2 else None,
                status="new" if number % 3 == 0 else "solved",
                ended_at=None if number % 3 == 0 else START + timedelta(seconds=number),
                high_value=number % 40 == 0,
            )
            for number in range(4000)
        ],
    )
    after = queue.Cursor(START + timedelta(seconds=900), 900)
    scope = queue.scope_of(agent, question.view)
    for place in (None, after):
        plan = plan_of(shop, page_statement(scope, question.wanted, 26, after=place))
        assert index in plan, plan
        assert "SCAN checkout_case_case\n" not in plan, plan
        assert "Seq Scan on checkout_case_case" not in plan, plan


def test_counting_reads_indexes_alone(shop: Shop) -> None:
    put(shop, [values(number, status="new" if number % 3 else "closed") for number in range(4000)])
    scopes = tuple(queue.scope_of(SAM, view) for view in View)
    plan = plan_of(shop, counts_statement(scopes))
    assert "SCAN checkout_case_case\n" not in plan, plan
    assert "Seq Scan" not in plan, plan


def plan_of(shop: Shop, statement: Any) -> str:
    """Return how the database answers a statement, with fresh statistics."""
    with Session(runtime_of(shop).database.engine) as session:
        session.execute(text("ANALYZE"))
        session.commit()
        on_sqlite = session.get_bind().dialect.name == "sqlite"
        dialect: Any = sqlite.dialect() if on_sqlite else postgresql.dialect()  # type: ignore[no-untyped-call]
        written = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        ask = "EXPLAIN QUERY PLAN " if on_sqlite else "EXPLAIN "
        lines = session.execute(text(ask + str(written).replace(":", r"\:"))).all()
    return "\n".join(str(line[-1]) for line in lines) + "\n"


def test_when_a_clock_is_overdue() -> None:
    due = START + timedelta(minutes=20)
    clock = Clock("resolution", due, due - timedelta(minutes=5))
    states = {
        clock.soon - timedelta(seconds=1): "fine",
        clock.soon: "soon",
        due: "soon",
        due + timedelta(microseconds=1): "overdue",
    }
    assert {at: clock.state(at) for at in states} == states
