"""Card testing, told from customers in despair, offices and carriers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_checkout_case.rules.velocity import (
    CARDS,
    CARDS_OF_AN_ADDRESS,
    PLACES_OF_A_CARD,
    TELLING,
    TRIES,
    TRIES_OF_A_CHECKOUT,
    TRIES_OF_ONE_AMOUNT,
    WITHIN,
    Source,
    Try,
    card_tests,
    network_of,
)
from flask_checkout_case.types import FailureClass

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SOFT = FailureClass.SOFT


def attempt(number: int, **known: object) -> Try:
    given = {"checkout": f"c-{number}", "address": "here", "failed": SOFT, **known}
    return Try(at=NOW - MINUTE - timedelta(seconds=number), **given)  # type: ignore[arg-type]


def sources(tries: list[Try]) -> list[Source]:
    return [one.source for one in card_tests(tries, NOW)]


def test_many_failures_of_one_address_are_a_test() -> None:
    tries = [attempt(number) for number in range(TRIES)]
    (found,) = card_tests(tries, NOW)
    assert (found.source, found.key) == (Source.ADDRESS, "here")
    assert (found.failures, found.checkouts, found.addresses) == (TRIES, TRIES, 1)
    assert found.began_at == tries[-1].at
    assert sources(tries[1:]) == []


def test_one_amount_again_and_again_is_a_test_sooner() -> None:
    tries = [attempt(number, amount=(200, "USD")) for number in range(TRIES_OF_ONE_AMOUNT)]
    assert sources(tries) == [Source.ADDRESS]
    assert sources(tries[1:]) == []
    assert sources([attempt(0, amount=(300, "USD")), *tries[1:]]) == []


def test_many_cards_are_a_test_sooner() -> None:
    tries = [attempt(number, card=f"card-{number}") for number in range(CARDS_OF_AN_ADDRESS)]
    assert sources(tries) == [Source.ADDRESS]
    assert sources(tries[1:]) == []


def test_many_cards_in_one_checkout_need_no_address() -> None:
    tries = [attempt(n, checkout="c", address=None, card=f"card-{n}") for n in range(CARDS)]
    assert sources(tries) == [Source.CHECKOUT]


def test_one_checkout_that_fails_again_and_again_without_cards_told_apart() -> None:
    tries = [attempt(n, checkout="c", address=None) for n in range(TRIES_OF_A_CHECKOUT)]
    assert sources(tries) == [Source.CHECKOUT]
    assert sources(tries[1:]) == []


def test_one_card_at_many_places_is_a_test() -> None:
    tries = [attempt(n, address=f"a-{n}", card="card") for n in range(PLACES_OF_A_CARD)]
    assert sources(tries) == [Source.CARD]


def test_a_customer_in_despair_is_none() -> None:
    """Three cards, each typed again and again, in one checkout and from one address."""
    tries = [attempt(n, checkout="c", card=f"card-{n % 3}") for n in range(TRIES - 1)]
    assert sources(tries) == []


@pytest.mark.parametrize("failure_class", sorted(set(FailureClass) - TELLING))
def test_a_gateways_own_faults_are_none(failure_class: FailureClass) -> None:
    assert sources([attempt(n, failed=failure_class) for n in range(10 * TRIES)]) == []


def test_what_is_long_ago_counts_for_nothing() -> None:
    tries = [attempt(number) for number in range(TRIES)]
    assert card_tests(tries, NOW + WITHIN) == []
    assert card_tests(tries, NOW - 10 * MINUTE) == []


@settings(deadline=None, max_examples=200)
@given(st.integers(20, 400), st.floats(0.02, 0.3), st.integers(0, 10_000))
def test_an_office_that_buys_is_none(customers: int, fails: float, seed: int) -> None:
    random = Random(seed)
    tries = [
        attempt(number % 500, checkout=f"c-{number}", card=f"card-{number}", failed=SOFT)
        if random.random() < fails
        else attempt(number % 500, checkout=f"c-{number}", card=f"card-{number}", failed=None)
        for number in range(customers)
    ]
    assert sources(tries) == []


TRIED = st.lists(
    st.builds(
        Try,
        at=st.integers(0, 1200).map(lambda seconds: NOW - timedelta(seconds=seconds)),
        checkout=st.sampled_from(["c-1", "c-2", "c-3", "c-4"]),
        address=st.sampled_from([None, "here", "there"]),
        card=st.sampled_from([None, *(f"card-{number}" for number in range(8))]),
        failed=st.sampled_from([None, *FailureClass]),
    ),
    max_size=60,
)


@given(TRIED, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(tries: list[Try], random: Random) -> None:
    shuffled = random.sample(tries, len(tries))
    assert card_tests(shuffled, NOW) == card_tests(tries, NOW)


@given(TRIED)
def test_who_is_a_tester_is_one_after_another_failure_too(tries: list[Try]) -> None:
    before = {(one.source, one.key) for one in card_tests(tries, NOW)}
    for source, key in before:
        more = Try(NOW, checkout="c-1", failed=SOFT)
        if source is Source.ADDRESS:
            more = Try(NOW, checkout="c-1", address=key, failed=SOFT)
        elif source is Source.CARD:
            more = Try(NOW, checkout="c-1", card=key, failed=SOFT)
        elif key != "c-1":
            continue
        after = {(one.source, one.key) for one in card_tests([*tries, more], NOW)}
        assert (source, key) in after


@given(TRIED, st.sampled_from(["c-1", "c-2"]))
def test_a_payment_that_passes_makes_nobody_a_tester(tries: list[Try], checkout: str) -> None:
    before = {(one.source, one.key) for one in card_tests(tries, NOW)}
    passed = Try(NOW, checkout=checkout, address="here", card="card-1")
    after = {(one.source, one.key) for one in card_tests([*tries, passed], NOW)}
    assert after <= before


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("nowhere", "nowhere"),
    ],
)
def test_whose_an_address_is(address: str, expected: str) -> None:
    assert network_of(address) == expected
