"""Checkouts that go on: who sees whom, why they waver, and speaking first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup, Tag

from flask_checkout_case.data.hesitation_models import ContactRow
from flask_checkout_case.services import glancing
from flask_checkout_case.types import Money
from tests.support.desk import Desk, checkout, decline, notice, open_desk, runtime_of, watch
from tests.support.due import checkout_row, send, set_clock
from tests.support.shop import Shop
from tests.support.storm import count
from tests.support.widget import ORIGIN


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return open_desk(make_app)


def visits(shop: Shop, who: str = "boss") -> list[Tag]:
    return BeautifulSoup(Desk(shop, who).get("live").text, "html.parser").select("li.visit")


def words(tag: Tag) -> str:
    return " ".join(tag.get_text(" ").split())


def speak(shop: Shop, ref: str, text: str, who: str = "boss", status: int = 303) -> str:
    desk = Desk(shop, who)
    page = BeautifulSoup(desk.get("live").text, "html.parser")
    hidden = page.select("form input[name=checkout_case_csrf]")
    token = str(hidden[0]["value"])
    form = {"checkout_case_csrf": token, "checkout": ref, "text": text}
    answer = desk.http.post("/checkout-case/agent/live/start", form, headers=ORIGIN, status=status)
    return str(answer.text)


def test_the_most_wavering_come_first_with_their_reasons(shop: Shop) -> None:
    watch(shop, "c-1", "1200.00", name="Grace Hopper")
    watch(shop, "c-2", "3400.00")
    notice(shop, "c-2", "idle", "exit_intent")
    first, second = visits(shop)
    assert "Ada Lovelace" in words(first)
    assert "$3,400.00" in words(first)
    assert "a long pause" in words(first)
    assert "the pointer left the page" in words(first)
    assert "Grace Hopper" in words(second)
    assert "Shops calmly" in words(second)


def test_only_above_the_amount_with_consent_and_while_it_goes_on(shop: Shop) -> None:
    clock = set_clock(shop)
    watch(shop, "c-1", "1000.00")
    watch(shop, "c-2", "1000.01")
    send(shop, "checkout_started", clock(), checkout=checkout("c-3", "9000.00"))
    assert len(visits(shop)) == 1
    assert "1 more goes on unobserved" in Desk(shop, "boss").get("live").text
    clock.pass_by(timedelta(minutes=30))
    assert visits(shop) == []
    watch(shop, "c-4", "2000.00")
    send(shop, "order_completed", clock(), checkout=checkout("c-4", "2000.00"), order_ref="o")
    assert visits(shop) == []


def test_agents_see_what_would_be_their_case(shop: Shop) -> None:
    watch(shop, "c-dear", "5200.00")
    watch(shop, "c-mean", "1200.00")
    assert len(visits(shop, "boss")) == 2
    assert len(visits(shop, "lin")) == 1, "concierge"
    assert visits(shop, "eve") == []


def test_the_shops_permission_decides_where_there_is_one(shop: Shop) -> None:
    watch(shop, "c-1")
    shop.cases.permission(lambda agent, action, _case: action == "watch" and agent.ref == "9")
    assert len(visits(shop, "eve")) == 1
    assert visits(shop, "boss") == []


def test_without_a_consent_hook_the_page_says_so(shop: Shop) -> None:
    assert "Nobody is observed" in Desk(shop, "boss").get("live").text


def test_nothing_new_is_a_304(shop: Shop) -> None:
    watch(shop, "c-1")
    desk = Desk(shop, "boss")
    etag = desk.get("live/part").headers["ETag"]
    assert desk.get("live/part", headers={"If-None-Match": etag}, status=304).body == b""
    notice(shop, "c-1", "idle")
    assert desk.get("live/part", headers={"If-None-Match": etag}).status_int == 200


def test_speaking_first_opens_a_case_that_waits_for_the_customer(shop: Shop) -> None:
    watch(shop, "c-1")
    notice(shop, "c-1", "away")
    speak(shop, "c-1", "Good evening, may I help with the delivery?", "lin")
    with shop.app.app_context():
        (case,) = shop.cases.find(checkout_ref="c-1")
    assert (case.status, case.assignee, case.team) == ("waiting", "7", "concierge")
    assert case.value == Money("5200.00", "USD")
    assert count(shop, ContactRow) == 1
    (visit,) = visits(shop, "lin")
    assert "Open the case" in words(visit)


def test_within_the_cool_down_nobody_speaks_first(shop: Shop) -> None:
    clock = set_clock(shop)
    watch(shop, "c-1")
    watch(shop, "c-2")
    speak(shop, "c-1", "May I help?")
    clock.pass_by(timedelta(minutes=1))
    # The same customer, in another checkout: the desk's checkouts name one buyer.
    refused = speak(shop, "c-2", "May I help you here, too?", status=409)
    assert "as often as the policy allows" in refused
    assert "May I help you here, too?" in refused, "what was typed comes back"
    with shop.app.app_context():
        assert shop.cases.find(checkout_ref="c-2") == []


def test_nobody_is_spoken_to_while_paying(shop: Shop) -> None:
    clock = set_clock(shop)
    watch(shop, "c-1")
    desk = Desk(shop, "boss")
    before = BeautifulSoup(desk.get("live").text, "html.parser")
    token = str(before.select("form input[name=checkout_case_csrf]")[0]["value"])
    clock.pass_by(timedelta(seconds=1))
    send(shop, "payment_started", clock(), checkout=checkout("c-1", "5200.00"))
    assert "Paying now" in words(visits(shop)[0])
    form = {"checkout_case_csrf": token, "checkout": "c-1", "text": "May I help?"}
    desk.http.post("/checkout-case/agent/live/start", form, headers=ORIGIN, status=409)
    with shop.app.app_context():
        assert shop.cases.find(checkout_ref="c-1") == []


def test_an_empty_message_says_what_is_missing(shop: Shop) -> None:
    watch(shop, "c-1")
    assert "Please write a few words first." in speak(shop, "c-1", "  ", status=400)


def test_a_failed_payments_case_is_led_to(shop: Shop) -> None:
    watch(shop, "c-1", "1500.00")
    decline(shop, "c-1", value="1500.00")
    assert "Open the case" in words(visits(shop, "boss")[0])


def test_the_case_tells_the_reasons(shop: Shop) -> None:
    watch(shop, "c-1")
    notice(shop, "c-1", "idle", "coupon_away")
    with shop.app.app_context():
        (case,) = shop.cases.find(checkout_ref="c-1")
    page = Desk(shop, "lin").get(f"cases/{case.reference}").text
    assert "Wavers (67 of 100): left to look for a coupon, a long pause" in page
    assert checkout_row(shop).score == 67
    assert runtime_of(shop).policy.hesitation.watch_over == Money(1000, "USD")


def test_who_has_a_case_is_answered_there(shop: Shop) -> None:
    watch(shop, "c-1", "1500.00")
    watch(shop, "c-2", "1500.00", customer=None)
    desk = Desk(shop, "boss")
    page = BeautifulSoup(desk.get("live").text, "html.parser")
    token = str(page.select("form input[name=checkout_case_csrf]")[0]["value"])
    decline(shop, "c-1", value="1500.00")
    form = {"checkout_case_csrf": token, "checkout": "c-1", "text": "May I help?"}
    desk.http.post("/checkout-case/agent/live/start", form, headers=ORIGIN, status=409)
    with shop.app.app_context():
        assert len(shop.cases.find(checkout_ref="c-1")) == 1
    assert count(shop, ContactRow) == 0


def test_the_score_fades_while_one_looks(shop: Shop) -> None:
    clock = set_clock(shop)
    watch(shop, "c-1", "1500.00")
    notice(shop, "c-1", "coupon_away")
    assert words(visits(shop)[0]).startswith("50 ")
    clock.pass_by(timedelta(minutes=10))
    assert words(visits(shop)[0]).startswith("29 ")


def test_the_way_through_the_checkout_tells_what_people_did(shop: Shop) -> None:
    clock = set_clock(shop)
    watch(shop, "c-1")
    glancing.note_consent(runtime_of(shop), "c-1", {"ref": "c-1"})
    send(shop, "policy_viewed", clock(), checkout=checkout("c-1", "5200.00"))
    notice(shop, "c-1", "idle", "coupon_away")
    with shop.app.app_context():
        (case,) = shop.cases.find(checkout_ref="c-1")
    page = BeautifulSoup(Desk(shop, "lin").get(f"cases/{case.reference}").text, "html.parser")
    journey = words(page.select("[data-key=journey]")[0])
    assert "Read the terms or about returns" in journey
    assert "widget" not in journey
