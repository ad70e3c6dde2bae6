"""Who reaches which conversation: by checkout, by browser, by customer, and nobody else."""

from __future__ import annotations

import time

import pytest
import time_machine
from flask import session
from sqlalchemy import update

from flask_checkout_case import Customer
from flask_checkout_case.data.models import CaseRow
from tests.support.shop import Shop
from tests.support.widget import READING, Person, cases_of, fail, reply


def test_a_browser_comes_back_to_its_conversation_without_the_checkout(shop: Shop) -> None:
    ada = Person(shop.app, "c-1")
    ada.write("Do you remember me?")
    ada.http.get("/leave")
    assert ada.texts() == ["Do you remember me?"]
    (case,) = cases_of(shop, checkout_ref="c-1")
    reply(shop, case.reference, "We do.")
    assert ada.get("state").json["unread"] == 1


def test_without_any_checkout_one_browser_has_one_case(shop: Shop) -> None:
    guest = Person(shop.app)
    guest.write("First")
    guest.write("Second")
    assert guest.texts() == ["First", "Second"]
    assert len(cases_of(shop)) == 1
    Person(shop.app).write("Somebody else")
    assert len(cases_of(shop)) == 2


def test_no_route_is_missing_from_these_tests(sqlite_shop: Shop) -> None:
    ours = {
        (rule.rule.removeprefix("/checkout-case/"), method)
        for rule in sqlite_shop.app.url_map.iter_rules()
        if rule.endpoint.startswith("checkout_case_widget.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    reading = {(name, "GET") for name in (*READING, "token", "static/widget/<path:filename>")}
    # Behind a signed link, or of this request's checkout alone, see ``tests/integration/changes``
    # and ``tests/integration/test_rescue.py``.
    links = ("change/<token>", "change", "rescue/<token>")
    ours -= {(name, method) for name in links for method in ("GET", "POST")}
    writing = ("messages", "help", "signals", "callback", "help/callback")
    assert ours == reading | {(name, "POST") for name in writing}


@pytest.mark.parametrize("endpoint", READING)
def test_strangers_see_the_same_as_if_there_were_nothing(sqlite_shop: Shop, endpoint: str) -> None:
    ada = Person(sqlite_shop.app, "c-1")
    ada.write("A secret of mine")
    (case,) = cases_of(sqlite_shop, checkout_ref="c-1")
    reply(sqlite_shop, case.reference, "A secret of Lin's")
    nobody, eve = Person(sqlite_shop.app), Person(sqlite_shop.app, "c-2")
    guessing = Person(sqlite_shop.app)
    answers = [
        person.get(endpoint, params=given, status="*")
        for person, given in (
            (nobody, {}),
            (eve, {}),
            (guessing, {"reference": case.reference, "case": case.reference, "seen": "0"}),
        )
    ]
    for answer in answers:
        assert answer.status_code == (404 if endpoint == "poll" else 200)
        assert "secret" not in answer.text
        assert case.reference not in answer.text
    if endpoint in ("state", "poll"):
        assert answers[0].body == answers[1].body == answers[2].body
    own = ada.get(endpoint)
    assert endpoint == "state" or "A secret of mine" in own.text


@pytest.mark.parametrize("endpoint", ["messages", "help"])
@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}])
def test_nobody_posts_from_elsewhere(
    sqlite_shop: Shop, endpoint: str, headers: dict[str, str]
) -> None:
    ada = Person(sqlite_shop.app, "c-1")
    token = ada.get("token").json["token"]
    given = {"text": "forged", "key": "k" * 12, "checkout_case_csrf": token}
    send = ada.http.post if endpoint == "help" else ada.http.post_json
    sent = {**headers, "X-Checkout-Case": token}
    assert send(f"/checkout-case/{endpoint}", given, headers=sent, status=403)
    assert cases_of(sqlite_shop) == []


def test_a_stolen_token_is_nothing_without_its_browser(sqlite_shop: Shop) -> None:
    ada, eve = Person(sqlite_shop.app), Person(sqlite_shop.app)
    ada.write("Mine")
    eve.get("token")
    eve.has_only(browser=eve.cookie("browser"), token=ada.cookie("token"))
    assert eve.texts() == []
    eve.has_only(token=ada.cookie("token"))
    assert eve.texts() == []


def test_forged_tokens_are_nothing(sqlite_shop: Shop) -> None:
    ada = Person(sqlite_shop.app)
    ada.write("Mine")
    browser, own = ada.cookie("browser"), ada.cookie("token")
    ada.has_only(browser=browser, token=own)
    assert ada.texts() == ["Mine"]
    for forged in ("x", own[:-2], own[1:], own.replace(".", ""), browser, "eyJuIjoieCJ9.x.y"):
        ada.has_only(browser=browser, token=forged)
        assert ada.texts() == []


