"""A shop with orders of its own and every bad habit, for what capture does beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from flask import Response, redirect, send_file, stream_with_context
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.exceptions import Conflict

from flask_checkout_case import Checkout, Customer, Line, Money, signals
from flask_checkout_case.capture.recorder import SpoolRecorder
from flask_checkout_case.data.models import EventRow
from flask_checkout_case.services import reading
from flask_checkout_case.services.runtime import Runtime

from .shop import Shop

FILE: Final = Path(__file__)
"""What the shop sends as a file."""


class DeclinedError(Exception):
    """The shop's own."""


def checkout(ref: str) -> Checkout:
    return Checkout(
        ref=ref,
        value=Money("120.00", "USD"),
        step="payment",
        customer=Customer(ref="42", name="Ada"),
        lines=[Line(sku="BAG-1", title="Bag", unit_price=Money("120.00", "USD"))],
    )


def decline(ref: str, sender: object = None) -> None:
    signals.payment_failed.send(
        sender, checkout=checkout(ref), provider="stripe", decline_code="insufficient_funds"
    )


class CaptureShop:
    """A shop with orders of its own, and with every bad habit."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.app, self.db = shop.app, shop.db
        self.Order = self._make_model()
        with self.app.app_context():
            self.db.create_all()
        self._add_views()

    def _make_model(self) -> Any:
        class Order(self.shop.db.Model):  # type: ignore[name-defined,misc]
            id: Mapped[int] = mapped_column(primary_key=True)
            ref: Mapped[str]

        return Order

    def order(self, ref: str) -> None:
        """Write as a shop does: in the session, flushed, not committed yet."""
        self.db.session.add(self.Order(ref=ref))
        self.db.session.flush()

    def _add_views(self) -> None:
        app, db = self.app, self.db

        @app.errorhandler(DeclinedError)
        def declined(error: DeclinedError) -> ResponseReturnValue:
            db.session.rollback()
            return f"declined: {error}", 402

        @app.post("/<habit>/<ref>")
        def pay(habit: str, ref: str) -> ResponseReturnValue:
            self.order(ref)
            decline(ref, app)
            answer: ResponseReturnValue = getattr(self, habit)(ref)
            return answer

    def commits(self, ref: str) -> ResponseReturnValue:
        self.db.session.commit()
        return f"no {ref}", 402

    def rolls_back(self, ref: str) -> ResponseReturnValue:
        self.db.session.rollback()
        return f"no {ref}", 402

    def forgets(self, ref: str) -> ResponseReturnValue:
        return f"no {ref}", 402

    def raises(self, ref: str) -> ResponseReturnValue:
        raise ValueError(ref)

    def raises_handled(self, ref: str) -> ResponseReturnValue:
        raise DeclinedError(ref)

    def aborts(self, ref: str) -> ResponseReturnValue:
        raise Conflict(ref)

    def redirects(self, ref: str) -> ResponseReturnValue:
        self.db.session.rollback()
        return redirect(f"/cart/{ref}")

    def nests(self, ref: str) -> ResponseReturnValue:
        with self.app.app_context():
            decline(ref + "-nested", self.app)
        self.db.session.rollback()
        return f"no {ref}", 402

    def streams(self, ref: str) -> ResponseReturnValue:
        self.db.session.rollback()

        def body() -> Iterator[str]:
            yield "one "
            decline(ref + "-streamed", self.app)
            yield "two"

        return Response(body(), status=402)

    def streams_with_context(self, ref: str) -> ResponseReturnValue:
        self.db.session.rollback()

        def body() -> Iterator[str]:
            yield "one "
            self.order(ref + "-streamed")
            decline(ref + "-streamed")
            yield "two"

        return Response(stream_with_context(body()), status=402)

    def sends_a_file(self, ref: str) -> ResponseReturnValue:
        self.db.session.rollback()
        return send_file(FILE)

    @property
    def runtime(self) -> Runtime:
        found: Runtime = self.app.extensions["checkout_case"]
        return found

    @property
    def recorder(self) -> SpoolRecorder:
        recorder = self.runtime.recorder
        assert isinstance(recorder, SpoolRecorder)
        return recorder

    def connect(self) -> None:
        """Do what the background does after a process's first request."""
        # A test machine under load is not a database that hangs.
        self.recorder.database.deadline = 60.0
        self.recorder.database.connect()
        # Made within an app context, the end of which would insert what is waiting.
        assert self.runtime.database.engine is not None

    def orders(self) -> list[str]:
        with self.app.app_context():
            found = self.db.session.scalars(select(self.Order.ref).order_by(self.Order.id))
            return list(found)

    def cases(self) -> list[str]:
        """The checkouts that have a case, oldest first, without flushing."""
        # By no app context: its end would insert what is waiting.
        found = reading.find(self.runtime, limit=200)
        return [case.checkout_ref or "" for case in reversed(found)]


def post(shop: CaptureShop, path: str) -> Any:
    return shop.app.test_client().post(path, buffered=True)


def events(shop: CaptureShop) -> list[dict[str, Any]]:
    with shop.runtime.read() as session:
        return list(session.scalars(select(EventRow.data)))
