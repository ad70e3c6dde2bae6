"""What is posted to the widget and is no message, or too many of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.bad_input import bad_texts
from tests.support.shop import Shop
from tests.support.widget import LIN, ORIGIN, Person, cases_of, furnish


def test_bad_texts_are_only_text(make_sqlite_app: Callable[..., Shop]) -> None:
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


@pytest.mark.parametrize("email", ["4242424242424242@x.com", "4242-4242-4242-4242@x.com"])
def test_a_card_number_is_no_address(shop: Shop, email: str) -> None:
    Person(shop.app).write("Hello", email=email, status=400)
    assert cases_of(shop) == []


def test_many_posts_are_refused_uniformly(make_sqlite_app: Callable[..., Shop]) -> None:
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
