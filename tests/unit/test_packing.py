"""Signals that are written down as they are: the same event in the end, and never a card number."""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_checkout_case import Checkout, Customer, Line, Money, Order
from flask_checkout_case.capture import packing
from flask_checkout_case.capture.packing import pack, unpack
from flask_checkout_case.capture.snapshot import make_event
from flask_checkout_case.types import Event

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
CARD = "4242 4242 4242 4242"
CHECKOUT = Checkout(
    ref=uuid.UUID("5b0a7d0e-3f1c-4e0a-9d3b-2a6f8c1e4d7b"),
    value=Money("5200.00", "USD"),
    step="payment",
    customer=Customer(ref=42, name="Ada Müller", email="ada@example.com", tags=("vip",), orders=3),
    lines=[Line(sku="BAG-1", title="Bag", quantity=2, unit_price=Money("2600", "USD"))],
    country="GB",
    url="/checkout/7",
)


def packed(name: str = "payment_failed", **arguments: Any) -> str | None:
    return pack(name, arguments, lambda: NOW)


def both_ways(name: str, arguments: dict[str, Any]) -> tuple[Event, Event] | None:
    """Return the event of the short way and that of the longer one, but for the id."""
    line = pack(name, arguments, lambda: NOW)
    if line is None:
        return None
    assert line.isascii()
    assert "\n" not in line
    short, long = unpack(line), make_event(name, arguments, NOW)
    return short, replace(long, id=short.id if len(long.id) == 32 else long.id)


def test_an_ordinary_decline_is_packed() -> None:
    arguments = {
        "checkout": CHECKOUT,
        "provider": "stripe",
        "decline_code": "insufficient_funds",
        "attempt_id": "ch_1",
        "amount": Money("12.50", "EUR"),
        "message": "Ihre Karte wurde für diesen Kauf nicht angenommen.",
    }
    found = both_ways("payment_failed", arguments)
    assert found is not None
    assert found[0] == found[1]
    assert found[0].id == "stripe:payment_failed:ch_1"
    assert found[0].at == NOW


def test_an_order_and_a_customer_are_packed() -> None:
    order = Order(ref="o-1", checkout_ref="c-1", value=Money("10", "EUR"), customer=Customer(ref=1))
    found = both_ways("order_completed", {"order": order, "customer": Customer(ref="9")})
    assert found is not None
    assert found[0] == found[1]
    assert (found[0].order_ref, found[0].checkout_ref) == ("o-1", "c-1")


ordinary = st.text(alphabet="abcXYZé ü-_.@/019", max_size=12)
texts = st.one_of(
    *[ordinary] * 12,
    st.text(max_size=40),
    st.from_regex(r"[\d ./:,-]{0,24}", fullmatch=True),
    st.sampled_from([CARD, "4242424242424242", "a{b", 'say "no"', "Zoë", "\x00", "\ud800"]),
)
refs = st.one_of(texts, st.integers(-(2**70), 2**70), st.uuids(), st.none())
money = st.none() | st.builds(
    Money.minor, st.integers(-(10**15), 10**15), st.sampled_from(["USD", "JPY", "BHD"])
)
counts = st.none() | st.booleans() | st.integers(-(2**40), 2**40)
customers = st.none() | st.builds(
    Customer,
    ref=refs,
    name=st.none() | texts,
    email=st.none() | texts,
    tags=st.lists(texts, max_size=3),
    orders=counts,
)
lines = st.lists(
    st.builds(Line, sku=texts, title=texts, quantity=counts, unit_price=money, url=texts),
    max_size=3,
)
checkouts = st.builds(
    Checkout,
    ref=refs,
    value=money,
    step=st.none() | texts,
    customer=customers,
    lines=lines,
    order_ref=refs,
    url=st.none() | texts,
)
orders = st.builds(
    Order, ref=refs, value=money, checkout_ref=refs, customer=customers, lines=lines, url=texts
)
plain = st.one_of(texts, counts, st.floats(), st.none(), st.uuids(), money)
details = st.dictionaries(
    st.sampled_from(
        [
            *("provider", "message", "reason", "amount", "at", "event_id", "attempt_id"),
            *("checkout_ref", "order_ref", "customer_ref", "number", "cvc"),
        ]
    ),
    st.one_of(*[plain] * 8, st.dictionaries(texts, texts, max_size=1), st.lists(texts, max_size=2)),
    max_size=4,
)


