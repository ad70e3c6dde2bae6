"""What no shop means to send, and no disk to give back: on the way into each database."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from flask_checkout_case import Checkout, Customer, Money, signals
from flask_checkout_case.capture import lines
from flask_checkout_case.capture.snapshot import make_event
from tests.support.capture import CaptureShop, checkout

CARD = "4242424242424242"


def test_a_card_in_an_odd_place_reaches_no_table(shop: CaptureShop) -> None:
    with shop.app.app_context():
        signals.payment_failed.send(
            shop.app,
            checkout=Checkout(
                ref="c-1", value=Money.minor(int(CARD), "USD"), customer=Customer(name=CARD)
            ),
            event_id=CARD,
            attempt_id=CARD,
            message="x" * 1984 + CARD + "x",
        )
        shop.recorder.flush()
        with shop.db.engine.connect() as connection:
            for table in shop.db.metadata.sorted_tables:
                rows = connection.execute(text(f'SELECT * FROM "{table.name}"')).all()
                assert "42424242" not in str(rows), table.name
    assert shop.cases() == ["c-1"]


@pytest.mark.parametrize("year", [1, 9999])
def test_an_instant_that_cannot_be_opens_a_case_all_the_same(shop: CaptureShop, year: int) -> None:
    with shop.app.app_context():
        at = datetime(year, 1, 1, tzinfo=UTC)
        signals.payment_failed.send(shop.app, checkout=checkout("c-1"), at=at)
    assert shop.cases() == ["c-1"]
    assert shop.recorder.health()["quarantined"] == 0


def test_a_line_of_wrong_types_does_not_pass_for_a_database_that_is_away(shop: CaptureShop) -> None:
    recorder = shop.recorder
    good = [
        make_event("payment_failed", {"checkout": checkout(ref)}, datetime.now(UTC))
        for ref in ("c-1", "c-2")
    ]
    bad = lines.as_json(replace(good[0], id="e-1"))
    bad["checkout"] = {**bad["checkout"], "step": {"a": 1}}
    written = [lines.event_line(number, 0, event) for number, event in enumerate(good)]
    written.insert(1, lines._line(b"E 9 0 " + json.dumps(bad).encode()))
    recorder.spool.directory.mkdir(parents=True, exist_ok=True)
    dead = recorder.spool.directory / "dead.spool"
    dead.write_bytes(b"".join(written))
    assert recorder.drain() == 2
    assert shop.cases() == ["c-1", "c-2"]
    assert (recorder.health()["quarantined"], dead.exists()) == (1, False)
