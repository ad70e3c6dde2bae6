"""What is copied out of a signal: plain, masked, capped, and under which id."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest

from flask_checkout_case import Checkout, Customer, Line, Money, Order
from flask_checkout_case.capture.plain import encode, plain
from flask_checkout_case.capture.snapshot import EVENT_LIMIT, make_event, snapshot

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CARD = "4242 4242 4242 4242"
CHECKOUT = Checkout(
    ref=uuid.UUID(int=7),
    value=Money("5200.00", "USD"),
    step="payment",
    customer=Customer(ref=42, name="Ada", email="ada@example.com", tags=("vip",), orders=3),
    lines=[Line(sku="BAG-1", title="Bag", quantity=2, unit_price=Money("2600", "USD"))],
    country="GB",
    url="/checkout/7",
)


def event_of(name: str = "payment_failed", **arguments: Any) -> Any:
    return make_event(name, arguments, NOW)


def test_the_snapshot_has_the_documented_shape() -> None:
    assert snapshot(CHECKOUT) == {
        "ref": str(uuid.UUID(int=7)),
        "value_minor": 520000,
        "currency": "USD",
        "step": "payment",
        "country": "GB",
        "url": "/checkout/7",
        "order_ref": None,
        "customer": {
            "ref": "42",
            "name": "Ada",
            "email": "ada@example.com",
            "language": None,
            "country": None,
            "tags": ["vip"],
            "orders": 3,
        },
        "lines": [
            {
                "sku": "BAG-1",
                "title": "Bag",
                "quantity": 2,
                "unit_minor": 260000,
                "currency": "USD",
                "image_url": None,
                "url": None,
            }
        ],
    }


def test_a_snapshot_is_a_checkout_again() -> None:
    taken = snapshot(CHECKOUT)
    assert snapshot(taken) is not None
    again = snapshot(taken) or {}
    assert (again["ref"], again["value_minor"]) == (str(uuid.UUID(int=7)), 520000)


def test_refs_come_from_the_checkout() -> None:
    event = event_of(checkout=CHECKOUT)
    assert event.checkout_ref == str(uuid.UUID(int=7))
    assert event.customer_ref == "42"
    assert event_of(checkout_ref="c-9", checkout=CHECKOUT).checkout_ref == "c-9"
    assert event_of(checkout="c-3").checkout_ref == "c-3"


def test_an_order_carries_its_checkout() -> None:
    order = Order(ref="o-1", checkout_ref="c-1", value=Money("10", "EUR"), customer=Customer(ref=1))
    event = event_of("order_completed", order=order)
    assert (event.order_ref, event.checkout_ref, event.customer_ref) == ("o-1", "c-1", "1")
    assert event.checkout["value_minor"] == 1000


# --- ids ---


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"event_id": "evt_1"}, "evt_1"),
        ({"event_id": "evt_1", "provider": "stripe"}, "stripe:evt_1"),
        ({"attempt_id": "ch_1", "provider": "stripe"}, "stripe:payment_failed:ch_1"),
        ({"attempt_id": "ch_1"}, "payment_failed:ch_1"),
        ({"attempt_id": "ch_1", "event_id": 17, "provider": "own"}, "own:17"),
    ],
)
def test_an_event_is_known_by_its_id_or_its_attempt(arguments: dict[str, Any], wanted: str) -> None:
    assert event_of(checkout_ref="c-1", **arguments).id == wanted


def test_without_either_each_sending_is_an_event() -> None:
    assert event_of(checkout_ref="c-1").id != event_of(checkout_ref="c-1").id
    assert event_of("checkout_error", attempt_id="ch_1").id != "checkout_error:ch_1"


def test_an_id_fits_its_column_and_stays_the_same() -> None:
    first, second = (event_of(event_id="x" * 5000).id for _ in range(2))
    assert first == second
    assert len(first) <= 255


def test_at_is_utc_and_otherwise_now() -> None:
    berlin = timezone(timedelta(hours=1))
    assert event_of(at=datetime(2026, 1, 1, 13, tzinfo=berlin)).at == datetime(
        2026, 1, 1, 12, tzinfo=UTC
    )
    assert event_of().at == NOW
    assert event_of(at="yesterday").at == NOW


# --- masking and capping ---


def test_card_data_never_gets_as_far_as_the_spool() -> None:
    event = event_of(
        checkout=Checkout(ref="c-1", customer=Customer(name=f"Ada {CARD}")),
        message=f"card {CARD} declined",
        card={"number": CARD, "cvc": "123", "exp_month": 12},
        cvv="987",
    )
    for text in (json.dumps(event.data), json.dumps(event.checkout)):
        assert "4242 4242" not in text
        assert "987" not in text
        assert '"123"' not in text


def test_arabic_digits_are_digits() -> None:
    number = CARD.translate({ord(str(digit)): chr(0x660 + digit) for digit in range(10)})
    assert number not in event_of(message=number).data["message"]


def test_an_event_that_is_too_large_keeps_what_matters() -> None:
    many = {f"extra_{number}": "x" * 2000 for number in range(200)}
    event = event_of(checkout=CHECKOUT, decline_code="lost_card", **many)
    assert len(encode({"checkout": event.checkout, "data": event.data})) <= EVENT_LIMIT
    assert event.data == {"decline_code": "lost_card", "cut": True}
    assert event.checkout_ref == str(uuid.UUID(int=7))


def test_texts_fit_their_columns() -> None:
    event = event_of(
        checkout=Checkout(
            ref="r" * 1000,
            step="s" * 1000,
            customer=Customer(name="n" * 1000, email="e" * 1000, language="l" * 99),
        )
    )
    assert len(event.checkout_ref) <= 255
    assert len(event.checkout["step"]) <= 255
    customer = event.checkout["customer"]
    assert [len(customer[key]) for key in ("name", "email", "language")] == [255, 320, 16]


class Colour(StrEnum):
    RED = "red"


@dataclass
class Foreign:
    """Reading it would run the shop's code."""

    @property
    def name(self) -> str:
        raise AssertionError("an attribute of a foreign object was read")

    def __str__(self) -> str:
        raise AssertionError("a foreign object was asked for its text")


class LazyString:
    """What translation libraries pass around."""

    def __str__(self) -> str:
        return "Bitte andere Karte"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (Decimal("1.50"), "1.50"),
        (uuid.UUID(int=1), str(uuid.UUID(int=1))),
        (Colour.RED, "red"),
        (NOW, "2026-03-01T12:00:00+00:00"),
        (timedelta(minutes=2), 120.0),
        (float("inf"), "inf"),
        (2**80, str(2**80)),
        (ValueError("no"), "ValueError: no"),
        (Money("1", "JPY"), {"minor_units": 1, "currency": "JPY"}),
        (b"raw", "<bytes>"),
        (Foreign(), "<Foreign>"),
        (LazyString(), "Bitte andere Karte"),
        ({1: {2}}, {"1": [2]}),
    ],
)
def test_anything_becomes_plain(value: object, wanted: object) -> None:
    assert plain(value) == wanted


def test_an_amount_of_money_is_told_in_minor_units() -> None:
    data = event_of("order_refunded", order_ref="o-1", amount=Money("9.99", "EUR")).data
    assert data == {"amount_minor": 999, "currency": "EUR"}
