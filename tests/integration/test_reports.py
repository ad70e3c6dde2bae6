"""What the last days' cases have come to, as supervisors see it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from flask_checkout_case import Customer
from flask_checkout_case.jobs.sweep import sweep
from flask_checkout_case.rules.tally import DAYS, State
from flask_checkout_case.services import cases as services
from flask_checkout_case.services.reports import Report, report, sweep_reports
from tests.support.desk import AGENTS, Desk, know_agents, seat_agents
from tests.support.due import MINUTE, Clock, cases, checkout, decline, runtime_of, send, set_clock
from tests.support.shop import Shop

BOSS = AGENTS["boss"]


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    found = make_app()
    seat_agents(found)
    know_agents(found)
    return found


@pytest.fixture
def clock(shop: Shop) -> Clock:
    found = set_clock(shop)
    found.now = found.now.replace(hour=12)
    return found


def fail(shop: Shop, clock: Clock, ref: str, value: str = "120.00", **more: Any) -> str:
    customer = Customer(ref=ref, name=f"Customer {ref}", email=f"{ref}@example.com")
    given = {"checkout": checkout(ref, value, customer=customer), **more}
    decline(shop, clock.now, **given)
    (case,) = cases(shop, checkout_ref=ref)
    return case.reference


def pay(shop: Shop, clock: Clock, ref: str) -> None:
    send(shop, "payment_succeeded", clock.now, checkout_ref=ref)


def counted(shop: Shop, days: int = 1) -> Report:
    runtime = runtime_of(shop)
    while sweep_reports(runtime):
        pass
    return report(runtime, BOSS, days=days)


def states(found: Report) -> dict[State, int]:
    return {state: one.cases for state, one in found.total.states.items()}


def test_who_went_on_alone_is_counted_apart_from_who_was_helped(shop: Shop, clock: Clock) -> None:
    fail(shop, clock, "alone")
    helped = fail(shop, clock, "helped", "200.00")
    fail(shop, clock, "waits", "6000.00", provider="adyen")
    clock.pass_by(5 * MINUTE)
    services.reply(runtime_of(shop), helped, "Try another card.", agent=BOSS)
    pay(shop, clock, "alone")
    pay(shop, clock, "helped")
    found = counted(shop)
    assert states(found) == {State.ALONE: 1, State.HELPED: 1, State.OPEN: 1}
    assert found.total.value(State.ALONE) == 12_000
    assert found.total.value(State.HELPED, State.LINK) == 20_000
    assert {line.name: line.total.cases for line in found.by["provider"]} == {
        "stripe": 2,
        "adyen": 1,
    }
    assert {line.name: line.total.cases for line in found.by["band"]} == {
        "up to 1000": 2,
        "over 5000": 1,
    }
    total = found.total.total
    assert (total.answer_seconds, total.due, total.in_time) == (300, 1, 1)
    clock.pass_by(20 * MINUTE)
    total = counted(shop).total.total
    assert (total.due, total.in_time) == (2, 1), "nobody has answered who waits"


def test_what_changes_later_is_counted_on_the_day_on_which_it_began(
    shop: Shop, clock: Clock
) -> None:
    fail(shop, clock, "c-1")
    assert states(counted(shop)) == {State.OPEN: 1}
    clock.pass_by(timedelta(days=1))
    pay(shop, clock, "c-1")
    clock.pass_by(16 * MINUTE)
    assert states(counted(shop)) == {}
    found = counted(shop, 7)
    assert states(found) == {State.ALONE: 1}
    assert [line.total.cases for line in found.days] == [0, 0, 0, 0, 0, 1, 0]


def test_the_worker_counts_and_many_at_once_count_nothing_twice(shop: Shop, clock: Clock) -> None:
    for number in range(5):
        fail(shop, clock, f"c-{number}")
    with shop.app.app_context():
        sweep(runtime_of(shop))

    def count(_number: int) -> None:
        for _ in range(DAYS):
            sweep_reports(runtime_of(shop))

    for _ in range(3):
        clock.pass_by(2 * MINUTE)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(count, range(4)))
    assert counted(shop).total.total.cases == 5


def test_the_page_says_it_in_words_and_figures(shop: Shop, clock: Clock) -> None:
    reference = fail(shop, clock, "c-1")
    pay(shop, clock, "c-1")
    fail(shop, clock, "c-2")
    counted(shop)
    page = Desk(shop, "boss").get("reports", params={"days": "1"})
    tiles = [" ".join(one.get_text(" ").split()) for one in page.html.select(".tiles li")]
    assert tiles[:4] == [
        "2 Cases",
        "0 Won with help or by a link $0.00",
        "1 Went on alone $120.00",
        "1 Still open $120.00",
    ]
    row = page.html.find("a", string="Payments").find_parent("tr")
    assert [cell.text for cell in row.find_all("td")][:3] == ["2", "1", "0"]
    assert reference not in page.text


def test_without_a_case_the_page_says_so(shop: Shop, clock: Clock) -> None:
    counted(shop)
    assert "Nothing to report yet" in Desk(shop, "boss").get("reports")


def test_a_spreadsheet_finds_no_formula(shop: Shop, clock: Clock) -> None:
    fail(shop, clock, "c-1", provider="=HYPERLINK(1)")
    counted(shop)
    answer = Desk(shop, "boss").get("reports.csv", params={"days": "1"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["name"] for row in rows if row["by"] == "provider"} == {"'=HYPERLINK(1)"}
    assert [row["cases"] for row in rows if row["by"] == "day"] == ["1"]
    assert answer.content_type.startswith("text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize("page", ["reports", "reports.csv"])
def test_reports_are_for_supervisors(shop: Shop, clock: Clock, page: str) -> None:
    Desk(shop, "lin").get(page, status=403)
    Desk(shop, None).get(page, status=403)
