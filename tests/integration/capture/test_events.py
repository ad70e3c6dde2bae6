"""What an event holds: counted once, storable, set aside when the database refuses it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from flask_checkout_case import Checkout, signals
from flask_checkout_case.capture.leftovers import Leftovers
from flask_checkout_case.data.models import EventRow
from flask_checkout_case.services.runtime import Runtime
from tests.support.capture import CaptureShop, checkout, decline, events, post


def test_a_second_report_of_an_attempt_counts_once(shop: CaptureShop) -> None:
    with shop.app.app_context():
        for _ in range(3):
            signals.payment_failed.send(
                shop.app, checkout=checkout("c-1"), provider="stripe", attempt_id="ch_1"
            )
        shop.recorder.flush()
        (case,) = shop.shop.cases.find()
    assert case.occurrences == 1


def test_what_no_database_takes_never_reaches_one(shop: CaptureShop) -> None:
    unstorable: dict[str, Any] = {"k\x00ey": [[[[[["deep"]]]]], float("nan"), 2**70, b"raw"]}
    with shop.app.app_context():
        signals.payment_failed.send(
            shop.app,
            checkout=Checkout(ref="c\x00-1", step="pay\ud800ment" + "x" * 1000),
            message="nul \x00 and surrogate \udcff",
            failure_code="y" * 100_000,
            **unstorable,
        )
    (data,) = events(shop)
    assert data["message"] == "nul  and surrogate "
    assert len(data["failure_code"]) == 2000
    assert data["key"] == [[[["<list>"]]], "nan", str(2**70), "<bytes>"]
    assert shop.cases() == ["c-1"]


def test_an_event_that_the_database_refuses_goes_to_the_quarantine(shop: CaptureShop) -> None:
    recorder = shop.recorder
    record = recorder.inserter._record

    def refusing(runtime: Runtime, batch: Any, database: Any) -> int:
        if any(one.checkout_ref == "bad" for one in batch):
            raise KeyError("a bug in reading this one")
        return record(runtime, batch, database)

    recorder.inserter._record = refusing
    with shop.app.app_context():
        for ref in ("c-1", "bad", "c-2"):
            decline(ref)
    assert shop.cases() == ["c-1", "c-2"]
    health = recorder.health()
    assert (health["quarantined"], health["unacknowledged"], health["ok"]) == (1, 0, False)
    assert recorder.flush() == 0
    assert recorder.drain() == 0


def test_one_event_row_for_one_event(shop: CaptureShop) -> None:
    post(shop, "/rolls_back/c-1")
    recorder = shop.recorder
    recorder.leftovers = Leftovers(recorder.spool.directory, grace_ms=-1)
    recorder.drain()
    with shop.runtime.read() as session:
        assert session.scalar(select(func.count()).select_from(EventRow)) == 1
