"""The link of a mail leads back to the checkout that failed: once, in time, and only there."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import session
from webtest import TestApp

from flask_checkout_case import Checkout, Line, Money, Order
from flask_checkout_case.jobs.mail import Mail
from tests.support.desk import Desk, seat_agents
from tests.support.due import (
    MINUTE,
    Clock,
    cases,
    checkout,
    decline,
    entries,
    outbox,
    send,
    work,
)
from tests.support.shop import Shop

AFTER = 10 * MINUTE
BAG = Line("BAG-1", "Ines tote", 1, Money("120.00", "USD"))


class Bags:
    """The shop's carts, and what became of their prices and its stock."""

    def __init__(self, shop: Shop) -> None:
        self.lines = {"c-1": [BAG]}
        self.stock: dict[str, int] = {}
        self.fails = False
        shop.cases.checkout_loader(self.load)
        shop.cases.checkout_restorer(self.restore)
        shop.cases.inventory_loader(self.stock.get)

    def load(self) -> Checkout | None:
        ref = session.get("bag")
        return checkout(ref, lines=self.lines[ref], value=self.total(ref)) if ref else None

    def total(self, ref: str) -> str:
        prices = [one.unit_price for one in self.lines[ref] if one.unit_price]
        return f"{sum(one.minor_units for one in prices) / 100:.2f}"

    def restore(self, ref: str) -> str | None:
        if self.fails:
            raise RuntimeError("the shop's database is away")
        if ref not in self.lines:
            return None
        session["bag"] = ref
        return "/checkout/pay"


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return make_app(
        CHECKOUT_CASE_PUBLIC_URL="https://shop.example.com", CHECKOUT_CASE_SHOP_NAME="Atelier Nord"
    )


@pytest.fixture
def bags(shop: Shop) -> Bags:
    return Bags(shop)


@pytest.fixture
def link(shop: Shop, clock: Clock, bags: Bags, mails: list[Mail]) -> str:
    """The path of the link in the mail about a declined payment."""
    decline(shop, clock.now, checkout=checkout(lines=[BAG]))
    clock.pass_by(AFTER)
    work(shop)
    (mail,) = mails
    words = mail.text.split()
    (url,) = [word for word in words if word.startswith("https://")]
    assert url in mail.html
    return url.removeprefix("https://shop.example.com")


def open_elsewhere(shop: Shop, link: str) -> Any:
    return TestApp(shop.app).get(link)


def go_on(page: Any, **more: Any) -> Any:
    return page.forms[0].submit(**more)


def test_it_restores_the_step_in_another_browser_and_has_the_credit(
    shop: Shop, clock: Clock, link: str
) -> None:
    page = open_elsewhere(shop, link)
    assert "Ines tote" in page
    assert "$120.00" in page
    assert go_on(page).location.endswith("/checkout/pay")
    clock.pass_by(MINUTE)
    send(shop, "payment_succeeded", clock.now, checkout_ref="c-1")
    (case,) = cases(shop)
    assert (case.status, case.outcome) == ("closed", "rescued")
    assert "came_back" in [(line.data or {}).get("action") for line in entries(shop, "decision")]


def test_a_gateway_that_tells_whole_seconds_takes_no_credit_away(
    shop: Shop, clock: Clock, link: str
) -> None:
    clock.pass_by(timedelta(milliseconds=800))
    go_on(open_elsewhere(shop, link))
    send(shop, "payment_succeeded", clock.now.replace(microsecond=0), checkout_ref="c-1")
    (case,) = cases(shop)
    assert case.outcome == "rescued"


def test_opening_it_changes_nothing(shop: Shop, clock: Clock, link: str) -> None:
    for _ in range(3):
        open_elsewhere(shop, link)
    send(shop, "payment_succeeded", clock.now, checkout_ref="c-1")
    (case,) = cases(shop)
    assert case.outcome == "self_recovered"


def test_a_payment_a_day_later_is_not_its_doing(shop: Shop, clock: Clock, link: str) -> None:
    go_on(open_elsewhere(shop, link))
    clock.pass_by(timedelta(hours=25))
    send(shop, "payment_succeeded", clock.now, checkout_ref="c-1")
    (case,) = cases(shop)
    assert case.outcome == "self_recovered"


def test_it_works_once(shop: Shop, link: str) -> None:
    first, second = open_elsewhere(shop, link), open_elsewhere(shop, link)
    assert go_on(first).status_int == 303
    answer = go_on(second, status=409)
    assert "This link has been used." in answer
    assert "This link has been used." in open_elsewhere(shop, link)


def test_of_many_at_once_one_gets_through(shop: Shop, link: str) -> None:
    pages = [open_elsewhere(shop, link) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda page: go_on(page, status="*").status_int, pages))
    assert sorted(answers) == [303, 409, 409, 409, 409, 409]


def test_it_is_for_a_time(shop: Shop, clock: Clock, link: str) -> None:
    page = open_elsewhere(shop, link)
    clock.pass_by(timedelta(days=3))
    assert "This link is too old." in go_on(page, status=409)