@settings(max_examples=400)
@given(
    details,
    checkouts | texts | st.none(),
    st.none() | orders | texts,
    customers | texts,
)
def test_both_ways_lead_to_the_same_event(
    data: dict[str, Any], checkout: Any, order: Any, customer: Any
) -> None:
    arguments = {**data, "checkout": checkout, "order": order, "customer": customer}
    try:
        found = both_ways("payment_failed", arguments)
    except (ValueError, TypeError, KeyError, AttributeError):
        return  # the longer way is taken then
    if found is not None:
        assert found[0] == found[1]


@pytest.mark.parametrize(
    "arguments",
    [
        {"message": f"my card is {CARD}"},
        {"payment_id": 4242424242424242},
        {"message": "".join(chr(0x660 + int(d)) for d in "4242424242424242")},
        {"cvc": "123"},
        {"card_number": "x"},
        {"number": "12"},
        {"card": {"cvc": "123"}},
        {"checkout": {"ref": "c-1", "cvc": "123"}},
        {"checkout": Checkout(ref="c-1", lines=[{"cvc": "123"}])},  # type: ignore[list-item]
        {"customer": Customer(name={"cvc": "123"})},  # type: ignore[arg-type]
        {"checkout": replace(CHECKOUT, step=("cvc", "123"))},  # type: ignore[arg-type]
        {"checkout": replace(CHECKOUT, lines=[["cvc", "123"]])},  # type: ignore[list-item]
        {"checkout": replace(CHECKOUT, value=("cvc", "123"))},  # type: ignore[arg-type]
        {"customer": Customer(name=["cvc", "123"])},  # type: ignore[arg-type]
        {"customer": Customer(tags=[["cvc", "123"]])},  # type: ignore[list-item]
        {"order": Order(ref="o-1", status=["cvc", "123"])},  # type: ignore[arg-type]
        {"checkout": Checkout(ref="c-1", lines=[Line(sku=["cvc"], title="x")])},  # type: ignore[arg-type]
        {"order": CHECKOUT},
        {"note": CHECKOUT},
        {"message": "x" * 70_000},
        {"message": "a\x00b"},
        {"at": NOW},
        {"checkout": Checkout(ref="c-1", lines=[object()])},  # type: ignore[list-item]
    ],
)
def test_what_may_need_masking_or_reading_goes_the_longer_way(arguments: dict[str, Any]) -> None:
    try:
        line = packed(**{"checkout": CHECKOUT, **arguments})
    except (KeyError, TypeError):
        return
    assert line is None


def test_what_can_be_read_once_is_left_to_the_shop() -> None:
    lines = (Line(sku="BAG-1", title="Bag") for _ in range(2))
    with pytest.raises(TypeError):
        packed(checkout=Checkout(ref="c-1", lines=lines))  # type: ignore[arg-type]
    assert len(list(lines)) == 2


def test_each_sending_has_an_id_of_its_own_which_reading_keeps() -> None:
    first, second = packed(), packed()
    assert first is not None
    assert second is not None
    assert unpack(first).id == unpack(first).id != unpack(second).id


def test_a_child_process_gives_other_ids() -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, (packed() or "").encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = unpack(os.read(reader, 10_000).decode())
    ours = unpack(packed() or "")
    assert theirs.id.split("-")[0] != ours.id.split("-")[0]
    os.close(reader)
    os.close(writer)


def test_without_the_encoder_in_c_the_line_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    values = (CHECKOUT, "stripe", 7, None, Money("1", "JPY"))
    quick = "".join(packing._encode(values, 0))
    monkeypatch.setattr("json.encoder.c_make_encoder", None)
    assert "".join(packing._make_encode()(values, 0)) == quick


@pytest.mark.parametrize("line", ["[]", '["a",1,"n",["x"],[]]', "{}", '[1,1,"n",[],[]]', "x"])
def test_what_is_no_packed_signal_is_refused(line: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        unpack(line)


def test_names_and_values_are_all_that_is_in_the_line() -> None:
    line = json.loads(packed(decline_code="lost_card") or "")
    assert line[2:] == ["payment_failed", ["decline_code"], ["lost_card"]]
