"""A conversation by HTTP, with and without scripts: where messages go, what comes back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.shop import Shop
from tests.support.widget import LIN, ORIGIN, Person, cases_of, fail, hidden_fields, reply


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
