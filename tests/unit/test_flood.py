"""From how many failures on a process leaves their cases to the worker."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.capture.flood import FEW, MANY, Flood
from flask_checkout_case.capture.packing import pack
from flask_checkout_case.types import Event

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FAILED = Event(id="1", name="payment_failed", at=NOON)
VIEWED = Event(id="2", name="checkout_step_viewed", at=NOON)


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def fail(flood: Flood, times: int) -> list[bool]:
    return [flood.takes(FAILED) for _ in range(times)]


def test_a_flood_is_many_failures_within_a_second() -> None:
    flood = Flood(Seconds())
    assert not any(fail(flood, MANY))
    assert all(fail(flood, 3))


def test_it_goes_on_while_more_than_a_few_fail() -> None:
    clock = Seconds()
    flood = Flood(clock)
    fail(flood, MANY + 1)
    for _ in range(3):
        clock.now += 1
        assert all(fail(flood, FEW + 1))
    clock.now += 1
    assert all(fail(flood, FEW))
    clock.now += 1
    assert not any(fail(flood, MANY))


def test_it_is_over_when_nothing_has_failed_for_a_second() -> None:
    clock = Seconds()
    flood = Flood(clock)
    fail(flood, MANY + 1)
    clock.now += 2
    assert not any(fail(flood, MANY))


def test_nothing_but_failures_is_left_to_the_worker() -> None:
    flood = Flood(Seconds())
    fail(flood, MANY + 1)
    assert not flood.takes(VIEWED)
    told = pack("payment_failed", {"provider": "stripe"}, lambda: NOON)
    other = pack("checkout_error", {"reason": "payment_failed"}, lambda: NOON)
    assert told is not None
    assert other is not None
    assert flood.takes(told)
    assert not flood.takes(other)


@given(st.lists(st.integers(0, MANY), max_size=20))
def test_who_never_has_many_failures_in_a_second_is_never_flooded(seconds: list[int]) -> None:
    clock = Seconds()
    flood = Flood(clock)
    for count in seconds:
        clock.now += 1
        assert not any(fail(flood, count))
