"""The customer's endpoints: who reaches what, where messages go, what never shows."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import session
from sqlalchemy import text as sql
from sqlalchemy import update

from flask_checkout_case import Customer
from flask_checkout_case.data.models import CaseRow
from flask_checkout_case.types import Agent
from tests.support.bad_input import bad_texts
from tests.support.shop import Shop
from tests.support.widget import (
    LIN,
    ORIGIN,
    Person,
    cases_of,
    fail,
    furnish,
    hidden_fields,
    reply,
)

Make = Callable[..., Shop]

READING = ("state", "panel", "poll", "help")
G_CODES = {
    "soft": "generic_decline",
    "hard": "do_not_try_again",
    "funds": "insufficient_funds",
    "limit": "card_velocity_exceeded",
    "fraud": "fraudulent",
    "lost": "lost_card",
    "stolen": "stolen_card",
}


@pytest.fixture
def shop(make_app: Make) -> Shop:
    return furnish(make_app())


@pytest.fixture
def sqlite_shop(make_sqlite_app: Make) -> Shop:
    return furnish(make_sqlite_app())


# --- a conversation ------------------------------------------------------------------------------


def test_a_message_opens_a_case_and_the_answer_comes_back(shop: Shop) -> None:
    ada = Person(shop.app, "c-1")
    posted = ada.write("Does the bag fit into a cabin?", reason="product", email="ada@example.com")
    assert posted.json["status"] == {"kind": "sent", "text": "We got your message"}
    (case,) = cases_of(shop, checkout_ref="c-1")
    assert (case.status, case.category, case.value.minor_units) == (
        "new",
        "product_question",
        520000,
    )
    reply(shop, case.reference, "It does, at 54 cm.")
    news = ada.get("poll", params={"after": posted.json["cursor"]}).json
    assert [line["text"] for line in news["lines"]] == ["It does, at 54 cm."]
    assert news["lines"][0]["name"] == "Lin"
    assert news["status"] == {"kind": "answered", "text": "Lin answered"}
    assert ada.texts() == ["Does the bag fit into a cabin?", "It does, at 54 cm."]


def test_a_message_joins_the_payment_case_of_its_checkout(shop: Shop) -> None:
    fail(shop, "c-1", "insufficient_funds")
    Person(shop.app, "c-1").write("Why is that?")
    (case,) = cases_of(shop, checkout_ref="c-1")
    assert case.category == "payment_declined"
    with shop.app.app_context():
        shop.cases.reply(case.reference, "Because.", agent=LIN)
    assert Person(shop.app, "c-1").texts() == ["Why is that?", "Because."]


def test_a_message_to_a_solved_case_reopens_it(shop: Shop) -> None:
    ada = Person(shop.app, "c-1")
    ada.write("Where is my coupon?")
    (case,) = cases_of(shop, checkout_ref="c-1")
    reply(shop, case.reference, "Here it is.")
    with shop.app.app_context():
        shop.cases.solve(case.reference, agent=LIN, reason="By phone.")
    assert ada.get("panel").json["status"]["kind"] == "solved"
    ada.write("It does not work.")
    (again,) = cases_of(shop, checkout_ref="c-1")
    assert (again.reference, again.status) == (case.reference, "open")


def test_a_self_recovered_payment_case_is_not_reopened(shop: Shop) -> None:
    fail(shop, "c-1", "insufficient_funds")
    (case,) = cases_of(shop, checkout_ref="c-1")
    with shop.app.app_context():
        shop.cases.solve(case.reference)
    ada = Person(shop.app, "c-1")
    assert ada.get("state").json == {"hint": None, "unread": 0}
    ada.write("When does it arrive?", reason="delivery")
    assert [found.category for found in cases_of(shop, checkout_ref="c-1")] == [
        "shipping_delivery",
        "payment_declined",
    ]


def test_the_text_is_classified_when_nothing_was_picked(sqlite_shop: Shop) -> None:
    Person(sqlite_shop.app, "c-1").write("my coupon code is not accepted", reason="other")
    Person(sqlite_shop.app, "c-2").write("my coupon code is not accepted", reason="hacked")
    Person(sqlite_shop.app, "c-3").write("my coupon code is not accepted", reason="delivery")
    found = [cases_of(sqlite_shop, checkout_ref=f"c-{number}")[0] for number in (1, 2, 3)]
    assert [case.category for case in found] == [
        "coupon_pricing",
        "coupon_pricing",
        "shipping_delivery",
    ]


def test_one_message_posted_twice_is_one_message(shop: Shop) -> None:
    ada = Person(shop.app, "c-1")
    for _ in range(3):
        ada.write("Only once, please", key="the-same-key")
    assert ada.texts() == ["Only once, please"]
    (case,) = cases_of(shop, checkout_ref="c-1")
    assert case.occurrences == 1


def test_one_message_posted_twice_at_once_is_one_message(shop: Shop) -> None:
    people = [Person(shop.app, "c-1") for _ in range(4)]
    tokens = [person.get("token").json["token"] for person in people]

    def post(number: int) -> int:
        answer = people[number].http.post_json(
            "/checkout-case/messages",
            {"text": "at once", "key": "the-same-key"},
            headers={**ORIGIN, "X-Checkout-Case": tokens[number]},
        )
        return int(answer.status_code)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(post, range(4))) == [201] * 4
    assert people[0].texts() == ["at once"]


def test_nothing_new_is_a_short_304(sqlite_shop: Shop) -> None:
    ada = Person(sqlite_shop.app, "c-1")
    ada.write("Hello?")
    full = ada.get("poll")
    quiet = ada.get("poll", headers={"If-None-Match": full.headers["ETag"]}, status=304)
    assert quiet.body == b""
    assert quiet.headers["Cache-Control"] == "private, no-store"
    (case,) = cases_of(sqlite_shop, checkout_ref="c-1")
    with sqlite_shop.app.app_context():
        # What agents do among themselves is not even seen to happen.
        sqlite_shop.cases.note(case.reference, "A difficult one.", agent=LIN)
    ada.get("poll", headers={"If-None-Match": full.headers["ETag"]}, status=304)
    reply(sqlite_shop, case.reference, "Here I am.")
    ada.get("poll", headers={"If-None-Match": full.headers["ETag"]}, status=200)


def test_unread_answers_are_counted_on_the_closed_launcher(sqlite_shop: Shop) -> None:
    ada = Person(sqlite_shop.app, "c-1")
    cursor = ada.write("Hello?").json["cursor"]
    (case,) = cases_of(sqlite_shop, checkout_ref="c-1")
    reply(sqlite_shop, case.reference, "One")
    reply(sqlite_shop, case.reference, "Two")
    assert ada.get("state").json == {"hint": "Lin answered", "unread": 2}
    assert ada.get("state", params={"seen": cursor}).json["unread"] == 2
    assert ada.get("state", params={"seen": cursor + 99}).json["unread"] == 0
    assert ada.get("state", params={"seen": "much"}).json["unread"] == 2
    assert ada.get("state", params={"seen": "9" * 40}).json["unread"] == 2
    assert ada.get("state", params={"seen": -1}).json["unread"] == 2
    assert len(ada.get("poll", params={"after": "9" * 40}).json["lines"]) == 3
    assert len(ada.get("state").body) <= 512


# --- without scripts -----------------------------------------------------------------------------


def test_the_whole_way_without_scripts(shop: Shop) -> None:
    fail(shop, "c-1", "expired_card")
    ada = Person(shop.app, "c-1")
    page = ada.get("help")
    assert "Check the expiry date or use another card." in page.text
    posted = ada.write_by_form("What now?", email="ada@example.com")
    assert posted.location == "/checkout-case/help?sent=1#latest"
    assert "Your message is with us." in posted.follow().text
    (case,) = cases_of(shop, checkout_ref="c-1")
    reply(shop, case.reference, "See https://shop.example/pay?a=1&b=2")
    answered = ada.get("help").text
    assert "Lin answered" in answered
    assert '<a href="https://shop.example/pay?a=1&amp;b=2" rel="noopener noreferrer">' in answered
    ada.write_by_form("Thank you")
    assert ada.texts() == ["What now?", "See https://shop.example/pay?a=1&b=2", "Thank you"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"text": "  "}, "Please write a few words first."),
        ({"text": "\x01\x02"}, "Please write a few words first."),
        ({"text": "x" * 4001}, "Please keep it below 4000 characters."),
        ({"text": "kept text", "email": "not an address"}, "be right."),
        ({"text": "kept text", "checkout_case_csrf": "old"}, "open for too long"),
    ],
)
def test_a_refused_form_comes_back_with_what_was_typed(
    sqlite_shop: Shop, fields: dict[str, str], says: str
) -> None:
    ada = Person(sqlite_shop.app, "c-1")
    answer = ada.write_by_form(**fields, reason="delivery", status="4*")
    assert says in answer.text
    if "kept" in fields["text"]:
        assert "kept text</textarea>" in answer.text
        assert 'value="delivery" checked' in answer.text
    assert cases_of(sqlite_shop, checkout_ref="c-1") == []


def test_a_database_that_refuses_costs_nobody_their_words(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    ada = Person(shop.app, "c-1")
    form = {**hidden_fields(ada.get("help").text), "text": "Long & thought over", "reason": "order"}
    address = "/checkout-case/help"
    with shop.app.app_context():
        shop.db.drop_all()
        refused = ada.http.post(address, form, headers=ORIGIN, status=503)
        shop.db.create_all()
    assert "Long &amp; thought over</textarea>" in refused.text
    assert "could not be taken" in caplog.text
    again = {**hidden_fields(refused.text), "text": "Long & thought over"}
    assert again["key"] == form["key"]
    ada.http.post(address, again, headers=ORIGIN, status=303)
    assert ada.texts() == ["Long & thought over"]
    (case,) = cases_of(shop, checkout_ref="c-1")
    assert case.category == "order_change"


# --- who reaches what ----------------------------------------------------------------------------


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
    assert ours == reading | {("messages", "POST"), ("help", "POST")}


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


@pytest.mark.parametrize("email", ["4242424242424242@x.com", "4242-4242-4242-4242@x.com"])
def test_a_card_number_is_no_address(shop: Shop, email: str) -> None:
    Person(shop.app).write("Hello", email=email, status=400)
    assert cases_of(shop) == []


def test_what_a_customer_wrote_is_not_logged_when_the_database_refuses(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    guest = Person(shop.app, "c-1")
    guest.get("token")
    with shop.app.app_context():
        shop.db.session.execute(sql("ALTER TABLE checkout_case_entry RENAME TO gone"))
        shop.db.session.commit()
    guest.write("My private words", status="5*")
    assert caplog.records
    assert "private words" not in caplog.text


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


# --- what never shows ----------------------------------------------------------------------------


def test_fraud_lost_and_stolen_read_byte_for_byte_like_a_plain_decline(shop: Shop) -> None:
    answers: dict[str, list[bytes]] = {}
    for name, code in G_CODES.items():
        fail(shop, f"c-{name}", code)
        ada = Person(shop.app, f"c-{name}")
        panel = ada.get("panel").json
        panel.pop("mark")
        page = ada.get("help").text
        page = page[page.index("<main>") : page.index("<form")]
        answers[name] = [
            json.dumps(panel, sort_keys=True).encode(),
            ada.get("state").body,
            page.encode(),
        ]
        posted = ada.write("What can I do?", key="k" * 12).json
        for name_of_field in ("mark", "cursor"):
            posted.pop(name_of_field)
        for line in posted["lines"]:
            line.pop("id")
            line.pop("at")
        answers[name].append(json.dumps(posted, sort_keys=True).encode())
    assert len({tuple(given) for given in answers.values()}) == 1
    assert b"Your bank didn&#39;t approve this payment." in answers["fraud"][2]


@pytest.mark.parametrize("code", ["fraudulent", "insufficient_funds", "expired_card"])
def test_customers_never_see_codes_staff_or_notes(sqlite_shop: Shop, code: str) -> None:
    fail(sqlite_shop, "c-1", code)
    ada = Person(sqlite_shop.app, "c-1")
    ada.write("Hello?")
    (case,) = cases_of(sqlite_shop, checkout_ref="c-1")
    with sqlite_shop.app.app_context():
        sqlite_shop.cases.note(case.reference, "An internal remark", agent=LIN)
    reply(sqlite_shop, case.reference, "Hello Ada")
    shown = "".join(ada.get(page).text for page in READING)
    assert "Hello Ada" in shown
    for hidden in (code, "remark", "lin@staff.example", "risk", "fraud", case.reference, "soft"):
        assert hidden not in shown


def test_an_unknown_outcome_asks_not_to_pay_again(sqlite_shop: Shop) -> None:
    with sqlite_shop.app.app_context():
        sqlite_shop.cases.payment_failed(
            checkout_ref="c-1", provider="stripe", failure_code="api_error", outcome="unknown"
        )
        sqlite_shop.cases.flush()
    failure = Person(sqlite_shop.app, "c-1").get("panel").json["failure"]
    assert "don't pay again yet" in failure["text"]
    assert [action["url"] for action in failure["actions"]] == [None]


def test_texts_come_in_the_readers_language(sqlite_shop: Shop) -> None:
    fail(sqlite_shop, "c-1", "insufficient_funds")
    ada = Person(sqlite_shop.app, "c-1")
    seen = {
        tag: ada.get("panel", headers={"Accept-Language": tag}).json for tag in ("en", "de", "ar")
    }
    assert [seen[tag]["dir"] for tag in seen] == ["ltr", "ltr", "rtl"]
    assert len({panel["texts"]["send"] for panel in seen.values()}) == 3
    assert len({panel["failure"]["text"] for panel in seen.values()}) == 3
    assert len({panel["presence"] for panel in seen.values()}) == 3


PLACES = """
currency = "USD"

