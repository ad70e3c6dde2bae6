"""The shop's pages: window, bag, checkout, accounts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from webtest import TestApp

from example_store.catalogue import CATEGORIES, items
from example_store.extensions import db
from example_store.models import Basket, Order, PaymentAttempt, Product
from example_store.seed import seed
from tests.support.store import LocalStripe

from .steps import add, fill_contact, fill_shipping, pay, sign_in, to_payment

PAGES = ["/", "/collection", "/service", "/bag", "/account/login", "/account/register"]


@pytest.mark.parametrize("path", [*PAGES, *(f"/collection/{key}" for key in CATEGORIES)])
def test_pages_open_under_a_strict_policy(visitor: TestApp, path: str) -> None:
    page = visitor.get(path)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "style=" not in page.text
    assert page.html.find("main") is not None


def test_every_product_has_a_page_and_a_picture(visitor: TestApp) -> None:
    for item in items():
        page = visitor.get(f"/product/{item.slug}")
        picture = page.html.select_one("figure img")
        assert visitor.get(picture["src"]).content_type == "image/svg+xml"
    assert len(items()) >= 18
    prices = [item.price_minor for item in items()]
    assert min(prices) < 500_000 < max(prices)


def test_unknown_pages(visitor: TestApp) -> None:
    for path in ("/collection/cars", "/product/none", "/nothing", "/checkout/confirmation/MC-1"):
        assert "can't find" in visitor.get(path, status=404).text


def test_from_bag_to_order(visitor: TestApp, app: Flask) -> None:
    page = to_payment(visitor, "ines-tote", 2)
    assert "$2,960" in page.html.select_one("#total").text
    thanks = pay(page).follow()
    number = thanks.html.select_one("#order-number").text
    assert "Visa ending in 4242" in thanks.text
    with app.app_context():
        order = db.session.query(Order).filter_by(number=number).one()
        assert (order.total_minor, order.email) == (296_000, "ada@example.com")
        assert order.lines[0]["quantity"] == 2
        assert db.session.query(Product).filter_by(slug="ines-tote").one().stock == 30
    assert "nothing in it yet" in visitor.get("/bag").text


def test_a_decline_keeps_the_bag_and_another_card_pays(visitor: TestApp, app: Flask) -> None:
    page = to_payment(visitor)
    declined = pay(page, "pm_card_chargeDeclinedInsufficientFunds")
    assert declined.status_int == 402
    assert "Your bank didn't approve this payment" in declined.text.replace("&#39;", "'")
    assert "insufficient" not in declined.text
    assert "Ines tote" in declined.text
    assert pay(declined).status_int == 303
    with app.app_context():
        statuses = [row.status for row in db.session.query(PaymentAttempt).order_by("id")]
        assert statuses == ["failed", "succeeded"]
        intents = {row.payment_intent for row in db.session.query(PaymentAttempt)}
        assert len(intents) == 1


def test_why_a_bank_refused_is_not_told_apart(visitor: TestApp) -> None:
    page = to_payment(visitor)
    aliases = ("LostCard", "StolenCard", "Fraudulent", "VelocityLimitExceeded", "")
    seen = set()
    for alias in aliases:
        page = pay(page, f"pm_card_chargeDeclined{alias}")
        seen.add(str(page.html.select_one("#payment-problem")))
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("alias", "word"),
    [
        ("pm_card_chargeDeclinedExpiredCard", "expired"),
        ("pm_card_chargeDeclinedIncorrectCvc", "security code"),
        ("pm_card_chargeDeclinedProcessingError", "technical problem"),
    ],
)
def test_what_the_customer_can_mend_is_said(visitor: TestApp, alias: str, word: str) -> None:
    declined = pay(to_payment(visitor), alias)
    assert word in declined.html.select_one("#payment-problem").text


def test_a_rolled_back_decline_leaves_no_attempt(make_shop: Callable[..., Flask]) -> None:
    app = make_shop(STORE_ROLLBACK_ON_DECLINE=True)
    visitor = TestApp(app)
    declined = pay(to_payment(visitor), "pm_card_chargeDeclined")
    assert declined.status_int == 402
    with app.app_context():
        assert db.session.query(PaymentAttempt).count() == 0
        assert db.session.query(Basket).one().payment_intent is not None
    assert pay(declined).status_int == 303


def test_a_challenge_is_handed_to_the_page(
    visitor: TestApp, app: Flask, local_stripe: LocalStripe
) -> None:
    page = pay(to_payment(visitor), "pm_card_authenticationRequired")
    assert page.status_int == 200
    form = page.html.select_one("#payment-form")
    intent = form["data-client-secret"].split("_secret_")[0]
    bank = f"{local_stripe.url}/3d-secure/{intent}"
    requests.post(bank, data={"answer": "fail"}, timeout=5)
    failed = visitor.get(form["data-return"], status=402)
    assert "confirm that it" in failed.text
    again = pay(failed, "pm_card_threeDSecure2Required")
    requests.post(bank, data={"answer": "complete"}, timeout=5)
    thanks = visitor.get(again.html.select_one("#payment-form")["data-return"]).follow()
    assert "Thank you" in thanks.text


def test_stripe_away_is_not_a_decline(make_shop: Callable[..., Flask]) -> None:
    app = make_shop()
    visitor = TestApp(app)
    page = to_payment(visitor)
    pay(page, "pm_card_chargeDeclined")
    app.config["STRIPE_API_BASE"] = "http://127.0.0.1:9"
    trouble = pay(visitor.get("/checkout/payment"))
    assert trouble.status_int == 402
    assert "technical problem" in trouble.html.select_one("#payment-problem").text


def test_steps_come_in_order(visitor: TestApp) -> None:
    assert visitor.get("/checkout").location.endswith("/checkout/contact")
    assert visitor.get("/checkout/contact").location.endswith("/bag")
    add(visitor, "ines-tote")
    assert visitor.get("/checkout/payment").location.endswith("/checkout/shipping")
    assert visitor.get("/checkout/shipping").location.endswith("/checkout/contact")


def test_forms_say_what_is_wrong_and_keep_what_was_typed(visitor: TestApp) -> None:
    add(visitor, "ines-tote")
    form = visitor.get("/checkout/contact").forms["contact-form"]
    form["email"], form["name"] = "ada", "Ada"
    page = form.submit(status=422)
    assert page.html.select_one("#email-error").text.startswith("Enter an e-mail")
    assert page.forms["contact-form"]["email"].value == "ada"
    fill_contact(visitor)
    refused = fill_shipping(visitor, "GL")
    assert refused.status_int == 422
    assert "couriers" in refused.html.select_one("#country-error").text


def test_delivery_costs_and_coupons(visitor: TestApp) -> None:
    page = add(visitor, "arlo-card-holder")
    page = _use_coupon(visitor, "WELCOME10")
    assert "from $200" in page.text
    assert "expired" in _use_coupon(visitor, "SUMMER25").text
    assert "know that code" in _use_coupon(visitor, "nonsense").text
    add(visitor, "arlo-card-holder")
    page = _use_coupon(visitor, "welcome10")
    assert "$342" in page.html.select_one("#total").text
    fill_contact(visitor)
    page = fill_shipping(visitor, shipping_method="express").follow()
    assert "$377" in page.html.select_one("#total").text


def _use_coupon(visitor: Any, code: str) -> Any:
    page = visitor.get("/bag")
    form = next(form for form in page.forms.values() if form.action.endswith("/bag/coupon"))
    form["code"] = code
    return form.submit().follow()


def test_too_few_in_stock(visitor: TestApp) -> None:
    add(visitor, "dorian-watch-roll", 2)
    fill_contact(visitor)
    page = fill_shipping(visitor).follow().follow()
    assert "only 1 of Dorian watch roll left" in page.text


def test_lines_are_changed_and_removed(visitor: TestApp) -> None:
    page = add(visitor, "ines-tote")
    form = next(form for form in page.forms.values() if "/bag/line/" in form.action)
    form["quantity"] = 3
    page = form.submit().follow()
    assert "$4,440" in page.html.select_one("#total").text
    form = next(form for form in page.forms.values() if "/bag/line/" in form.action)
    assert "nothing in it yet" in form.submit("remove").follow().text


def test_forged_forms_are_refused(visitor: TestApp) -> None:
    page = visitor.post("/bag/add/ines-tote", {"quantity": "1"}, status=400)
    assert "open for too long" in page.text
    assert "nothing in it yet" in visitor.get("/bag").text


def test_an_account_is_made_and_signs_in_and_out(visitor: TestApp) -> None:
    form = visitor.get("/account/register").forms["register-form"]
    form["name"], form["email"], form["password"] = "Ada Byron", "ada@new.example", "short"
    assert "8 characters" in form.submit(status=422).text
    form["password"] = "a longer one"
    page = form.submit().follow()
    assert "Welcome, Ada Byron" in page.text
    page.forms[0].submit()
    assert visitor.get("/account/orders").location.endswith("next=/account/orders")


def test_orders_belong_to_their_customer(visitor: TestApp, app: Flask) -> None:
    sign_in(visitor, "ada.whitfield@mail.example")
    number = pay(to_payment(visitor)).location.rsplit("/", 1)[-1]
    assert number in visitor.get("/account/orders").text
    assert number in visitor.get(f"/account/orders/{number}").text
    other = TestApp(app)
    other.get(f"/account/orders/{number}", status=404)
    sign_in(other, "noah.brandt@mail.example")
    other.get(f"/account/orders/{number}", status=404)
    other.get(f"/checkout/confirmation/{number}", status=404)


def test_the_staff_page_is_for_the_staff(visitor: TestApp, app: Flask) -> None:
    assert "/account/login" in visitor.get("/staff").location
    sign_in(visitor, "ada.whitfield@mail.example")
    visitor.get("/staff", status=403)
    member = TestApp(app)
    page = sign_in(member, "lin.okafor@corvane.example").follow()
    assert page.html.select_one("#workspace")["href"] == "/checkout-case/agent/"


@pytest.mark.parametrize("target", ["//evil.example", "https:evil.example", "/\\evil.example"])
def test_signing_in_leads_nowhere_else(visitor: TestApp, target: str) -> None:
    form = visitor.get("/account/login", {"next": target}).forms["login-form"]
    form["email"], form["password"] = "ada.whitfield@mail.example", "corvane-demo"
    assert "evil" not in form.submit().location


def test_a_wrong_password_is_refused(visitor: TestApp) -> None:
    form = visitor.get("/account/login").forms["login-form"]
    form["email"], form["password"] = "ada.whitfield@mail.example", "wrong"
    assert "don't go together" in form.submit(status=422).text.replace("&#39;", "'")


def test_seeding_twice_changes_nothing(app: Flask) -> None:
    with app.app_context():
        before = db.session.query(Product).count()
        seed()
        assert db.session.query(Product).count() == before == len(items())


def test_the_pictures_are_those_that_the_code_draws() -> None:
    from example_store.drawing.catalogue import PICTURES

    folder = Path(__file__).parents[2] / "example_store" / "static" / "products"
    assert {item.slug for item in items()} == set(PICTURES)
    for name, draw in PICTURES.items():
        assert (folder / f"{name}.svg").read_text(encoding="utf-8") == draw()
