"""What the workspace's pages show by HTTP, in which language, and what they cost."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from flask_checkout_case import Agent, CaseInfo, signals
from flask_checkout_case.services import cases
from flask_checkout_case.web.agent import timeline
from tests.support.desk import (
    AGENTS,
    BOSS,
    LIN,
    Desk,
    ago,
    body,
    checkout,
    decline,
    open_desk,
    runtime_of,
    statements,
)
from tests.support.shop import Shop


def test_the_queue_shows_what_an_agent_needs(lin: Desk, case: CaseInfo) -> None:
    seen = body(lin.get().text)
    for fact in ("Insufficient funds", case.reference, "Ada Lovelace", "$120.00", "Payments"):
        assert fact in seen
    for fact in ("Payment declined", "High", "Nobody", "First response", "left"):
        assert fact in seen


def test_a_filtered_queue_has_an_address(lin: Desk, case: CaseInfo) -> None:
    assert case.reference in lin.get("?view=all&team=payments&priority=high").text
    page = lin.get("?view=all&team=payments&priority=low")
    assert case.reference not in page.text
    assert "No case fits these filters" in page.text


@pytest.mark.parametrize(
    "query", ["view=other", "status=lost", "team=nobody", "category=x", "after=x", "priority=1"]
)
def test_an_address_that_asks_for_nothing_of_ours_is_refused(lin: Desk, query: str) -> None:
    assert "That did not work" in lin.get(f"?{query}", status=400).text


def test_an_empty_queue_says_so(shop: Shop) -> None:
    assert "All caught up" in Desk(shop, "eve").get().text
    assert "You have no open case" in Desk(shop, "eve").get("?view=mine").text


def test_pages_of_the_queue_are_links(shop: Shop, lin: Desk) -> None:
    for number in range(27):
        decline(shop, f"c-{number}")
    first = lin.get("?view=teams&priority=high")
    second = first.click(href=r"after=")
    assert len(re.findall(r'class="row"', first.text)) == 25
    assert len(re.findall(r'class="row"', second.text)) == 2
    assert "priority=high" in second.request.url
    assert len(re.findall(r'class="row"', second.click(href=r"before=").text)) == 25


def test_the_case_page_has_the_whole_story(shop: Shop, lin: Desk) -> None:
    started = ago(minutes=9)
    with shop.app.app_context():
        signals.checkout_started.send(shop.app, checkout=checkout("c-1"), at=started)
        signals.coupon_rejected.send(
            shop.app, checkout=checkout("c-1"), code="TEN", reason="expired", at=ago(minutes=8)
        )
    decline(shop, "c-0", code="expired_card")
    case = decline(shop, "c-1", attempt_id="ch_1", method="card")
    decline(shop, "c-1", attempt_id="ch_2", method="card")
    runtime = runtime_of(shop)
    cases.customer_message(runtime, case.reference, "My card is fine!", name="Ada Lovelace")
    cases.note(runtime, case.reference, "Limit, says the bank.", agent=LIN)
    seen = body(lin.get(f"cases/{case.reference}").text)
    for fact in (
        *("My card is fine!", "Internal note", "Limit, says the bank."),
        *("Your bank didn't approve this payment.", "Pay another way"),
        *("Colette crossbody", "BAG-1", "$120.00"),
        *("Started the checkout", "Coupon refused", "expired", "Payment failed"),
        *("insufficient_funds", "Stripe", "2 occurrences"),
        *("Card expired · Ada Lovelace", "Orders 3"),
        *("Why here", "Routed to Payments by “Payment declined”", "Category: Payment declined"),
        *("First response", "Resolution", "Ada Lovelace"),
    ):
        assert fact in seen, fact


def test_raw_codes_need_their_permission(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    @shop.cases.permission
    def allowed(_agent: Agent, action: str, _case: CaseInfo | None) -> bool:
        return action in ("view", "reply")

    page = lin.get(f"cases/{case.reference}").text
    assert "insufficient_funds" not in page
    assert "Insufficient funds" in page
    assert "note_text" not in page
    for deed in ("/take", "/assign", "/transfer", "/status", "/priority", "/note"):
        assert f"{case.reference}{deed}" not in page


def test_a_solved_case_shows_its_outcome(lin: Desk, case: CaseInfo) -> None:
    lin.do(case.reference, "reply", reply_text="It is done.", then="solved")
    seen = body(lin.get(f"cases/{case.reference}").text)
    assert "Saved with our help" in seen
    assert "Reopen" in seen
    assert "Due times" not in seen


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        (
            "mail",
            {"state": "sent", "subject": "Your order"},
            "E-mail to the customer: “Your order”",
        ),
        ("mail", {"state": "failed"}, "An e-mail to the customer could not be sent"),
        (
            "signal",
            {"signal": "hesitation", "minutes": 12},
            "No progress in the checkout for 12m 0s",
        ),
        ("signal", {"signal": "order_completed", "order_ref": "o-7"}, "Order placed: Order o-7"),
        ("signal", {"signal": "stock_short", "sku": "BAG"}, "Item out of stock: BAG"),
        ("escalation", {"clock": "resolution", "percent": 100}, "Resolution is overdue"),
        ("escalation", {"clock": "first_response", "percent": 75}, "First response is due soon"),
        ("decision", {"action": "recovered", "outcome": "self_recovered"}, "closed by itself"),
        ("decision", {"action": "recovered", "outcome": "assisted"}, "solved with our help"),
        ("decision", {"action": "reopened"}, "The customer wrote again"),
        ("decision", {"action": "assigned", "to": "8", "name": None}, "gave the case to Sam"),
        ("decision", {"action": "assigned", "to": None}, "put the case back"),
        ("decision", {"action": "of a later release"}, "The system: of a later release"),
    ],
)
def test_what_the_system_noted_is_a_sentence(kind: str, data: dict[str, Any], told: str) -> None:
    def team(key: str) -> str:
        return key

    def agent(ref: str | None) -> str | None:
        return "Sam" if ref == "8" else ref

    assert told in timeline.sentence(kind, None, data, team, agent)[0]


@pytest.mark.parametrize("language", ["de", "ar"])
def test_the_workspace_speaks_the_agents_language(lin: Desk, case: CaseInfo, language: str) -> None:
    accept = {"Accept-Language": language}
    for page in ("", f"cases/{case.reference}"):
        shown = lin.get(page, headers=accept).text
        assert f'lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}"' in shown
        seen = body(shown)
        for english in ("My teams", "Next due", "Reply to customer", "Why here", "Nobody"):
            assert english not in seen, english
        assert "duration-" not in shown


def test_agents_are_as_the_loader_said(shop: Shop) -> None:
    Desk(shop, "boss").get()
    assert BOSS.is_supervisor
    assert AGENTS["boss"].name in Desk(shop, "boss").get().text


@pytest.mark.parametrize("part", ["queue?view=teams", "cases/{reference}/live"])
def test_a_part_is_sent_again_only_when_it_changed(
    shop: Shop, lin: Desk, case: CaseInfo, part: str
) -> None:
    address = part.format(reference=case.reference)
    first = lin.get(address)
    known = {"If-None-Match": first.headers["ETag"]}
    same = lin.get(address, headers=known, status=304)
    assert same.body == b""
    assert same.headers["Cache-Control"] == "private, no-store"
    cases.customer_message(runtime_of(shop), case.reference, "Is anybody there?")
    changed = lin.get(address, headers=known, status=200)
    assert "Unanswered" in changed.text or "Is anybody there?" in changed.text


def test_a_part_in_another_language_is_another(lin: Desk, case: CaseInfo) -> None:
    known = {"If-None-Match": lin.get("queue").headers["ETag"], "Accept-Language": "de"}
    assert 'lang="de"' in lin.get("queue", headers=known, status=200).text


def test_the_page_knows_what_its_first_question_will_be(lin: Desk, case: CaseInfo) -> None:
    for page, part in (("", "queue"), (f"cases/{case.reference}", None)):
        shown = lin.get(page).text
        found = re.search(r'data-live="([^"]+)" data-etag="([^"]+)"', shown)
        assert found, part
        address = unescape(found[1]).removeprefix("/checkout-case/agent/")
        lin.get(address, headers={"If-None-Match": f'"{found[2]}"'}, status=304)


def test_what_pages_cost(make_app: Callable[..., Shop]) -> None:
    shop = open_desk(make_app)
    case = decline(shop, "c-1", attempt_id="ch_1")
    runtime = runtime_of(shop)
    for number in range(25):
        cases.customer_message(runtime, case.reference, f"Question {number}")
        cases.reply(runtime, case.reference, f"Answer {number}", agent=LIN)
        decline(shop, f"c-{number + 2}")
    lin = Desk(shop, "lin")
    lin.get()
    pages = {
        "": 3,
        f"cases/{case.reference}": 9,
        "queue?view=all": 3,
        f"cases/{case.reference}/live": 8,
    }
    for page, most in pages.items():
        # Now and then a request also asks whether another policy is in force.
        tries = []
        for _ in range(3):
            with statements(shop) as noted:
                lin.get(page)
            tries.append(noted)
        noted = min(tries, key=len)
        assert len(noted) <= most, (page, noted)
        assert not [line for line in noted if not line.startswith("SELECT")], page
        known = {"If-None-Match": lin.get(page).headers.get("ETag", "")}
        with statements(shop) as noted:
            lin.get(page, headers=known)
        assert len(noted) <= most


def test_a_poll_with_nothing_new_is_small(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    for address, most in (("queue", 2), (f"cases/{case.reference}/live", 1)):
        known = {"If-None-Match": lin.get(address).headers["ETag"]}
        with statements(shop) as noted:
            lin.get(address, headers=known, status=304)
        assert len(noted) <= most, noted
