"""What customers are told, and what never shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text as sql

from flask_checkout_case.types import Agent
from tests.support.shop import Shop
from tests.support.widget import LIN, READING, Person, cases_of, fail, furnish, reply

PLAIN_DECLINES = {
    "soft": "generic_decline",
    "hard": "do_not_try_again",
    "funds": "insufficient_funds",
    "limit": "card_velocity_exceeded",
    "fraud": "fraudulent",
    "lost": "lost_card",
    "stolen": "stolen_card",
}


def test_fraud_lost_and_stolen_read_byte_for_byte_like_a_plain_decline(shop: Shop) -> None:
    answers: dict[str, list[bytes]] = {}
    for name, code in PLAIN_DECLINES.items():
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


def test_an_agent_is_named_but_not_described(sqlite_shop: Shop) -> None:
    ada = Person(sqlite_shop.app, "c-1")
    ada.write("Hello?")
    (case,) = cases_of(sqlite_shop, checkout_ref="c-1")
    odd = Agent(ref="8", name="<b>Max</b>", role="supervisor", email="max@staff.example")
    with sqlite_shop.app.app_context():
        sqlite_shop.cases.reply(case.reference, "Hi", agent=odd)
    assert set(ada.get("panel").json["lines"][-1]) == {"id", "mine", "name", "text", "at", "key"}
    assert "<b>Max" not in ada.get("help").text


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
    make_sqlite_app: Callable[..., Shop], tmp_path: Path
) -> None:
    (tmp_path / "policy.toml").write_text(PLACES)
    shop = furnish(make_sqlite_app(CHECKOUT_CASE_POLICY=str(tmp_path / "policy.toml")))
    assert Person(shop.app, "c-1").get("panel").json["presence"].endswith("60 minutes")


def test_card_numbers_are_masked_before_anybody_reads_them(sqlite_shop: Shop) -> None:
    ada = Person(sqlite_shop.app, "c-1")
    ada.write("My card 4242 4242 4242 4242 does not work")
    (text,) = ada.texts()
    assert "4242 4242 4242" not in text
    assert "4242" in text


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
