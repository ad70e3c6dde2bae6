"""The checkout: contact, shipping, payment, confirmation."""

from __future__ import annotations

from typing import Any, TypeAlias

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from . import baskets, changes, forms, klarna, orders, payments, pricing
from .extensions import announce_writing, db
from .models import Basket, Order, now
from .support import track

bp = Blueprint("checkout", __name__, url_prefix="/checkout")
STEPS = ("contact", "shipping", "payment")
Page: TypeAlias = str | Response | tuple[str, int]


@bp.before_request
def before() -> None:
    if request.method == "POST" or request.endpoint != "checkout.confirmation":
        announce_writing()


@bp.get("")
def start() -> Response:
    return redirect(url_for("checkout.contact"), 303)


@bp.get("/contact")
def contact() -> Page:
    basket = baskets.current()
    if basket is None:
        return redirect(url_for("cart.view"), 303)
    _enter(basket, "contact")
    return _page("contact", basket)


@bp.post("/contact")
def save_contact() -> Page:
    basket = baskets.current()
    if basket is None:
        return redirect(url_for("cart.view"), 303)
    answers = forms.read_contact(request.form)
    if answers.errors:
        return _corrected("contact", basket, answers)
    for name, value in answers.values.items():
        setattr(basket, name, value or None)
    return _complete(basket, "contact", "shipping")


@bp.get("/shipping")
def shipping() -> Page:
    basket = baskets.current()
    if basket is None or not basket.email:
        return redirect(url_for("checkout.contact"), 303)
    _enter(basket, "shipping")
    return _page("shipping", basket)


@bp.post("/shipping")
def save_shipping() -> Page:
    basket = baskets.current()
    if basket is None or not basket.email:
        return redirect(url_for("checkout.contact"), 303)
    answers = forms.read_shipping(request.form)
    if answers.values["country"] in pricing.UNDELIVERABLE:
        answers.errors["country"] = "Our couriers can't deliver there at the moment."
        track("checkout_error", basket, reason="no_shipping_rate", message="no courier has a rate")
    if answers.errors:
        return _corrected("shipping", basket, answers)
    for name, value in answers.values.items():
        setattr(basket, name, value or None)
    return _complete(basket, "shipping", "payment")


@bp.get("/payment")
def payment() -> Page:
    basket = baskets.current()
    if basket is None or not basket.shipping_method:
        return redirect(url_for("checkout.shipping"), 303)
    if (refused := _out_of_stock(basket)) is not None:
        return refused
    _enter(basket, "payment")
    return _page("payment", basket)


@bp.post("/payment")
def pay() -> Page:
    """Charge the card. A decline shows this step again, with status 402 and the bag untouched."""
    basket = baskets.current()
    if basket is None or not basket.shipping_method:
        return redirect(url_for("cart.view"), 303)
    if (refused := _out_of_stock(basket)) is not None:
        return refused
    method = request.form.get("payment_method", "")
    if not method.startswith("pm_"):
        return _page("payment", basket, problem="Please enter your card."), 422
    track("payment_info_entered", basket, method="card")
    return _finish(basket, payments.charge(basket, method))


@bp.get("/payment/return")
def payment_return() -> Page:
    """Go on after the customer's bank has asked its question."""
    basket = baskets.current()
    if basket is None:
        return _already_ordered()
    return _finish(basket, payments.result_of(basket))


@bp.post("/payment/klarna")
def pay_with_klarna() -> Page:
    """Send the customer to Klarna, which decides whether they may pay later."""
    basket = baskets.current()
    if basket is None or not basket.shipping_method or not klarna.is_offered():
        return redirect(url_for("cart.view"), 303)
    if (refused := _out_of_stock(basket)) is not None:
        return refused
    track("payment_info_entered", basket, method="klarna")
    return _finish(basket, klarna.begin(basket))


@bp.get("/payment/klarna/return")
def klarna_return() -> Page:
    """Go on after the customer has decided at Klarna."""
    basket = baskets.current()
    if basket is None:
        return _already_ordered()
    return _finish(basket, klarna.end(basket, request.args.get("redirectResult", "")))


@bp.get("/confirmation/<number>")
def confirmation(number: str) -> str:
    order = changes.of_number(number)
    if order is None or not may_see(order):
        abort(404)
    return render_template("checkout/confirmation.html", order=order)


def _finish(basket: Basket, result: payments.Result) -> Page:
    if result.status == "paid":
        track("checkout_step_completed", basket)
        order = orders.complete(basket, result)
        _remember(order)
        return redirect(url_for("checkout.confirmation", number=order.number), 303)
    if result.status == "redirect":
        db.session.commit()
        return redirect(result.url, 303)
    if result.status == "challenge":
        db.session.commit()
        return _page("payment", basket, client_secret=result.client_secret)
    if result.message == payments.UNREACHABLE:
        track("checkout_error", basket, reason="payment_unreachable", message="no answer")
    return _page("payment", basket, problem=result.message), 402


def _already_ordered() -> Page:
    """The webhook was faster than the customer's browser."""
    basket = baskets.latest()
    order = orders.of_basket(basket.ref) if basket else None
    if order is None:
        return redirect(url_for("cart.view"), 303)
    _remember(order)
    return redirect(url_for("checkout.confirmation", number=order.number), 303)


def _remember(order: Order) -> None:
    baskets.note_order(order.number)
    baskets.forget()


def may_see(order: Order) -> bool:
    """Whether this browser may see an order: its owner is logged in, or it was bought here."""
    owner = baskets.account()
    mine = owner is not None and order.account_id == owner.id
    return mine or order.number in baskets.noted_orders()


def _enter(basket: Basket, step: str) -> None:
    """Note that the customer has come to a step."""
    first = basket.started_at is None
    basket.step = step
    if first:
        basket.started_at = now()
    db.session.commit()
    if first:
        track("checkout_started", basket)
    track("checkout_step_viewed", basket)


def _complete(basket: Basket, step: str, following: str) -> Response:
    basket.step = step
    db.session.commit()
    track("checkout_step_completed", basket)
    return redirect(url_for(f"checkout.{following}"), 303)


def _corrected(step: str, basket: Basket, answers: forms.Answers) -> tuple[str, int]:
    track("validation_shown", basket, fields=sorted(answers.errors))
    return _page(step, basket, values=answers.values, errors=answers.errors), 422


def _out_of_stock(basket: Basket) -> Response | None:
    line = baskets.short_line(basket)
    if line is None:
        return None
    left = line.product.stock
    track(
        "stock_short", basket, sku=line.product.sku, available=left, reason="fewer_than_asked_for"
    )
    flash(
        f"We have only {left} of {line.product.name} left. Please change your bag."
        if left
        else f"{line.product.name} has just been sold. Please change your bag.",
        "problem",
    )
    return redirect(url_for("cart.view"), 303)


def _page(step: str, basket: Basket, **more: Any) -> str:
    # A rolled back session has let go of the basket's rows; they are read again here.
    context: dict[str, Any] = {"values": {}, "errors": {}, "problem": None, "client_secret": None}
    return render_template(
        f"checkout/{step}.html",
        step=step,
        steps=STEPS,
        basket=basket,
        totals=pricing.totals_of(basket),
        countries=pricing.COUNTRIES,
        methods=pricing.METHODS,
        klarna_offered=klarna.is_offered(),
        stripe_js=current_app.config["STRIPE_JS_URL"],
        stripe_key=current_app.config["STRIPE_PUBLISHABLE_KEY"],
        **{**context, **more},
    )
