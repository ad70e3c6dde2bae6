"""The checklist on the case page, without scripts: ticking, and the reason that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flask_checkout_case import CaseInfo
from flask_checkout_case.rules import conditions
from flask_checkout_case.services import cases as services
from flask_checkout_case.services import overdue
from tests.support.desk import BOSS, Desk, ago, decline, know_agents, open_desk, runtime_of
from tests.support.due import set_clock
from tests.support.protocols import LARGE, TITLES, tasks, write_policy
from tests.support.shop import Shop

CODES = """
[teams.payments]
[[routes]]
name = "Odd"
when = { decline_code = "do_not_honor" }
team = "payments"
[[routes]]
name = "All"
team = "payments"
"""


@pytest.fixture
def shop(make_sqlite_app: Callable[..., Shop], tmp_path: Path) -> Shop:
    made = open_desk(make_sqlite_app, CHECKOUT_CASE_POLICY=str(write_policy(tmp_path)))
    know_agents(made)
    return made


@pytest.fixture
def case(shop: Shop) -> CaseInfo:
    return decline(shop, "c-1", value=LARGE)


@pytest.fixture
def lin(shop: Shop) -> Desk:
    return Desk(shop, "lin")


def page(desk: Desk, case: CaseInfo) -> str:
    text: str = desk.get(f"cases/{case.reference}").text
    return text


def status(shop: Shop, case: CaseInfo) -> str:
    with shop.app.app_context():
        return shop.cases.get(case.reference).status


def test_the_checklist_tells_what_is_to_be_done(lin: Desk, case: CaseInfo) -> None:
    shown = page(lin, case)
    for word in (*TITLES, "White glove", "0 of 4", "Fulfilment", "Supervisors", "Optional"):
        assert word in shown
    assert shown.count('aria-pressed="false"') == 4


def test_a_task_is_ticked_and_unticked(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    first = tasks(shop)[0].id
    lin.do(case.reference, "tick", task=f"{first} done")
    shown = page(lin, case)
    assert "1 of 4" in shown
    assert "Lin Okafor has done: Call the customer" in shown
    assert f'value="{first} open" aria-pressed="true"' in shown
    lin.do(case.reference, "tick", task=f"{first} open")
    assert "Lin Okafor took the tick back: Call the customer" in page(lin, case)


@pytest.mark.parametrize(
    "task", ["", "done", "1", "1 maybe", "-1 done", "²  done", "9" * 19, "99 done"]
)
def test_a_tick_that_makes_no_sense_is_refused(
    shop: Shop, lin: Desk, case: CaseInfo, task: str
) -> None:
    lin.do(case.reference, "tick", answers=400, task=task)
    assert all(one.done_at is None for one in tasks(shop))


def test_a_page_that_is_old_says_who_was_faster(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    old = page(lin, case)
    sam = Desk(shop, "boss")
    sam.do(case.reference, "tick", task=f"{tasks(shop)[0].id} done")
    answer = lin.send(
        case.reference,
        "tick",
        old,
        409,
        task=f"{tasks(shop)[1].id} done",
        reply_text="I was typing.",
    )
    assert "Noor Haddad has done: Call the customer" in answer.text
    assert "I was typing." in answer.text


def test_ticks_are_for_those_who_may(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    @shop.cases.permission
    def all_but_ticking(_agent: object, action: str, _case: object) -> bool:
        return action != "tick"

    assert "aria-pressed" not in page(lin, case)
    lin.do(case.reference, "tick", answers=403, task=f"{tasks(shop)[0].id} done")


def test_a_reason_is_asked_for_and_nothing_typed_is_lost(
    shop: Shop, lin: Desk, case: CaseInfo
) -> None:
    asked = lin.do(
        case.reference, "status", answers=400, status="solved assisted", reply_text="Half a sent"
    ).text
    for word in ("3 required tasks are still open", 'value="solved assisted"', "Half a sent"):
        assert word in asked
    assert status(shop, case) == "new"
    lin.send(
        case.reference,
        "status",
        asked,
        status="solved assisted",
        reason="She bought it <b>by phone</b>.",
    )
    assert status(shop, case) == "solved"
    shown = page(lin, case)
    assert "Reason: “She bought it &lt;b&gt;by phone&lt;/b&gt;.”" in shown
    assert "Left open: Call the customer, Hold the stock" in shown


def test_a_reply_that_solves_asks_too(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    asked = lin.do(
        case.reference, "reply", answers=400, reply_text="It is done.", then="solved"
    ).text
    assert "Send and solve with this reason" in asked
    assert "It is done.</textarea>" in asked
    lin.send(
        case.reference, "reply", asked, reply_text="It is done.", then="solved", reason="By phone."
    )
    assert status(shop, case) == "solved"
    assert "Reason: “By phone.”" in page(lin, case)


def test_a_reason_that_is_too_long_stays_in_its_field(
    shop: Shop, lin: Desk, case: CaseInfo
) -> None:
    long = "x" * 501
    asked = lin.do(case.reference, "status", answers=400, status="closed", reason=long).text
    assert "at most 500 characters" in asked
    assert long in asked
    assert "Close with this reason" in asked


def test_a_conflict_keeps_the_reason(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    old = page(lin, case)
    services.note(runtime_of(shop), case.reference, "Faster.", agent=BOSS)
    answer = lin.send(
        case.reference, "status", old, 409, status="solved assisted", reason="By phone."
    )
    assert "Somebody was faster" in answer.text
    assert "By phone.</textarea>" in answer.text


def test_an_overdue_task_is_told_in_words(shop: Shop, lin: Desk) -> None:
    late = decline(shop, "c-2", value=LARGE, at=ago(hours=2))
    set_clock(shop)
    overdue.sweep_overdue(runtime_of(shop))
    shown = page(lin, late)
    assert "Task overdue: Call the customer (Assignee) · Priority raised to Urgent" in shown
    assert "Task overdue: Hold the stock (Fulfilment) · told: Eve Lindqvist" in shown
    assert "Overdue" in shown
    assert "over</time>" in shown


def test_the_page_is_fresh_after_a_tick(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    first = lin.get(f"cases/{case.reference}/live")
    same = lin.get(f"cases/{case.reference}/live", headers={"If-None-Match": first.headers["ETag"]})
    assert same.status_int == 304
    lin.do(case.reference, "tick", task=f"{tasks(shop)[0].id} done")
    fresh = lin.get(
        f"cases/{case.reference}/live", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert "1 of 4" in fresh.text


def test_an_ended_case_shows_its_checklist_without_buttons(
    shop: Shop, lin: Desk, case: CaseInfo
) -> None:
    with shop.app.app_context():
        shop.cases.solve(case.reference)
    shown = page(lin, case)
    assert "aria-pressed" not in shown
    assert "Call the customer" in shown


def test_a_case_without_a_protocol_has_no_checklist(shop: Shop) -> None:
    small = decline(shop, "c-3", value="20.00")
    assert "required task" not in page(Desk(shop, "sam"), small)


# --- why here ------------------------------------------------------------------------------------


def test_each_route_tried_says_what_it_asked(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    shown = page(lin, case)
    assert "2 routes did not fit" in shown
    for told in (
        "Category: Fraud <small>is Payment declined",
        "Country: PT <small>not known",
        "Cart over: $5,000.00 <small>is $6,240.00, $1,240.00 more",
    ):
        assert told in shown


def test_a_limit_that_is_met_exactly_is_told_so(shop: Shop) -> None:
    small = decline(shop, "c-5", value="5000.00")
    shown = page(Desk(shop, "sam"), small)
    assert "Cart over: $5,000.00 <small>is $5,000.00, exactly as much" in shown


@pytest.mark.parametrize("allowed", [True, False])
def test_why_tells_raw_codes_to_those_who_may_see_them(
    make_sqlite_app: Callable[..., Shop], tmp_path: Path, allowed: bool
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(CODES, "utf-8")
    shop = open_desk(make_sqlite_app, CHECKOUT_CASE_POLICY=str(policy))
    shop.cases.permission(lambda _agent, action, _case: allowed or action != "codes")
    lin = Desk(shop, "lin")
    missed = page(lin, decline(shop, "c-1", code="insufficient_funds"))
    met = page(lin, decline(shop, "c-2", code="do_not_honor"))
    assert "Decline code" in missed
    assert "Decline code" in met
    assert ("insufficient_funds" in missed) is allowed
    assert ("do_not_honor" in met) is allowed


def test_a_condition_of_the_shop_tells_no_value(
    make_sqlite_app: Callable[..., Shop], tmp_path: Path
) -> None:
    conditions.register("dear", lambda _facts, expected: expected)
    try:
        policy = tmp_path / "policy.toml"
        policy.write_text(CODES.replace('decline_code = "do_not_honor"', "dear = true"), "utf-8")
        shop = open_desk(make_sqlite_app, CHECKOUT_CASE_POLICY=str(policy))
    finally:
        del conditions.CONDITIONS["dear"]
    shown = page(Desk(shop, "lin"), decline(shop, "c-1"))
    assert "dear: yes <small></small>" in shown


def test_the_place_in_the_queue_is_a_sum(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    shown = page(lin, case)
    for told in (
        "<dt>Due first: First response</dt>",
        "<dt>Priority: High</dt><dd>30m 0s earlier</dd>",
        "<dt>$6,240.00 at stake, of which 35% may be saved</dt><dd>11m 5s earlier</dd>",
        "<dt>Stands as if due</dt>",
    ):
        assert told in shown
    with shop.app.app_context():
        shop.cases.solve(case.reference)
    assert "Stands as if due" not in page(lin, case)


def test_without_a_promise_it_stands_a_week_from_its_opening(shop: Shop) -> None:
    small = decline(shop, "c-6", value="20.00")
    shown = page(Desk(shop, "sam"), small)
    assert "Nothing is promised: a week from its opening" in shown
    assert "<dt>Priority: Normal</dt><dd>no change</dd>" in shown
