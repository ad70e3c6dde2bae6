"""A shop's orders, and a warehouse that is told of their changes."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, cast

import jsonschema
from flask import Flask, request
from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from flask_checkout_case import Change, ChangeKind, Customer, Line, Money, Order
from flask_checkout_case.change_schema import VERSION
from flask_checkout_case.jobs.deliver import deliver
from flask_checkout_case.jobs.sweep import sweep
from flask_checkout_case.services import changes
from flask_checkout_case.services.change_terms import Terms, order_now, terms_of
from flask_checkout_case.standard_webhooks import sign, verify

from .due import runtime_of
from .shop import Shop

_PUBLISHED = Path(__file__).parents[2] / f"docs/schemas/order-change.v{VERSION}.json"
SCHEMA = json.loads(_PUBLISHED.read_text())
SECRET = f"whsec_{base64.b64encode(bytes(range(32))).decode()}"
LONDON = {
    "name": "Ada Byron",
    "line1": "12 St James's Square",
    "city": "London",
    "postcode": "SW1Y 4JH",
    "country": "GB",
}
YORK = {**LONDON, "line1": "1 Minster Yard", "city": "York", "postcode": "YO1 7HH"}
PARIS = {
    **LONDON,
    "line1": "8 rue de Rivoli",
    "city": "Paris",
    "postcode": "75004",
    "country": "FR",
}
STRAP = Line("STRAP-1", "Long strap", 1, Money("35.00", "USD"))


class Tells(Protocol):
    """A clock of whatever speed."""

    @property
    def now(self) -> datetime: ...


class Orders:
    """A shop's orders in its own database; each change is applied once by its id."""

    def __init__(self, shop: Shop, clock: Tells) -> None:
        class Kept(shop.db.Model):  # type: ignore[name-defined,misc]
            __tablename__ = "shop_order"
            ref: Mapped[str] = mapped_column(primary_key=True)
            version: Mapped[int]
            data: Mapped[dict[str, Any]] = mapped_column(JSON)
            applied: Mapped[list[str]] = mapped_column(JSON, default=list)

        self.shop, self.clock, self._kept = shop, clock, Kept
        self.placed_at = clock.now
        self.stock: dict[str, int] = {"BAG-1": 5}
        self.fails = 0
        with shop.app.app_context():
            shop.db.create_all()
        shop.cases.order_loader(self.load)
        shop.cases.inventory_loader(self.stock.get)
        shop.cases.change_applier(self.apply)

    def place(self, ref: str = "o-1", value: str = "240.00", **data: Any) -> str:
        with self.shop.app.app_context():
            told = {"value": value, "stage": "placed", "address": LONDON, "quantity": 2, **data}
            self.shop.db.session.add(self._kept(ref=ref, version=1, data=told, applied=[]))
            self.shop.db.session.commit()
        return ref

    def _get(self, ref: str | None) -> Any:
        return cast(Any, self.shop.db.session.get(self._kept, ref))

    def update(self, ref: str = "o-1", **data: Any) -> None:
        with self.shop.app.app_context():
            kept = self._get(ref)
            kept.data, kept.version = {**kept.data, **data}, kept.version + 1
            self.shop.db.session.commit()

    def load(self, ref: str) -> Order | None:
        kept = self.shop.db.session.get(self._kept, ref, populate_existing=True)
        if kept is None:
            return None
        told = kept.data
        secured = told.get("secured_hours_ago")
        return Order(
            ref=ref,
            value=Money(told["value"], "USD"),
            customer=Customer(ref="42", name="Ada Byron", email="ada@example.com", language="en"),
            lines=[Line("BAG-1", "Ines tote", told["quantity"], Money("120.00", "USD"))],
            addons=[STRAP],
            version=kept.version,
            placed_at=self.placed_at,
            stage=told["stage"],
            address=told["address"],
            gift_note=told.get("gift_note"),
            instructions=told.get("instructions"),
            delivery="standard",
            deliveries={"standard": "Standard", "express": "Express"},
            cut_off_at=self.placed_at + timedelta(hours=told["cut_off"])
            if "cut_off" in told
            else None,
            secured_at=self.placed_at - timedelta(hours=secured) if secured is not None else None,
        )

    def apply(self, change: Change) -> None:
        if self.fails:
            self.fails -= 1
            raise RuntimeError("the shop's database is away")
        with self.shop.app.app_context():
            kept = self._get(change.order_ref)
            if change.id in kept.applied:
                return
            told = (
                {"address": dict(change.asked)}
                if change.kind is ChangeKind.ADDRESS
                else change.asked
            )
            kept.data = {**kept.data, **told}
            kept.applied, kept.version = [*kept.applied, change.id], kept.version + 1
            self.shop.db.session.commit()

    def data(self, ref: str = "o-1") -> dict[str, Any]:
        with self.shop.app.app_context():
            kept = self._get(ref)
            return {**kept.data, "applied": kept.applied, "version": kept.version}

    def terms(self, kind: ChangeKind, given: dict[str, Any], ref: str = "o-1") -> Terms:
        with self.shop.app.app_context():
            runtime = runtime_of(self.shop)
            return terms_of(runtime, order_now(runtime, ref), kind, given, self.clock.now)

    def ask(
        self, kind: ChangeKind, given: dict[str, Any], key: str = "k-1", ref: str = "o-1"
    ) -> Change:
        """Ask as a customer does who agrees to what they were shown."""
        terms = self.terms(kind, given, ref)
        with self.shop.app.app_context():
            runtime = runtime_of(self.shop)
            order = order_now(runtime, ref)
            return changes.ask(runtime, order, kind, given, agreed=terms.content, key=key)

    def now(self, change: Change) -> Change:
        with self.shop.app.app_context():
            return self.shop.cases.get_change(change.id)

    def work(self) -> None:
        """Do what the background does in one round, twice: what was sent, then what follows."""
        with self.shop.app.app_context():
            for _ in range(2):
                sweep(runtime_of(self.shop))
                deliver(runtime_of(self.shop))


@dataclass
class Warehouse:
    """Takes changes by HTTP and keeps each once; answers when it is told to."""

    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    posted: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    def app(self) -> Flask:
        app = Flask("warehouse")

        @app.post("/changes")
        def take() -> tuple[str, int, dict[str, str]]:
            verify([SECRET], dict(request.headers), request.get_data())
            jsonschema.validate(request.get_json(), SCHEMA)
            status = self.statuses.pop(0) if self.statuses else 202
            self.ids.append(request.headers["webhook-id"])
            if status < 300:
                self.posted.append(request.get_json())
            return "", status, self.headers

        return app

    def answer(self, shop: Shop, change: Change, result: str = "accepted", **more: Any) -> Any:
        """Post the signed answer to the shop, as it stands in the request log of a warehouse."""
        told = {
            "change_id": change.id,
            "order_version": change.base_version,
            "result": result,
            **more,
        }
        body = json.dumps({"type": "change.answered", "data": told}).encode()
        headers = sign([SECRET], f"answer-{change.id}", body, datetime.now(UTC))
        client = shop.app.test_client()
        return client.post("/checkout-case/fulfilment", data=body, headers=headers)
