"""What nobody should send, and what no disk should give back: masked, counted, kept apart."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_checkout_case import Checkout, Customer, Line, Money, Order
from flask_checkout_case.capture import lines
from flask_checkout_case.capture.leftovers import Leftovers
from flask_checkout_case.capture.packing import pack, unpack
from flask_checkout_case.capture.payments import Payment
from flask_checkout_case.capture.receivers import _event, _mapped
from flask_checkout_case.capture.snapshot import bare_event, make_event
from flask_checkout_case.capture.spool import Spool
from flask_checkout_case.services.runtime import Hooks
from flask_checkout_case.signals import payment_failed
from flask_checkout_case.types import Event

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CARD = "4242424242424242"


def captured(**arguments: Any) -> bytes:
    """Return the line that a signal leaves in the spool."""
    content: Any = None
    with suppress(Exception):  # the longer way can deal with anything
        content = pack("payment_failed", arguments, lambda: NOW)
    return lines.event_line(0, 0, content or _event("payment_failed", arguments, NOW))


def event_in(line: bytes) -> Event:
    (spooled,) = lines.parse(line).events
    return spooled.event


# --- card data ---


class CardText(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "another text"


class CardNumber(IntEnum):
    MINE = int(CARD)


class CardName(Enum):
    MINE = CARD


@pytest.mark.parametrize(
    "card",
    [CARD, int(CARD), "4242 4242-4242.4242", CardText(CARD), CardNumber.MINE, CardName.MINE],
    ids=lambda card: type(card).__name__,
)
@pytest.mark.parametrize(
    "place",
    [
        lambda card: {"event_id": card},
        lambda card: {"attempt_id": card, "provider": "own"},
        lambda card: {"provider": card},
        lambda card: {"checkout": Checkout(ref="c-1", step=card, customer=Customer(email=card))},
        lambda card: {"checkout": {"ref": "c-1", "lines": [{"sku": card}]}},
        lambda card: {"order": Order(ref="o-1", status=card)},
        lambda card: {"customer": Customer(name=card, tags=[card])},
        lambda card: {"message": card},
        lambda card: {"note": {card: (card, {card: [card]})}},
    ],
)
def test_no_card_stands_in_a_line(card: Any, place: Callable[[Any], dict[str, Any]]) -> None:
    assert CARD not in re.sub(rb"\D", b"", captured(**place(card))).decode()


@pytest.mark.parametrize("card", [Decimal(CARD), float(CARD), -int(CARD), CARD.encode()])
def test_no_card_stands_in_a_number(card: Any) -> None:
    assert CARD not in re.sub(rb"\D", b"", captured(extra=card, more=[card])).decode()


@settings(max_examples=200)
@given(st.integers(0, 40), st.sampled_from([40, 64, 120, 255, 320, 500, 2000]))
def test_no_half_of_a_card_is_left_where_a_text_is_cut(before: int, limit: int) -> None:
    text = "x" * (limit - before - 1) + " " + CARD + " " + "z" * 50
    line = captured(
        message=text,
        note=[text, {text: 1}],
        checkout=Checkout(ref="c-1", url=text, step=text, lines=[Line(sku=text, title=text)]),
        customer=Customer(name=text, email=text, tags=[text]),
        **{text: 1},
    )
    assert re.search(rb"4242424", line) is None


@pytest.mark.parametrize(
    "name", ["password", "new_password", "Passwort", "client_secret", "apiKey", "access-token"]
)
def test_what_is_named_a_secret_is_left_out(name: str) -> None:
    line = captured(**{"decline_code": "lost_card", name: "hunter2", "form": {name: "hunter2"}})
    assert b"hunter2" not in line
    assert event_in(line).data == {"decline_code": "lost_card", "form": {}}


def test_a_ref_is_kept_digit_for_digit_whatever_it_looks_like() -> None:
    event = event_in(captured(checkout=Checkout(ref=CARD, order_ref=CARD), customer_ref=int(CARD)))
    assert (event.checkout_ref, event.order_ref, event.customer_ref) == (CARD, CARD, CARD)


def test_two_ids_that_look_like_cards_are_two_events() -> None:
    first, second = (
        event_in(captured(event_id=number)).id
        for number in ("4242424242424242", "4000000000004242")
    )
    assert first != second


class BrokenCheckout(Checkout):
    @property
    def broken(self) -> str:
        raise ValueError(f"no such card: {CARD}")

    def __getattribute__(self, name: str) -> Any:
        return super().__getattribute__("broken" if name == "step" else name)


def raising(*_arguments: object, **_named: object) -> Any:
    raise ValueError(f"no such card: {CARD}")


def attempt_that_is_judged() -> None:
    Payment(Hooks(), failed=raising)(lambda: 1)()


def attempt_without_checkout() -> None:
    hooks = Hooks()
    hooks.checkout_loader = raising
    Payment(hooks)(lambda: 1)()


@pytest.mark.parametrize(
    "act",
    [
        lambda: _event("payment_failed", {"checkout": BrokenCheckout(ref="c-1")}, NOW),
        lambda: _mapped(raising, payment_failed, None, {}),
        attempt_that_is_judged,
        attempt_without_checkout,
    ],
)
def test_what_the_shops_code_raises_is_logged_without_its_card(
    act: Callable[[], object], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        act()
    assert "ValueError: no such card: •••• 4242" in caplog.text
    assert CARD not in caplog.text


# --- what can't be read costs itself alone ---


class Unbound:
    """A proxy outside of its context."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        raise RuntimeError("working outside of a context")


