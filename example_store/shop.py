"""The shop window: home, categories, products, service pages."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from . import baskets
from .catalogue import CATEGORIES
from .extensions import db
from .models import Product
from .support import track

bp = Blueprint("shop", __name__)
STEPS = ("contact", "shipping", "payment")
_FEATURED = ("marlow-weekender", "meridian-moonphase", "ines-tote", "alba-table-lamp")


@bp.get("/")
def home() -> str:
    featured = {
        product.slug: product
        for product in db.session.scalars(select(Product).where(Product.slug.in_(_FEATURED)))
    }
    newest = db.session.scalars(select(Product).order_by(Product.rank).limit(8)).all()
    return render_template(
        "shop/home.html",
        featured=[featured[slug] for slug in _FEATURED if slug in featured],
        newest=newest,
    )


@bp.get("/collection")
def collection() -> str:
    products = db.session.scalars(select(Product).order_by(Product.rank)).all()
    return render_template("shop/category.html", category=None, products=products)


@bp.get("/collection/<key>")
def category(key: str) -> str:
    if key not in CATEGORIES:
        abort(404)
    products = db.session.scalars(
        select(Product).where(Product.category == key).order_by(Product.rank)
    ).all()
    return render_template("shop/category.html", category=CATEGORIES[key], products=products)


@bp.get("/product/<slug>")
def product(slug: str) -> str:
    found = db.session.scalar(select(Product).where(Product.slug == slug))
    if found is None:
        abort(404)
    others = db.session.scalars(
        select(Product)
        .where(Product.category == found.category, Product.id != found.id)
        .order_by(Product.rank)
        .limit(4)
    ).all()
    return render_template(
        "shop/product.html", product=found, others=others, category=CATEGORIES[found.category]
    )


@bp.get("/service")
def service() -> str:
    basket = baskets.current()
    if basket is not None and basket.started_at is not None:
        track("policy_viewed", basket)
    return render_template("shop/service.html")


@bp.post("/observation")
def observation() -> Response:
    """Keep whether this visitor lets us notice where the checkout is hard on them."""
    session["observed"] = request.form.get("allowed") == "yes"
    step = request.form.get("step")
    return redirect(url_for(f"checkout.{step if step in STEPS else STEPS[0]}"), 303)
