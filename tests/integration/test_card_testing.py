"""Somebody tries cards: one case for all of it, and nothing that tells them so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest
from flask import request
from flask.typing import ResponseReturnValue
from webtest import TestApp

from flask_checkout_case import CaseInfo, Customer, IncidentInfo, signals
from flask_checkout_case.data.models import EventRow, OutboxRow
from flask_checkout_case.rules.velocity import TRIES
from flask_checkout_case.services import incident_source
from tests.support.desk import Desk, body, open_desk
from tests.support.due import MINUTE, Clock, checkout, set_clock, work
from tests.support.shop import Shop
from tests.support.storm import case_rows, count, incidents, members, pays, queued, refs
from tests.support.widget import Person, furnish

MANY = 60


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return open_desk(make_app)


@pytest.fixture
def clock(shop: Shop) -> Clock:
    return set_clock(shop)


@pytest.fixture(autouse=True)
def _known_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incident_source, "FRESH_FOR", 0.0)


def tries(shop: Shop, clock: Clock, names: Iterable[str], **told: Any) -> None:
    """Let cards be tried in these checkouts, each with a card of its own."""
    with shop.app.app_context():
        for ref in names:
            given = {
                "provider": "stripe",
                "failure_code": "card_declined",
                "decline_code": "generic_decline",
                "attempt_id": f"ch-{ref}-{count(shop, EventRow)}",
                "client_address": "192.0.2.7",
                **told,
            }
            buyer = Customer(ref=given.pop("customer", "42"), name="Ada")
            signals.payment_failed.send(
                shop.app, checkout=checkout(ref, "2.00", customer=buyer), at=clock(), **given
            )
            shop.cases.flush()


def look(shop: Shop, clock: Clock, after: timedelta = timedelta(seconds=5)) -> None:
    clock.pass_by(after)
    work(shop)


def cases(shop: Shop, **wanted: Any) -> list[CaseInfo]:
    with shop.app.app_context():
        return shop.cases.find(**wanted)


def test_who_tries_cards_is_one_case_of_fraud_without_a_clock(shop: Shop, clock: Clock) -> None:
    told: list[IncidentInfo] = []
    signals.incident_opened.connect(lambda _app, incident: told.append(incident), weak=False)
    tries(shop, clock, refs("bot", MANY))
    look(shop, clock)
    look(shop, clock)
    (incident,) = incidents(shop)
    assert (incident.kind, incident.members, len(members(shop))) == ("card_testing", MANY, MANY)
    (row,) = queued(shop)
    assert (row.category, row.team, row.due_at) == ("fraud", "risk", None)
    assert row.subject == "Cards are tested from one address · 60 failed attempts"
    assert [one.kind for one in told] == ["card_testing"]
    with shop.app.app_context():
        assert shop.cases.open_incidents() == [], "the storefront must not show it"


def test_nobody_who_tries_cards_is_written_to(shop: Shop, clock: Clock) -> None:
    tries(shop, clock, refs("bot", MANY))
    for _ in range(5):
        look(shop, clock, 10 * MINUTE)
    assert count(shop, OutboxRow) == 0


def test_what_they_read_is_what_everybody_reads(make_app: Callable[..., Shop]) -> None:
    shop = furnish(make_app())
    clock = set_clock(shop)
    tries(shop, clock, ["ada"], client_address="198.51.100.1")
    tries(shop, clock, refs("bot", MANY))
    before = Person(shop.app, "bot-7", who="42").get("panel").json
    look(shop, clock)
    assert case_rows(shop)["bot-7"].folded_into is not None
    panels = [Person(shop.app, ref, who="42").get("panel").json for ref in ("ada", "bot-7")]
    for panel in (before, *panels):
        panel.pop("mark")
    assert panels[0]["failure"] == panels[1]["failure"] == before["failure"]


def test_it_goes_on_to_hold_what_they_try(shop: Shop, clock: Clock) -> None:
    tries(shop, clock, refs("bot", TRIES))
    look(shop, clock)
    for number in range(3):
        tries(shop, clock, [f"more-{number}"])
        look(shop, clock, MINUTE)
    (incident,) = incidents(shop)
    assert (incident.members, len(queued(shop))) == (TRIES + 3, 1)


def test_it_is_over_when_it_has_been_quiet_and_leaves_no_case_behind(
    shop: Shop, clock: Clock
) -> None:
    tries(shop, clock, refs("bot", TRIES))
    look(shop, clock)
    for _ in range(6):
        look(shop, clock, 5 * MINUTE)
    (incident,) = incidents(shop)
    assert incident.resolved_at is not None
    assert incident.finished_at is not None
    left = {case.status for case in cases(shop, category="payment_declined")}
    outcomes = {case.outcome for case in cases(shop, category="payment_declined")}
    assert (left, outcomes) == ({"closed"}, {"spam"})
    assert len(queued(shop)) == 1, "what to do about it is for a human to say"


def test_who_writes_is_heard(shop: Shop, clock: Clock) -> None:
    tries(shop, clock, refs("bot", TRIES))
    look(shop, clock)
    folded = case_rows(shop)["bot-3"].reference
    with shop.app.app_context():
        shop.cases.customer_message(folded, "Why is my card refused?")
    look(shop, clock, MINUTE)
    assert folded in [row.reference for row in queued(shop)]


def test_who_tries_cards_makes_no_outage(shop: Shop, clock: Clock) -> None:
    pays(shop, refs("ok", 20))
    for name in refs("bot", MANY):
        tries(shop, clock, [name], customer=f"k-{name}")
    look(shop, clock)
    assert [one.kind for one in incidents(shop)] == ["card_testing"]


def test_an_office_that_buys_is_left_alone(shop: Shop, clock: Clock) -> None:
    with shop.app.app_context():
        for ref in refs("office", 40):
            signals.payment_succeeded.send(
                shop.app,
                checkout=checkout(ref),
                provider="stripe",
                at=clock(),
                client_address="192.0.2.7",
            )
        shop.cases.flush()
    tries(shop, clock, refs("unlucky", 8))
    look(shop, clock)
    assert incidents(shop) == []


def test_addresses_of_one_network_are_one_source(shop: Shop, clock: Clock) -> None:
    for number, ref in enumerate(refs("bot", TRIES)):
        tries(shop, clock, [ref], client_address=f"2001:db8:1:2::{number:x}")
    look(shop, clock)
    assert [one.members for one in incidents(shop)] == [TRIES]


def test_it_can_be_switched_off(make_app: Callable[..., Shop], tmp_path: Any) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(
        '[teams.payments]\nname = "Payments"\n[card_testing]\nenabled = false\n'
        '[[routes]]\nname = "all"\nteam = "payments"\n'
    )
    shop = open_desk(make_app, CHECKOUT_CASE_POLICY=str(policy))
    clock = set_clock(shop)
    tries(shop, clock, refs("bot", MANY))
    look(shop, clock)
    assert incidents(shop) == []


def test_an_address_is_never_kept(shop: Shop, clock: Clock) -> None:
    tries(shop, clock, ["ada"])
    with shop.app.extensions["checkout_case"].read() as session:
        (row,) = session.query(EventRow).all()
    assert "192.0.2.7" not in str(row.data)
    assert "client_address" not in row.data
    assert len(row.data["client"]) == 16


def test_the_address_is_that_of_the_customers_request(shop: Shop) -> None:
    @shop.app.post("/pay")
    def pay() -> ResponseReturnValue:
        signals.payment_failed.send(
            shop.app, checkout=checkout(request.form["ref"]), failure_code="card_declined"
        )
        return "declined", 402

    browser = TestApp(shop.app, extra_environ={"REMOTE_ADDR": "192.0.2.7"})
    browser.set_cookie("bag", "1")
    browser.post("/pay", {"ref": "ada"}, status=402)
    # A gateway that calls a webhook of the shop's own has no cookies.
    gateway = TestApp(shop.app, extra_environ={"REMOTE_ADDR": "203.0.113.9"})
    gateway.post("/pay", {"ref": "bob"}, status=402)
    with shop.app.app_context():
        shop.cases.flush()
    with shop.app.extensions["checkout_case"].read() as session:
        known = {row.checkout_ref: row.data.get("client") for row in session.query(EventRow)}
    assert known["ada"]
    assert known["bob"] is None


def test_its_case_says_what_to_do(shop: Shop, clock: Clock) -> None:
    tries(shop, clock, refs("bot", TRIES))
    look(shop, clock)
    (row,) = queued(shop)
    page = body(Desk(shop, "boss").get(f"cases/{row.reference}").text)
    assert "Block it at your gateway" in page
    assert "15 checkouts were hit" in page
