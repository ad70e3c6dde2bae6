"""Every payment of many checkouts fails at once, through the shop's own requests."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from flask_checkout_case import signals
from flask_checkout_case.data.models import EventRow
from flask_checkout_case.jobs.sweep import sweep
from tests.support.due import runtime_of
from tests.support.shop import Shop
from tests.support.storm import buyer, case_rows, count, incidents, members, pays, queued, refs
from tests.support.waiting import wait_until

pytestmark = pytest.mark.faults

FAILURES = 600


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return make_app()


def add_view(shop: Shop) -> None:
    @shop.app.post("/pay/<ref>")
    def pay(ref: str) -> tuple[str, int]:
        signals.payment_failed.send(
            shop.app,
            checkout=buyer(ref),
            provider="stripe",
            method="card",
            failure_code="processing_error",
        )
        return "declined", 402


def keep_sweeping(shop: Shop, stop: threading.Event) -> None:
    while not stop.wait(0.2):
        with shop.app.app_context():
            sweep(runtime_of(shop))


def test_a_storm_is_one_item_in_the_queue_and_nothing_is_lost(shop: Shop) -> None:
    add_view(shop)
    pays(shop, refs("ok", 20))
    stop = threading.Event()
    sweeping = threading.Thread(target=keep_sweeping, args=(shop, stop))
    sweeping.start()

    def pay(ref: str) -> int:
        return shop.app.test_client().post(f"/pay/{ref}", buffered=True).status_code

    wanted = refs("c", FAILURES)
    try:
        with ThreadPoolExecutor(6) as pool:
            statuses = Counter(pool.map(pay, wanted))
        wait_until(lambda: len(members(shop)) == FAILURES, seconds=60, what="all the members")
        wait_until(lambda: len(queued(shop)) == 1, seconds=60, what="all of them to be folded")
    finally:
        stop.set()
        sweeping.join()
    assert statuses == {402: FAILURES}
    (incident,) = incidents(shop)
    assert incident.members == FAILURES
    assert {one.checkout_ref for one in members(shop)} == {*wanted}
    assert [row.id for row in queued(shop)] == [incident.case_id]
    assert len(case_rows(shop)) == FAILURES
    assert count(shop, EventRow) == FAILURES + 20
