"""The bag."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from . import baskets
from .extensions import announce_writing, db
from .models import Basket, Coupon, Product
from .pricing import dollars, refusal_of, totals_of
from .support import track

bp = Blueprint("cart", __name__, url_prefix="/bag")


@bp.before_request
def before() -> None:
    if request.method == "POST":
        announce_writing()


@bp.get("")
def view() -> str:
    basket = baskets.current()
    return render_template(
        "checkout/cart.html", basket=basket, totals=totals_of(basket) if basket else None
    )


@bp.post("/add/<slug>")
def add(slug: str) -> Response:
    product = db.session.scalar(select(Product).where(Product.slug == slug))
    if product is None:
        abort(404)
    baskets.add(product, request.form.get("quantity", 1, int))
    db.session.commit()
    flash(f"{product.name} is in your bag.", "notice")
    return redirect(url_for("cart.view"), 303)


@bp.post("/line/<int:line_id>")
def change(line_id: int) -> Response:
    basket = baskets.current()
    if basket is not None:
        quantity = 0 if "remove" in request.form else request.form.get("quantity", 1, int)
        baskets.change(basket, line_id, quantity)
        db.session.commit()
    return redirect(url_for("cart.view"), 303)


@bp.post("/coupon")
def coupon() -> Response:
    """Take a coupon from the bag or from the checkout, and go back there."""
    basket = baskets.current()
    back = url_for("checkout.payment" if request.form.get("from") == "payment" else "cart.view")
    if basket is None:
        return redirect(back, 303)
    if "remove" in request.form:
        basket.coupon = None
    else:
        _take_coupon(basket, request.form.get("code", "").strip()[:40])
    db.session.commit()
    return redirect(back, 303)


def _take_coupon(basket: Basket, code: str) -> None:
    if not code:
        return
    found = db.session.scalar(select(Coupon).where(func.lower(Coupon.code) == code.lower()))
    refusal = refusal_of(found, totals_of(basket).subtotal)
    if refusal is None:
        basket.coupon = found
        return
    reasons = {
        "unknown": "We don't know that code.",
        "expired": "That code has expired.",
        "minimum": f"That code is for orders from {dollars(found.minimum_minor)}." if found else "",
    }
    flash(reasons[refusal], "problem")
    track("coupon_rejected", basket, code=code, reason=refusal)
