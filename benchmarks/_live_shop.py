"""A shop with many checkouts alive: the widget's fetches are answered by us, or by next to nothing.

Both walk the same checkout page of about 20 ms: it reads the basket, writes that it was looked at,
renders a page, and waits for somebody else's service.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from typing import Final

from flask import Flask, render_template_string, request
from flask.typing import ResponseReturnValue
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import insert
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.middleware.proxy_fix import ProxyFix

from flask_checkout_case import Checkout, CheckoutCase, Customer, Line, Money, signals
from flask_checkout_case.services.runtime import Runtime

SERVICE_SECONDS: Final = 0.008
ROWS: Final = 1500
PAGE: Final = """<!doctype html><html lang="en"><head><title>Checkout</title></head><body>
<h1>{{ basket.step }}: {{ basket.cents }}</h1><select name="country">
{% for row in rows %}<option value="{{ row }}">Country {{ row }} &ndash; {{ basket.ref }}</option>
{% endfor %}</select></body></html>"""


def live_shop(url: str, home: Path, *, extension: bool) -> Flask:
    """Make the shop; each visitor names the basket in a cookie and comes through a proxy."""
    home.mkdir(parents=True, exist_ok=True)
    app = Flask("shop", instance_path=str(home))
    app.config.update(SECRET_KEY="benchmark", SQLALCHEMY_DATABASE_URI=url)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1)  # type: ignore[method-assign]
    db = SQLAlchemy()
    db.init_app(app)

    class Basket(db.Model):  # type: ignore[name-defined,misc]
        ref: Mapped[str] = mapped_column(primary_key=True)
        cents: Mapped[int]
        step: Mapped[str]

    class Look(db.Model):  # type: ignore[name-defined,misc]
        id: Mapped[int] = mapped_column(primary_key=True)
        ref: Mapped[str]

    def load() -> Checkout | None:
        basket = db.session.get(Basket, request.cookies.get("basket", ""))
        return read(basket.ref, basket.cents, basket.step) if basket else None

    if extension:
        cases = CheckoutCase(app, db)
        cases.checkout_loader(load)
        cases.consent_loader(lambda *_given: True)
    else:
        app.add_url_rule("/checkout-case/state", "state", lambda: ("", 204))
        app.add_url_rule("/checkout-case/signals", "told", lambda: ("", 204), methods=["POST"])
    with app.app_context():
        db.create_all()

    @app.get("/checkout", endpoint="checkout.page")
    def page() -> ResponseReturnValue:
        basket = db.session.get(Basket, request.cookies["basket"])
        assert basket is not None
        db.session.add(Look(ref=basket.ref))
        db.session.commit()
        if extension:
            seen = read(basket.ref, basket.cents, basket.step)
            signals.checkout_step_viewed.send(app, checkout=seen)
        time.sleep(SERVICE_SECONDS)
        return render_template_string(PAGE, basket=basket, rows=range(ROWS))

    def stock(checkouts: int) -> None:
        """Fill the shop with so many baskets, each a checkout that has just been entered."""
        chance = random.Random(1)
        worth = [int(min(chance.lognormvariate(10.8, 1.6), 2e6)) + 2000 for _ in range(checkouts)]
        rows = [{"ref": f"c-{at}", "cents": it, "step": "payment"} for at, it in enumerate(worth)]
        with app.app_context():
            db.session.execute(insert(Basket), rows)
            db.session.commit()
            for at, cents in enumerate(worth if extension else ()):
                signals.checkout_started.send(app, checkout=read(f"c-{at}", cents, "payment"))
            db.session.execute(db.text("ANALYZE"))
            db.session.commit()

    app.extensions["stock"] = stock
    return app


def read(ref: str, cents: int, step: str) -> Checkout:
    price = Money.minor(cents, "USD")
    return Checkout(
        ref=ref,
        value=price,
        step=step,
        customer=Customer(ref=f"k-{ref}", name="Ada Lovelace", email=f"{ref}@example.com"),
        lines=[Line("BAG-1", "Leather weekender", 1, price)],
        country="GB",
        url="/checkout",
    )


def served() -> Flask:
    """Make the shop that gunicorn serves, by its environment."""
    home, extension = Path(os.environ["LIVE_SHOP_HOME"]), os.environ["LIVE_SHOP"] == "with"
    return live_shop(os.environ["LIVE_SHOP_URL"], home, extension=extension)


def runtime_of(app: Flask) -> Runtime:
    found: Runtime = app.extensions["checkout_case"]
    return found
