"""The shop that benchmarks serve: the same view with the extension and without it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from flask.typing import ResponseReturnValue
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import Mapped, mapped_column

from flask_checkout_case import Checkout, CheckoutCase, Customer, Line, Money, signals
from tests.support.postgres import running_postgres

Report = Callable[[Flask, Checkout], object]


def make_shop(
    database_url: str, home: Path, *, extension: bool, report: Report | None = None
) -> Flask:
    """Make a shop whose ``POST /pay/<ref>`` writes an order, is declined, and rolls it back.

    Every such shop reads its checkout: that is the shop's own work, with us or without.

    Args:
        extension: whether it has the extension.
        report: what it does with the decline; when ``None``, a shop with the extension reports it
            and one without does nothing.
    """
    home.mkdir(parents=True, exist_ok=True)
    app = Flask("shop", instance_path=str(home))
    app.config.update(SECRET_KEY="benchmark", SQLALCHEMY_DATABASE_URI=database_url)
    db = SQLAlchemy()
    db.init_app(app)
    reported = report or (decline if extension else None)

    class Order(db.Model):  # type: ignore[name-defined,misc]
        id: Mapped[int] = mapped_column(primary_key=True)
        ref: Mapped[str]

    if extension:
        CheckoutCase(app, db)
    with app.app_context():
        db.create_all()

    @app.post("/pay/<ref>")
    def pay(ref: str) -> ResponseReturnValue:
        db.session.add(Order(ref=ref))
        db.session.flush()
        checkout = read_checkout(ref)
        if reported is not None:
            reported(app, checkout)
        db.session.rollback()
        return f"declined {ref}\n", 402

    return app


def read_checkout(ref: str) -> Checkout:
    """Make the checkout as a shop's loader does: a customer and three lines."""
    price = Money("40.00", "USD")
    return Checkout(
        ref=ref,
        value=Money("120.00", "USD"),
        step="payment",
        customer=Customer(ref="42", name="Ada Lovelace", email="ada@example.com"),
        lines=[Line(sku=f"BAG-{n}", title=f"Bag {n}", unit_price=price) for n in range(3)],
        country="GB",
        url=f"/checkout/{ref}",
    )


def decline(app: Flask, checkout: Checkout) -> None:
    """Report a declined card."""
    signals.payment_failed.send(
        app,
        checkout=checkout,
        provider="stripe",
        failure_code="card_declined",
        decline_code="insufficient_funds",
        payment_id=f"pi_{checkout.ref}",
        attempt_id=f"ch_{checkout.ref}",
        message="Your card has insufficient funds.",
    )


@contextmanager
def databases(*names: str) -> Iterator[dict[str, tuple[str, str, Path]]]:
    """Make two empty databases of each kind; yield their URLs and a directory for files.

    PostgreSQL commits durably, as it does in production.
    """
    with tempfile.TemporaryDirectory(prefix="cc-bench-") as directory, running_postgres() as server:
        home = Path(directory)
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            server._admin.execute(f"ALTER SYSTEM RESET {setting}")
        server._admin.execute("SELECT pg_reload_conf()")
        with server.database() as first, server.database() as second:
            found = {
                "SQLite": (f"sqlite:///{home / 'a.db'}", f"sqlite:///{home / 'b.db'}", home),
                "PostgreSQL": (first, second, home),
            }
            yield {name: found[name] for name in names or found}