[teams.support]
name = "Support"

[sla.near]
first_response = "1h"

[sla.far]
first_response = "2d"

[[routes]]
name = "At the payment"
when = { step = "payment" }
team = "support"
sla = "near"

[[routes]]
name = "Everywhere else"
team = "support"
sla = "far"
"""


def test_the_promised_time_is_that_of_the_route_the_message_would_take(
    make_sqlite_app: Make, tmp_path: Path
) -> None:
    (tmp_path / "policy.toml").write_text(PLACES)
    shop = furnish(make_sqlite_app(CHECKOUT_CASE_POLICY=str(tmp_path / "policy.toml")))
    assert Person(shop.app, "c-1").get("panel").json["presence"].endswith("60 minutes")


def test_bad_texts_are_only_text(make_sqlite_app: Make) -> None:
    shop = furnish(make_sqlite_app(CHECKOUT_CASE_RATE_LIMIT="100000 per minute"))
    ada = Person(shop.app, "c-1")
    ada.write("A beginning")
    (case,) = cases_of(shop, checkout_ref="c-1")
    for text in bad_texts():
        ada.write(text, status="*")
        with shop.app.app_context():
            reply_or_nothing(shop, case.reference, text)
    answer = ada.get("panel")
    assert answer.content_type == "application/json"
    page = ada.get("help").text
    inside = page[page.index("<ol>") : page.index("</ol>")]
    for harmful in ("<script", "<img", "<svg/", "<iframe", "onerror=", "javascript:alert"):
        assert f"<{harmful.strip('<')}" not in inside.replace("&lt;", "")
    assert inside.count("<li") == len(answer.json["lines"])


def reply_or_nothing(shop: Shop, reference: str, text: str) -> None:
    if text.strip() and text.strip().isprintable():
        shop.cases.reply(reference, text, agent=LIN)


@pytest.mark.parametrize(
    "body",
    [
        {"text": 5},
        {"text": ["x"]},
        {"text": None},
        {"text": "x", "key": "short"},
        {"text": "x", "key": "with spaces in it"},
        {"text": "x", "email": "a@b\r\nBcc: c@d"},
        {"text": "x", "reason": {"a": 1}},
        {"text": "\x00\x01"},
        {"text": "x", "key": "k" * 49},
        {},
    ],
)
def test_what_is_no_message_is_refused(sqlite_shop: Shop, body: dict[str, Any]) -> None:
    ada = Person(sqlite_shop.app, "c-1")
    given = {"text": "x", **body} if "text" in body else {"text": ""}
    answer = ada.write(given.pop("text"), status=400, **given)
    assert answer.json["error"]["code"] == "invalid"
    assert cases_of(sqlite_shop) == []


def test_card_numbers_are_masked_before_anybody_reads_them(sqlite_shop: Shop) -> None:
    ada = Person(sqlite_shop.app, "c-1")
    ada.write("My card 4242 4242 4242 4242 does not work")
    (text,) = ada.texts()
    assert "4242 4242 4242" not in text
    assert "4242" in text


def test_a_shop_whose_loader_fails_still_gives_help(
    sqlite_shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    @sqlite_shop.cases.checkout_loader
    def broken() -> None:
        raise RuntimeError("the shop's session is broken")

    guest = Person(sqlite_shop.app)
    guest.write_by_form("Anybody there?")
    assert guest.texts() == ["Anybody there?"]
    assert "checkout_loader failed" in caplog.text


def test_many_posts_are_refused_uniformly(make_sqlite_app: Make) -> None:
    shop = furnish(make_sqlite_app(CHECKOUT_CASE_RATE_LIMIT="3 per minute"))
    ada = Person(shop.app, "c-1")
    token = ada.get("token").json["token"]
    headers = {**ORIGIN, "X-Checkout-Case": token}
    answers = [
        ada.http.post_json(
            "/checkout-case/messages",
            {"text": f"Number {number}", "key": f"key-number-{number}"},
            headers=headers,
            status="*",
        )
        for number in range(6)
    ]
    assert [answer.status_code for answer in answers] == [201] * 3 + [429] * 3
    assert len({answer.body for answer in answers[3:]}) == 1
    assert len(ada.texts()) == 3


def test_an_agent_is_named_but_not_described(sqlite_shop: Shop) -> None:
    ada = Person(sqlite_shop.app, "c-1")
    ada.write("Hello?")
    (case,) = cases_of(sqlite_shop, checkout_ref="c-1")
    odd = Agent(ref="8", name="<b>Max</b>", role="supervisor", email="max@staff.example")
    with sqlite_shop.app.app_context():
        sqlite_shop.cases.reply(case.reference, "Hi", agent=odd)
    assert set(ada.get("panel").json["lines"][-1]) == {"id", "mine", "name", "text", "at", "key"}
    assert "<b>Max" not in ada.get("help").text