def test_who_has_paid_is_told_so(shop: Shop, clock: Clock, link: str) -> None:
    page = open_elsewhere(shop, link)
    send(shop, "payment_succeeded", clock.now, checkout_ref="c-1")
    assert "This has been paid already" in go_on(page, status=409)
    assert not open_elsewhere(shop, link).forms


def test_the_shop_may_know_of_an_order_before_we_do(shop: Shop, link: str) -> None:
    shop.cases.order_for_checkout(lambda _ref: Order(ref="o-1"))
    assert "This has been paid already" in open_elsewhere(shop, link)


def test_what_has_changed_since_is_said_before_going_on(shop: Shop, bags: Bags, link: str) -> None:
    bags.lines["c-1"] = [Line("BAG-1", "Ines tote", 1, Money("135.00", "USD"))]
    bags.stock["BAG-1"] = 0
    answer = go_on(open_elsewhere(shop, link))
    assert [item.text for item in answer.html.select(".changed li")] == [
        "Ines tote costs $135.00 now, it was $120.00.",
        "Ines tote: only 0 left.",
        "The total is $135.00 now, it was $120.00.",
    ]
    assert answer.html.select_one("a.send")["href"] == "/checkout/pay"


@pytest.mark.parametrize("how", ["raises", "has none"])
def test_what_the_shop_can_not_restore_is_not_used_up(
    shop: Shop, bags: Bags, link: str, how: str
) -> None:
    kept = bags.lines.pop("c-1") if how == "has none" else None
    bags.fails = how == "raises"
    page = open_elsewhere(shop, link)
    assert "could not be restored" in go_on(page, status=409)
    bags.fails = False
    bags.lines["c-1"] = kept or bags.lines["c-1"]
    assert go_on(open_elsewhere(shop, link)).status_int == 303


def test_a_forged_link_leads_nowhere(shop: Shop, link: str) -> None:
    client = TestApp(shop.app)
    place = link.rindex(".") + 5  # in the signature, where every bit counts
    other = "a" if link[place] != "a" else "b"
    for forged in (link[:place] + other + link[place + 1 :], "/checkout-case/rescue/x"):
        client.get(forged, status=404)


def test_a_form_of_another_site_restores_nothing(shop: Shop, link: str) -> None:
    answer = TestApp(shop.app).post(link, {}, status=403)
    assert answer.html.find(role="alert")
    assert go_on(open_elsewhere(shop, link)).status_int == 303


def test_without_a_restorer_the_mail_leads_to_the_checkout(
    shop: Shop, clock: Clock, mails: list[Mail]
) -> None:
    decline(shop, clock.now)
    clock.pass_by(AFTER)
    work(shop)
    assert "https://shop.example.com/checkout/pay" in mails[0].text
    assert outbox(shop)[0].payload == {}


def answer(shop: Shop, **more: Any) -> Any:
    (case,) = cases(shop)
    given = {"reply_text": "Your card is fine now:\ntry it again.", "with_link": "yes", **more}
    return Desk(shop, "lin").do(case.reference, "reply", **given)


def test_an_agent_sends_a_link_with_an_answer(
    shop: Shop, clock: Clock, bags: Bags, mails: list[Mail]
) -> None:
    seat_agents(shop)
    decline(shop, clock.now, checkout=checkout(lines=[BAG]))
    answer(shop)
    work(shop)
    (mail,) = mails
    assert "Your card is fine now:\ntry it again." in mail.text
    assert "Lin Okafor" in mail.text
    (url,) = [word for word in mail.text.split() if word.startswith("https://")]
    page = open_elsewhere(shop, url.removeprefix("https://shop.example.com"))
    assert go_on(page).status_int == 303
    send(shop, "payment_succeeded", clock.now, checkout_ref="c-1")
    (case,) = cases(shop)
    assert case.outcome == "assisted"
    assert [(line.data or {}).get("state") for line in entries(shop, "mail")] == ["sent"]


def test_an_answer_alone_is_no_mail(
    shop: Shop, clock: Clock, bags: Bags, mails: list[Mail]
) -> None:
    seat_agents(shop)
    decline(shop, clock.now)
    answer(shop, with_link="")
    work(shop)
    assert mails == []


def test_who_has_paid_before_it_leaves_gets_none(
    shop: Shop, clock: Clock, bags: Bags, mails: list[Mail]
) -> None:
    seat_agents(shop)
    decline(shop, clock.now)
    answer(shop)
    send(shop, "payment_succeeded", clock.now, checkout_ref="c-1")
    work(shop)
    assert mails == []


def test_it_is_offered_only_where_it_can_be_sent(
    shop: Shop, clock: Clock, bags: Bags, mails: list[Mail]
) -> None:
    seat_agents(shop)
    decline(shop, clock.now)
    decline(shop, clock.now, checkout=checkout("c-2", customer=None))
    for case in cases(shop):
        page = Desk(shop, "lin").get(f"cases/{case.reference}")
        assert ("with a link back" in page) == (case.checkout_ref == "c-1")
