"""Customers with large carts ask to be called: by the script, by the form, and who may not."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from webtest import TestResponse

from flask_checkout_case import Checkout, Customer, Money
from flask_checkout_case.data.callback_models import CallbackRow
from flask_checkout_case.data.incident_models import IncidentRow, MemberRow
from flask_checkout_case.data.models import EntryRow
from flask_checkout_case.jobs.sweep import sweep
from tests.support.desk import body, runtime_of
from tests.support.due import set_clock
from tests.support.shop import Shop
from tests.support.storm import stand_for_incident
from tests.support.widget import ORIGIN, Person, cases_of, fail, furnish, hidden_fields

PHONE = "+1 (212) 555-0142"
NEW_YORK = {"X-Time-Zone": "America/New_York"}
# A Tuesday, ten in the morning in New York.
NOW = datetime(2027, 1, 5, 15, 0, tzinfo=UTC)
OFFICE = """
[teams.concierge]
[calendars.office]
timezone = "America/New_York"
"mon-fri" = ["09:00-12:00"]
[callbacks]
calendar = "office"
over = "5000 USD"
lead = "30m"
slot = "1h"
days = 2
per_slot = 1
phone = "+1 212 555 0100"
[[routes]]
name = "All"
team = "concierge"
"""


@pytest.fixture
def office(make_app: Callable[..., Shop], tmp_path: Path) -> Shop:
    """A shop that calls on weekdays from 9 to 12 in New York, one customer an hour."""
    path = tmp_path / "policy.toml"
    path.write_text(OFFICE)
    shop = furnish(make_app(CHECKOUT_CASE_POLICY=str(path)))
    set_clock(shop, NOW)
    return shop


def offered(person: Person, **headers: str) -> Any:
    return person.get("panel", headers=headers or NEW_YORK).json["offer"]


def ask(person: Person, *, status: int | str = 201, **fields: Any) -> TestResponse:
    token = person.get("token").json["token"]
    wish = {"phone": PHONE, "zone": "America/New_York", "key": secrets.token_hex(12), **fields}
    headers = {**ORIGIN, "X-Checkout-Case": token}
    return person.http.post_json("/checkout-case/callback", wish, headers=headers, status=status)


def first_slot(person: Person) -> str:
    return str(offered(person)["days"][0]["slots"][0]["value"])


def plain(text: str) -> str:
    return text.replace("\N{NARROW NO-BREAK SPACE}", " ")


def calls(shop: Shop) -> list[CallbackRow]:
    with runtime_of(shop).read() as session:
        return list(session.scalars(select(CallbackRow).order_by(CallbackRow.id)))


def noted(shop: Shop) -> list[str]:
    with runtime_of(shop).read() as session:
        rows = session.scalars(select(EntryRow).order_by(EntryRow.id)).all()
    found = [(row.data or {}).get("action", "") for row in rows]
    return [action for action in found if action.startswith("callback")]


def test_times_are_offered_by_day_in_the_customers_own_time(office: Shop) -> None:
    ada = Person(office.app, "c-1")
    here = offered(ada)
    assert [
        (day["day"], [plain(slot["label"]) for slot in day["slots"]]) for day in here["days"]
    ] == [
        ("Tue, Jan 5", ["11:00 AM – 12:00 PM"]),
        ("Wed, Jan 6", ["9:00 AM – 10:00 AM", "10:00 AM – 11:00 AM", "11:00 AM – 12:00 PM"]),
    ]
    assert here["times"] == "All times: New York · Eastern Time"
    assert here["instead"] == "Or call us: +1 212 555 0100"
    tokyo = offered(ada, **{"X-Time-Zone": "Asia/Tokyo"})
    slot = tokyo["days"][0]["slots"][0]
    assert tokyo["days"][0]["day"] == "Wed, Jan 6"
    assert slot["value"] == "2027-01-05T16:00:00+00:00"
    assert plain(slot["label"]) == "1:00 AM – 2:00 AM"


def test_without_the_browsers_zone_it_is_the_customers_then_the_policys(office: Shop) -> None:
    ada = Person(office.app, "c-1")
    for unknown in ("", "Mars/Olympus", "../etc/passwd", "x" * 300):
        assert offered(ada, **{"X-Time-Zone": unknown})["zone"] == "America/New_York"

    @office.cases.checkout_loader
    def load_checkout() -> Checkout:
        customer = Customer(name="Ada", phone="+351 21 555 0142", timezone="Europe/Lisbon")
        return Checkout(ref="c-1", value=Money("5200.00", "USD"), customer=customer)

    there = offered(ada, **{"X-Time-Zone": "Mars/Olympus"})
    assert (there["zone"], there["own"]) == ("Europe/Lisbon", "+351 21 555 0142")
    assert "All times: Lisbon · Western European Time" in ada.get("help").text


def test_a_call_is_promised_moved_and_cancelled(office: Shop) -> None:
    ada = Person(office.app, "c-1")
    answer = ask(ada, slot=first_slot(ada), about="The bag, and a gift card").json
    assert {name: plain(text) for name, text in answer["call"].items()} == {
        "title": "We will call you",
        "when": "Tue, Jan 5, 11:00 AM – 12:00 PM",
        "zone": "New York · Eastern Time",
        "phone": PHONE,
    }
    (case,) = cases_of(office, checkout_ref="c-1")
    assert (case.category, case.status) == ("other", "new")
    assert "Asks to be called" in case.subject
    (row,) = calls(office)
    assert (row.phone, row.zone, row.name) == (PHONE, "America/New_York", "Ada")
    assert row.about == "The bag, and a gift card"
    later = offered(ada)["days"][-1]["slots"][-1]["value"]
    when = ask(ada, slot=later).json["call"]["when"]
    assert plain(when) == "Wed, Jan 6, 11:00 AM – 12:00 PM"
    assert [one.cancelled_at is None for one in calls(office)] == [False, True]
    assert ada.get("poll").json["call"]["when"].startswith("Wed")
    assert ask(ada, cancel=True).json["call"] is None
    assert all(one.cancelled_at for one in calls(office))
    assert noted(office) == ["callback_asked", "callback_moved", "callback_cancelled"]
    ask(ada, cancel=True, status=404)
    assert len(cases_of(office, checkout_ref="c-1")) == 1


def test_a_wish_joins_the_case_that_is_open(office: Shop) -> None:
    fail(office, "c-1", "do_not_honor")
    ada = Person(office.app, "c-1")
    ask(ada, slot=first_slot(ada))
    (case,) = cases_of(office, checkout_ref="c-1")
    assert case.category == "payment_declined"


def test_a_repeated_wish_is_one(office: Shop) -> None:
    ada = Person(office.app, "c-1")
    slot = first_slot(ada)
    for _ in range(3):
        ask(ada, slot=slot, key="the-same-key")
    assert len(calls(office)) == 1


def test_a_time_is_promised_to_one_alone(office: Shop) -> None:
    people = [Person(office.app, f"c-{number}") for number in range(4)]
    slot = first_slot(people[0])
    tokens = [person.get("token").json["token"] for person in people]

    def wish(number: int) -> int:
        answer = people[number].http.post_json(
            "/checkout-case/callback",
            {"slot": slot, "phone": PHONE, "zone": "UTC", "key": f"key-of-{number}"},
            headers={**ORIGIN, "X-Checkout-Case": tokens[number]},
            expect_errors=True,
        )
        return int(answer.status_code)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(wish, range(4))) == [201, 400, 400, 400]
    assert len(calls(office)) == 1
    assert slot not in str(offered(people[0]))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"phone": "12345"}, "phone"),
        ({"phone": "4242 4242 4242 4242"}, "phone"),
        ({"phone": "1" * 41}, "phone"),
        ({"phone": ""}, "phone"),
        ({"slot": "soon"}, "slot"),
        ({"slot": ""}, "slot"),
        ({"slot": "2027-01-05T16:00:00"}, "slot"),
        ({"slot": "2027-01-05T16:30:00+00:00"}, "slot"),
        ({"slot": "2027-01-05T15:00:00+00:00"}, "slot"),
        ({"slot": "2031-01-05T15:00:00+00:00"}, "slot"),
        ({"about": "x" * 501}, "about"),
        ({"key": "x"}, "key"),
        ({"phone": 7}, None),
    ],
)
def test_what_makes_no_sense_is_refused(
    office: Shop, wrong: dict[str, Any], field: str | None
) -> None:
    ada = Person(office.app, "c-1")
    error = ask(ada, **{"slot": first_slot(ada), **wrong}, status=400).json["error"]
    assert error.get("field") == field
    assert (calls(office), cases_of(office, checkout_ref="c-1")) == ([], [])


def test_what_is_told_is_masked(office: Shop) -> None:
    ada = Person(office.app, "c-1")
    ask(ada, slot=first_slot(ada), about="my card 4242 4242 4242 4242")
    assert "4242 4242" not in str(calls(office)[0].about)


def hold(shop: Shop, case: Any, ref: str) -> None:
    """Let an incident of card testing hold a checkout."""
    stand_for_incident(shop, case)
    with runtime_of(shop).write() as unit:
        incident = unit.session.scalars(select(IncidentRow)).one()
        incident.kind = "card_testing"
        unit.session.add(MemberRow(incident_id=incident.id, checkout_ref=ref, at=NOW))
    runtime_of(shop).incidents.forget()


def _cart(shop: Shop, ref: str, value: str) -> None:
    @shop.cases.checkout_loader
    def load_checkout() -> Checkout:
        return Checkout(ref=ref, value=Money(value, "USD"))


def test_smaller_carts_are_offered_none(office: Shop) -> None:
    ada = Person(office.app, "c-1")
    slot = first_slot(ada)
    _cart(office, "c-2", "5000.00")
    eve = Person(office.app)
    assert offered(eve) is None
    assert "call you" not in eve.get("help").text
    assert ask(eve, slot=slot, status=404).json["error"]["code"] == "not_found"
    assert ask(eve, slot=slot, phone="x", status=404).json["error"]["code"] == "not_found"
    assert cases_of(office) == []


def test_a_shop_without_callbacks_offers_none(
    make_app: Callable[..., Shop], tmp_path: Path
) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(OFFICE.replace("[callbacks]\n", "[callbacks]\nenabled = false\n"))
    shop = furnish(make_app(CHECKOUT_CASE_POLICY=str(path)))
    ada = Person(shop.app, "c-1")
    assert offered(ada) is None
    ask(ada, slot="2027-01-05T16:00:00+00:00", status=404)


def test_suspected_fraud_is_offered_what_a_plain_decline_is(office: Shop) -> None:
    fail(office, "plain", "do_not_honor")
    fail(office, "thief", "fraudulent")
    honest, thief = Person(office.app, "plain"), Person(office.app, "thief")
    assert offered(thief) == offered(honest)
    slot = first_slot(honest)
    told = [
        (ask(one, slot=slot).json["call"], ask(one, cancel=True).json["call"])
        for one in (honest, thief)
    ]
    assert told[0] == told[1]
    assert told[0][0]["phone"] == PHONE


def test_somebody_who_tests_cards_is_answered_like_a_small_cart(office: Shop) -> None:
    fail(office, "bot", "do_not_honor")
    bot = Person(office.app, "bot")
    slot = first_slot(bot)
    (case,) = cases_of(office, checkout_ref="bot")
    hold(office, case, "bot")
    assert offered(bot) is None
    held = ask(bot, slot=slot, status=404)
    _cart(office, "c-2", "5000.00")
    small = ask(Person(office.app), slot=slot, status=404)
    assert held.json == small.json
    assert calls(office) == []


def test_nobody_else_sees_or_cancels_it(office: Shop) -> None:
    ada = Person(office.app, "c-1", "ada")
    ask(ada, slot=first_slot(ada))
    for eve in (Person(office.app, "c-1", "eve"), Person(office.app, "c-2"), Person(office.app)):
        assert eve.get("panel").json["call"] is None
        assert PHONE not in eve.get("help").text
        ask(eve, cancel=True, status=404)
    assert calls(office)[0].cancelled_at is None


def test_a_wish_needs_its_token(office: Shop) -> None:
    ada = Person(office.app, "c-1")
    wish = {"slot": first_slot(ada), "phone": PHONE, "zone": "UTC", "key": "x" * 12}
    for headers in (ORIGIN, {**ORIGIN, "X-Checkout-Case": "forged"}):
        ada.http.post_json("/checkout-case/callback", wish, headers=headers, status=403)
    assert calls(office) == []


def test_wishes_are_limited(make_sqlite_app: Callable[..., Shop]) -> None:
    shop = furnish(make_sqlite_app(CHECKOUT_CASE_RATE_LIMIT="2 per minute"))
    ada = Person(shop.app, "c-1")
    slot = first_slot(ada)
    token = ada.get("token").json["token"]
    for status in (201, 201, 429):
        wish = {"slot": slot, "phone": PHONE, "zone": "UTC", "key": secrets.token_hex(12)}
        headers = {**ORIGIN, "X-Checkout-Case": token}
        ada.http.post_json("/checkout-case/callback", wish, headers=headers, status=status)


def test_the_whole_way_without_scripts(office: Shop) -> None:
    ada = Person(office.app, "c-1")
    page = ada.get("help")
    shown = body(page.text)
    assert "Ask us to call you" in shown
    assert "Tue, Jan 5, 11:00 AM – 12:00 PM" in shown
    form = {**hidden_fields(page.text), "slot": first_slot(ada), "do": "ask"}
    address = "/checkout-case/help/callback"
    again = ada.http.post(
        address, {**form, "phone": "1", "about": "Soon"}, headers=ORIGIN, status=400
    )
    assert "This phone number can't be right." in body(again.text)
    assert "Soon" in again.text
    ada.http.post(address, {**form, "phone": PHONE}, headers=ORIGIN, status=303)
    told = body(ada.get("help").text)
    assert "We will call you Tue, Jan 5, 11:00 AM – 12:00 PM New York · Eastern Time" in told
    assert PHONE in told
    ada.http.post(address, {**form, "do": "cancel"}, headers=ORIGIN, status=303)
    assert "We will call you" not in ada.get("help").text
    ada.http.post(address, {**form, "checkout_case_csrf": "no"}, headers=ORIGIN, status=403)


def test_a_phone_number_is_in_no_log(office: Shop, caplog: pytest.LogCaptureFixture) -> None:
    ada = Person(office.app, "c-1")
    slot = first_slot(ada)
    runtime = runtime_of(office)
    with caplog.at_level("DEBUG"):
        ask(ada, slot=slot)
        with runtime.database.engine.begin() as connection:
            CallbackRow.__table__.drop(connection)  # type: ignore[attr-defined]
        ask(ada, slot=slot, status="*", phone="+1 212 555 0199")
    assert "555-01" not in caplog.text


def test_the_promise_ends_with_its_case(office: Shop) -> None:
    ada = Person(office.app, "c-1")
    ask(ada, slot=first_slot(ada))
    (case,) = cases_of(office, checkout_ref="c-1")
    with office.app.app_context():
        office.cases.solve(case.reference)
    assert ada.get("panel").json["call"] is None
    runtime_of(office).clock = lambda: NOW + timedelta(hours=1)
    assert sweep(runtime_of(office)).calls == 0
