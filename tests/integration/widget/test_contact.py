"""The customer of a large cart is told who looks after them; a suspect learns nothing by it."""

from __future__ import annotations

from typing import Any

from flask_checkout_case import Money
from flask_checkout_case.services import cases
from flask_checkout_case.services.staff import remember_agent
from flask_checkout_case.types import Checkout
from tests.support.desk import BOSS, runtime_of
from tests.support.shop import Shop
from tests.support.widget import Person, cases_of, fail

NAME = "Noor Haddad"


def take(shop: Shop, checkout_ref: str) -> None:
    remember_agent(runtime_of(shop), BOSS)
    (case,) = cases_of(shop, checkout_ref=checkout_ref)
    cases.take(runtime_of(shop), case.reference, agent=BOSS, version=case.version)


def test_the_contact_is_named_as_soon_as_there_is_one(shop: Shop) -> None:
    ada = Person(shop.app, "c-1")
    posted = ada.write("Hello?")
    assert posted.json["contact"] is None
    assert "Your contact" not in ada.get("help").text
    before = ada.get("poll").headers["ETag"]
    take(shop, "c-1")
    news = ada.get("poll", headers={"If-None-Match": before}, status=200).json
    assert news["contact"] == ada.get("panel").json["contact"] == f"Your contact: {NAME}"
    assert f"Your contact: {NAME}" in ada.get("help").text
    (case,) = cases_of(shop, checkout_ref="c-1")
    with shop.app.app_context():
        shop.cases.solve(case.reference)
    assert ada.get("panel").json["contact"] is None


def test_other_carts_have_no_contact(shop: Shop) -> None:
    @shop.cases.checkout_loader
    def load_checkout() -> Checkout:
        return Checkout(ref="c-1", value=Money("5000.00", "USD"))

    ada = Person(shop.app)
    ada.write("Hello?")
    take(shop, "c-1")
    assert ada.get("panel").json["contact"] is None


def test_somebody_else_has_no_contact(shop: Shop) -> None:
    Person(shop.app, "c-1", "ada").write("Hello?")
    take(shop, "c-1")
    assert Person(shop.app, "c-1", "eve").get("panel").json["contact"] is None


def _seen(shop: Shop, ref: str) -> dict[str, Any]:
    seen: dict[str, Any] = Person(shop.app, ref).get("panel").json
    return {name: value for name, value in seen.items() if name != "mark"}


def test_a_suspected_fraud_reads_like_a_plain_decline_that_nobody_has(shop: Shop) -> None:
    fail(shop, "plain", "do_not_honor")
    fail(shop, "thief", "fraudulent")
    take(shop, "thief")
    assert _seen(shop, "thief") == _seen(shop, "plain")
    take(shop, "plain")
    assert _seen(shop, "plain")["contact"] == f"Your contact: {NAME}"
    assert _seen(shop, "thief")["contact"] is None


def test_nothing_shows_when_a_suspected_fraud_is_taken(shop: Shop) -> None:
    fail(shop, "thief", "fraudulent")
    thief = Person(shop.app, "thief")
    thief.write("Why is that?")
    before = thief.get("poll").headers["ETag"]
    page = thief.get("help").text
    take(shop, "thief")
    thief.get("poll", headers={"If-None-Match": before}, status=304)
    assert NAME not in thief.get("help").text
    assert len(thief.get("help").text) == len(page)


def test_a_contact_goes_when_the_decline_turns_out_to_be_fraud(shop: Shop) -> None:
    fail(shop, "c-1", "do_not_honor")
    take(shop, "c-1")
    fail(shop, "c-1", "stolen_card")
    assert _seen(shop, "c-1")["contact"] is None
