"""Paying what a change of an order costs more."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from . import changes, checkout, payments
from .extensions import announce_writing
from .models import Order

bp = Blueprint("extra", __name__, url_prefix="/checkout/change")
_PAID = "Thank you: it is paid, and your change goes to the warehouse."
_TOO_LATE = "It was too late for this change. You get your money back."
Page = str | Response | tuple[str, int]


@bp.get("/<change_id>/pay")
def pay(change_id: str) -> Page:
    order, extra = _find(change_id)
    if extra is None:
        return _back(order)
    return _page(order, extra)


@bp.post("/<change_id>/pay")
def charge(change_id: str) -> Page:
    """Charge the card, while the customer is there; a decline shows the page again."""
    announce_writing()
    order, extra = _find(change_id)
    if extra is None:
        return _back(order)
    method = request.form.get("payment_method", "")
    if not method.startswith("pm_"):
        return _page(order, extra, problem="Please enter your card."), 422
    return _finish(order, extra, payments.charge_extra(order, extra, method))


@bp.get("/<change_id>/paid")
def returned(change_id: str) -> Page:
    """Go on after the customer's bank has asked its question."""
    announce_writing()
    order, extra = _find(change_id)
    if extra is None:
        # The webhook was faster than the customer's browser.
        flash(_PAID if order.extra_payments else _TOO_LATE, "info")
        return _back(order)
    return _finish(order, extra, payments.result_of_extra(order, extra))


def _finish(order: Order, extra: payments.Extra, result: payments.Result) -> Page:
    if result.status == "paid":
        goes_on = changes.paid(order, extra.change_id, result.intent, extra)
        flash(_PAID if goes_on else _TOO_LATE, "info" if goes_on else "problem")
        return _back(order)
    if result.status == "challenge":
        return _page(order, extra, client_secret=result.client_secret)
    return _page(order, extra, problem=result.message), 402


def _find(change_id: str) -> tuple[Order, payments.Extra | None]:
    order, extra = changes.to_pay(change_id)
    if order is None or not checkout.may_see(order):
        abort(404)
    return order, extra


def _back(order: Order) -> Response:
    return redirect(url_for("checkout.confirmation", number=order.number), 303)


def _page(
    order: Order,
    extra: payments.Extra,
    *,
    problem: str | None = None,
    client_secret: str | None = None,
) -> str:
    return render_template(
        "checkout/extra.html",
        order=order,
        extra=extra,
        problem=problem,
        client_secret=client_secret,
        stripe_js=current_app.config["STRIPE_JS_URL"],
        stripe_key=current_app.config["STRIPE_PUBLISHABLE_KEY"],
    )