class SilentError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    "odd",
    [
        {"at": datetime.min.replace(tzinfo=timezone(timedelta(hours=3)))},
        {"at": datetime.max.replace(tzinfo=timezone(timedelta(hours=-3)))},
        {"user": Unbound()},
        {"error": SilentError()},
        {"number": 10**5000},
        {"form": {"user": Unbound(), "number": -(10**5000)}},
    ],
)
def test_an_odd_argument_costs_no_other(odd: dict[str, Any]) -> None:
    event = event_in(captured(checkout_ref="c-1", decline_code="lost_card", **odd))
    assert (event.checkout_ref, event.data["decline_code"]) == ("c-1", "lost_card")


@pytest.mark.parametrize("given", [datetime.min, datetime.max, NOW + timedelta(days=30)])  # noqa: DTZ901
def test_an_instant_that_cannot_be_is_the_present(given: datetime) -> None:
    at = given.replace(tzinfo=UTC)
    assert event_in(captured(checkout_ref="c-1", at=at)).at == NOW


def test_a_ref_that_cannot_be_written_out_costs_no_event() -> None:
    event = event_in(captured(checkout_ref=10**5000, order_ref="o-1"))
    assert event.order_ref == "o-1"


def test_a_checkout_that_cannot_even_tell_its_ref_costs_no_event() -> None:
    class Nameless(Checkout):
        def __getattribute__(self, name: str) -> Any:
            if name == "ref":
                raise RuntimeError("detached")
            return super().__getattribute__(name)

    event = bare_event("payment_failed", {"checkout": Nameless(ref="c-1"), "order_ref": 7}, NOW)
    assert (event.checkout_ref, event.order_ref) == (None, "7")


class Endless(list[object]):
    def __iter__(self) -> Any:
        while True:
            yield "vip"


def test_a_list_without_an_end_is_read_to_its_limit() -> None:
    event = event_in(captured(checkout={"ref": "c-1", "lines": Endless()}, tags=Endless()))
    assert len((event.checkout or {})["lines"]) == len(event.data["tags"]) == 50


misplaced = st.one_of(
    st.just("x"),
    st.just(Money("1", "USD")),
    st.just(Customer(ref="9")),
    st.just(Line("s", "t")),
    st.just(Checkout(ref="c-9")),
    st.just([Money("1", "USD")]),
    st.none(),
)


@given(misplaced, misplaced, misplaced)
def test_what_stands_in_a_wrong_place_is_the_same_both_ways(one: Any, two: Any, three: Any) -> None:
    line = Line(sku="s", title=one, unit_price=two, url=three)
    for given_ in (
        {"checkout": Checkout(ref=one, value=two, customer=three)},
        {"order": Order(ref=one, value=two, customer=three)},
        {"checkout": Checkout(ref="c-1", step=one, lines=[line], country=two)},
        {"checkout": Checkout(ref="c-1", lines=one), "customer": Customer(ref=2, tags=two)},
        {"amount": one, "order_ref": two, "message": three},
    ):
        packed = None
        with suppress(Exception):  # the longer way is taken then
            packed = pack("payment_failed", given_, lambda: NOW)
        if packed is not None:
            short, long = unpack(packed), make_event("payment_failed", given_, NOW)
            assert short == replace(long, id=short.id)