def test_a_token_ends_with_its_days_and_when_it_is_revoked(shop: Shop) -> None:
    ada = Person(shop.app)
    ada.write("Mine")
    ada.has_only(browser=ada.cookie("browser"), token=ada.cookie("token"))
    assert ada.texts() == ["Mine"]
    with time_machine.travel(time.time() + 31 * 24 * 3600):
        assert ada.texts() == []
    assert ada.texts() == ["Mine"]
    with shop.app.app_context():
        shop.db.session.execute(update(CaseRow).values(revocations=1))
        shop.db.session.commit()
    assert ada.texts() == []


def test_a_cart_that_changes_hands_takes_no_conversation_along(shop: Shop) -> None:
    browser = Person(shop.app, "c-1", who="ada")
    browser.write("Ada's secret")
    before = browser.cookie("browser")
    browser.enter("c-1", who="eve")
    assert browser.texts() == []
    assert browser.cookie("browser") != before
    browser.write("Eve's own")
    assert browser.texts() == ["Eve's own"]
    assert len(cases_of(shop, checkout_ref="c-1")) == 2
    browser.enter("c-1")
    assert browser.texts() == []


def test_a_customers_conversation_is_not_for_who_uses_the_browser_next(shop: Shop) -> None:
    browser = Person(shop.app, "c-1", who="ada")
    browser.write("Ada's secret")
    browser.http.get("/leave")
    assert browser.texts() == []
    assert browser.get("poll", status=404).status_code == 404
    browser.enter("c-9", who="ada")
    assert browser.texts() == ["Ada's secret"]


def test_a_customer_whom_the_shop_knows_comes_back_without_a_checkout(shop: Shop) -> None:
    @shop.cases.customer_loader
    def load_customer(ref: str | None = None) -> Customer | None:
        return Customer(ref=session["who"]) if session.get("who") else None

    browser = Person(shop.app, "c-1", who="ada")
    browser.write("Ada's own")
    browser.http.get("/stay")
    assert browser.texts() == ["Ada's own"]
    browser.http.get("/leave")
    assert browser.texts() == []


def test_a_ref_that_is_used_again_opens_nothing_of_the_guest_before(shop: Shop) -> None:
    before, after = Person(shop.app, "81"), Person(shop.app, "81")
    before.write("My secret")
    (case,) = cases_of(shop, checkout_ref="81")
    with shop.app.app_context():
        shop.cases.solve(case.reference)
    assert after.texts() == []
    after.write("I am new here")
    assert after.texts() == ["I am new here"]
    assert before.texts()[0] == "My secret"


def test_an_order_of_the_same_number_is_somebody_elses(shop: Shop) -> None:
    with shop.app.app_context():
        of_order = shop.cases.open(subject="Order", text="B's words", order_ref=42)
    buyer = Person(shop.app, "42")
    buyer.write("A's words")
    assert buyer.texts() == ["A's words"]
    assert {case.reference for case in cases_of(shop)} > {of_order.reference}


def test_a_message_to_ones_ended_case_stays_ones_own(shop: Shop) -> None:
    fail(shop, "c-1", "do_not_honor")
    guest = Person(shop.app, "c-1")
    guest.write("A's words")
    (first,) = cases_of(shop, checkout_ref="c-1")
    with shop.app.app_context():
        shop.cases.solve(first.reference)
    fail(shop, "c-1", "do_not_honor", who="eve")
    eve = Person(shop.app, "c-1", who="eve")
    eve.write("B's words")
    guest.http.get("/leave")
    guest.write("A again")
    assert guest.texts() == ["A's words", "A again"]
    assert "A again" not in eve.texts()


def test_a_guest_who_signs_in_keeps_the_conversation(shop: Shop) -> None:
    browser = Person(shop.app, "c-1")
    browser.write("As a guest")
    before = browser.cookie("token")
    browser.enter("c-1", who="ada")
    assert browser.texts() == ["As a guest"]
    assert browser.cookie("token") != before
    browser.enter("c-2", who="ada")
    assert browser.texts() == ["As a guest"]
    browser.enter("c-2", who="eve")
    assert browser.texts() == []


def test_each_message_gives_the_browser_its_full_time_again(sqlite_shop: Shop) -> None:
    ada = Person(sqlite_shop.app)
    ada.write("First")
    names = [
        cookie.split("=", maxsplit=1)[0]
        for cookie in ada.write("Second").headers.getall("Set-Cookie")
    ]
    assert sorted(names) == [
        "checkout_case_browser",
        "checkout_case_token",
    ]


def test_no_cookie_before_anybody_has_done_anything(sqlite_shop: Shop) -> None:
    visitor = Person(sqlite_shop.app)
    for page in ("/checkout", "/checkout-case/state", "/checkout-case/panel"):
        assert "Set-Cookie" not in visitor.http.get(page).headers
