"""The attempts to pay on a case's page: folded, with who can mend them and what is best done."""

from __future__ import annotations

from typing import Any

from bs4 import Tag

from flask_checkout_case import Agent, CaseInfo, signals
from tests.support.desk import Desk, ago, checkout, decline
from tests.support.shop import Shop


def tell(shop: Shop, name: str, minutes: int, **data: Any) -> None:
    with shop.app.app_context():
        told = {"checkout": checkout("c-1"), "provider": "stripe", "at": ago(minutes=minutes)}
        getattr(signals, name).send(shop.app, **told, **data)
        shop.cases.flush()


def words(part: Tag | None) -> str:
    return " ".join(part.get_text(" ").split()) if part is not None else ""


def card_of(desk: Desk, case: CaseInfo) -> Tag:
    found = desk.get(f"cases/{case.reference}").html.select_one('[data-key="attempts"]')
    assert isinstance(found, Tag)
    return found


def test_two_reports_of_one_attempt_are_one_line(shop: Shop, lin: Desk) -> None:
    tell(
        shop,
        "payment_started",
        5,
        payment_id="pi_1",
        method="card",
        amount_minor=12_000,
        currency="USD",
    )
    case = decline(shop, "c-1", payment_id="pi_1", attempt_id="ch_1")
    (line,) = card_of(lin, case).select(".attempts > li")
    assert "bad" in line["class"]
    shown = words(line)
    assert "Insufficient funds" in shown
    assert "Stripe · card · $120.00" in shown
    assert "To be fixed by the customer; may work later." in shown
    assert "Told: “Your bank didn't approve this payment." in shown
    assert "insufficient_funds pi_1 ch_1" in shown


def test_the_newest_attempt_comes_first_and_says_what_is_best_done(shop: Shop, lin: Desk) -> None:
    case = decline(shop, "c-1", attempt_id="ch_1", at=ago(minutes=9))
    decline(shop, "c-1", code="expired_card", attempt_id="ch_2", at=ago(minutes=7))
    card = card_of(lin, case)
    assert [words(line.b) for line in card.select(".attempts > li")] == [
        "Card expired",
        "Insufficient funds",
    ]
    advice = "Ask the customer to check the expiry date or to use another card."
    assert words(card.select_one(".advice")) == f"Best done now: {advice}"
    tell(shop, "payment_succeeded", 1, attempt_id="ch_3")
    card = card_of(lin, case)
    assert words(card.select_one(".attempts > li b")) == "Paid"
    assert "nothing is left to do" in words(card.select_one(".advice"))


def test_an_unknown_outcome_is_to_be_asked_about(shop: Shop, lin: Desk) -> None:
    case = decline(shop, "c-1", code="processing_error", outcome="unknown", attempt_id="ch_1")
    card = card_of(lin, case)
    assert "outcome unknown" in words(card.select_one(".attempts > li"))
    assert "please don't pay again yet" in words(card.select_one(".attempts > li"))
    assert "Ask the gateway whether money has moved" in words(card.select_one(".advice"))


def test_two_charges_are_to_be_refunded_but_one(shop: Shop, lin: Desk) -> None:
    case = decline(shop, "c-1", attempt_id="ch_1", at=ago(minutes=9))
    tell(shop, "payment_succeeded", 5, attempt_id="ch_2")
    tell(shop, "payment_succeeded", 4, attempt_id="ch_3")
    assert "Refund all charges but one" in words(card_of(lin, case).select_one(".advice"))


def test_a_payment_leads_to_its_gateway(shop: Shop, lin: Desk) -> None:
    case = decline(shop, "c-1", payment_id="pi_1", attempt_id="ch_1", livemode=False)
    link = card_of(lin, case).select_one(".attempts a")
    assert link is not None
    assert link["href"] == "https://dashboard.stripe.com/test/payments/pi_1"
    assert link["rel"] == ["noopener", "noreferrer"]
    assert words(link) == "Open at Stripe (opens a new tab)"


def test_a_gateway_of_the_shops_own_has_its_name_and_no_link(shop: Shop, lin: Desk) -> None:
    case = decline(shop, "c-1", provider="volksbank", attempt_id="1")
    line = card_of(lin, case).select_one(".attempts > li")
    assert "Volksbank" in words(line)
    assert line is not None
    assert line.a is None


def test_who_may_not_see_codes_sees_neither_ids_nor_links(shop: Shop, lin: Desk) -> None:
    case = decline(shop, "c-1", payment_id="pi_1", attempt_id="ch_1")

    @shop.cases.permission
    def allowed(_agent: Agent, action: str, _case: CaseInfo | None) -> bool:
        return action == "view"

    card = card_of(lin, case)
    assert "Insufficient funds" in words(card)
    assert card.select("a, code") == []
    for secret in ("insufficient_funds", "pi_1", "ch_1", "dashboard"):
        assert secret not in str(card)