# --- what the disk gives back ---


def signal_line(number: int) -> bytes:
    packed = pack("payment_failed", {"checkout_ref": f"c-{number}"}, lambda: NOW)
    assert packed is not None
    return lines.event_line(number, 0, packed)


def checked(body: bytes) -> bytes:
    return lines._line(body)


def event_json(**changed: Any) -> bytes:
    raw = lines.as_json(Event(id="e-1", name="payment_failed", at=NOW, checkout_ref="c-9"))
    return b"E 7 0 " + json.dumps({**raw, **changed}).encode()


@pytest.mark.parametrize(
    "bad",
    [
        checked(b'S 7 0 ["a",0,"payment_failed",["x"],[]]'),
        checked(b'S 7 0 ["a",0,"payment_failed",["checkout"],[["c-1",null]]]'),
        checked(b'S 7 0 ["a",0,"payment_failed",["amount"],[[1,"USD",3]]]'),
        checked(b'S 7 0 ["a",1e300,"payment_failed",[],[]]'),
        checked(b'S 7 0 ["a",NaN,"payment_failed",[],[]]'),
        checked(b'S 7 0 ["a","0","payment_failed",[],[]]'),
        checked(b'S 7 0 ["a",0,"payment_failed",[[1]],[2]]'),
        checked(b"S 7 0 " + b"[" * 100_000),
        checked(b'S x 0 ["a",0,"payment_failed",[],[]]'),
        checked(b"S 7"),
        checked(b"Z 7 0 {}"),
        checked(b"A 7 x"),
        checked(event_json(checkout_ref={"a": 1})),
        checked(event_json(order_ref=["o-1"])),
        checked(event_json(checkout=["c-1"])),
        checked(event_json(checkout={"ref": "c-1", "step": {"a": 1}})),
        checked(event_json(checkout={"ref": "c-1", "customer": {"ref": 5}})),
        checked(event_json(checkout={"ref": "c-1", "customer": "Ada"})),
        checked(event_json(data=None)),
        checked(event_json(origin="moon")),
        checked(event_json(at="2026-03-01T12:00:00")),
        signal_line(7)[:-9] + b"\n",
        signal_line(7).replace(b"c-7", b"c-8"),
        b"cc0 an older release\n",
        b"\xff\x00\n",
    ],
    ids=lambda _bad: "line",
)
def test_a_bad_line_costs_no_neighbour(bad: bytes) -> None:
    found = lines.parse(signal_line(1) + bad + signal_line(2))
    assert [one.event.checkout_ref for one in found.events] == ["c-1", "c-2"]
    assert [one.line for one in found.bad] == [bad.strip()]


@settings(max_examples=300)
@given(st.integers(0, 3), st.integers(0, 80))
def test_a_line_that_was_cut_short_takes_no_other_with_it(cut: int, left: int) -> None:
    written = [signal_line(number) for number in range(4)]
    written[cut] = written[cut][:left]
    found = lines.parse(b"".join(written))
    refs = {one.event.checkout_ref for one in found.events}
    assert refs == {f"c-{number}" for number in range(4) if number != cut}
    assert len(found.bad) + bool(found.tail) <= 1


def test_an_acknowledgement_that_was_cut_short_spoils_no_later_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path)
    spool.append(make_event("payment_failed", {"checkout_ref": "c-1"}, NOW))
    (path,) = spool.paths
    with Leftovers(tmp_path, grace_ms=-1).opened(path) as leftover:
        assert leftover is not None
        # The disk of another process's drain is full in the middle of its line.
        line = lines.acknowledge_line([0])
        monkeypatch.setattr(lines, "acknowledge_line", lambda _numbers: line[:-4])
        leftover.acknowledge([0])
    spool.append(make_event("payment_failed", {"checkout_ref": "c-2"}, NOW))
    found = lines.parse(path.read_bytes())
    assert [one.event.checkout_ref for one in found.events] == ["c-1", "c-2"]
