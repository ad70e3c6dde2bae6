"""The concierge's view of the queue: large carts, how far each is looked after, and whose it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flask_checkout_case import Agent, CaseInfo, Checkout, Money
from flask_checkout_case.rules.policy import read_policy_text
from flask_checkout_case.services import cases, protocols, queue
from flask_checkout_case.services.queue import Question, View
from tests.support.desk import (
    BOSS,
    EVE,
    LIN,
    SAM,
    Desk,
    body,
    decline,
    open_desk,
    runtime_of,
    statements,
)
from tests.support.protocols import LARGE, tasks
from tests.support.shop import Shop

VIEW = "?view=concierge"


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return open_desk(make_app)


def seen(shop: Shop, who: Agent = BOSS) -> list[str]:
    page = queue.page(runtime_of(shop), who, Question(View.CONCIERGE))
    return [row.reference for row in page.rows]


def test_carts_strictly_over_the_amount_are_there(shop: Shop) -> None:
    decline(shop, "c-at", value="5000.00")
    over = decline(shop, "c-over", value="5000.01")
    assert seen(shop) == [over.reference]


def test_other_currencies_count_by_the_policys_rates(
    make_app: Callable[..., Shop], tmp_path: Path
) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(read_policy_text(None)[0] + "\n[rates]\nEUR = 1.10\n")
    shop = open_desk(make_app, CHECKOUT_CASE_POLICY=str(path))

    def cart(ref: str, value: Money) -> CaseInfo:
        with shop.app.app_context():
            shop.cases.payment_failed(checkout=Checkout(ref=ref, value=value))
            shop.cases.flush()
            return shop.cases.find(checkout_ref=ref)[0]

    cart("c-less", Money("4545.45", "EUR"))
    cart("c-unknown", Money("900000.00", "CHF"))
    more = cart("c-more", Money("4545.46", "EUR"))
    assert seen(shop) == [more.reference]


def test_a_case_whose_value_is_learnt_later_comes_in(shop: Shop) -> None:
    with shop.app.app_context():
        shop.cases.payment_failed(checkout_ref="c-1")
        shop.cases.flush()
    assert seen(shop) == []
    case = decline(shop, "c-1", value=LARGE)
    assert seen(shop) == [case.reference]


def test_nobody_sees_more_than_before(shop: Shop) -> None:
    case = decline(shop, "c-1", value=LARGE)
    risk = decline(shop, "c-2", value=LARGE, code="stolen_card")
    assert seen(shop, LIN) == [case.reference]
    assert seen(shop, SAM) == []
    assert seen(shop, EVE) == []
    assert set(seen(shop)) == {case.reference, risk.reference}
    cases.assign(
        runtime_of(shop),
        case.reference,
        agent=BOSS,
        assignee_ref=str(BOSS.ref),
        version=case.version,
    )
    assert queue.counts(runtime_of(shop), BOSS)[View.CONCIERGE] == 2
    assert queue.counts(runtime_of(shop), SAM)[View.CONCIERGE] == 0


def test_what_has_ended_is_gone(shop: Shop) -> None:
    case = decline(shop, "c-1", value=LARGE)
    cases.solve(runtime_of(shop), case.reference)
    assert seen(shop) == []


def test_the_page_tells_how_far_each_case_is(shop: Shop) -> None:
    case = decline(shop, "c-1", value=LARGE)
    first = tasks(shop)[0]
    protocols.tick(runtime_of(shop), case.reference, first.id, agent=LIN, version=case.version)
    shown = body(Desk(shop, "lin").get(VIEW).text)
    assert case.reference in shown
    assert "Steps of the protocol: 1 of 6" in shown
    assert "High value" in body(Desk(shop, "lin").get(f"cases/{case.reference}").text)


def test_without_cases_the_page_says_what_would_come(shop: Shop) -> None:
    decline(shop, "c-1")
    shown = body(Desk(shop, "lin").get(VIEW).text)
    assert "Cases of carts over $5,000.00 come here" in shown


def test_a_tick_changes_what_the_page_asks_for(shop: Shop) -> None:
    case = decline(shop, "c-1", value=LARGE)
    lin = Desk(shop, "lin")
    known = {"If-None-Match": lin.get(f"queue{VIEW}").headers["ETag"]}
    lin.get(f"queue{VIEW}", headers=known, status=304)
    lin.do(case.reference, "tick", task=f"{tasks(shop)[0].id} done")
    assert "1 of 6" in lin.get(f"queue{VIEW}", headers=known, status=200).text


def test_many_cases_cost_no_more_statements(shop: Shop) -> None:
    for number in range(12):
        decline(shop, f"c-{number}", value=LARGE)
    lin = Desk(shop, "lin")
    lin.get(VIEW)
    with statements(shop) as noted:
        lin.get(VIEW)
    assert len(noted) <= 6, noted
