"""In a flood of failures requests leave the database alone, and nothing is lost of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import OperationalError

from flask_checkout_case import signals
from flask_checkout_case.capture.flood import MANY
from flask_checkout_case.capture.leftovers import Leftovers
from flask_checkout_case.capture.recorder import SpoolRecorder
from flask_checkout_case.data.models import CaseRow
from tests.support.desk import checkout, runtime_of
from tests.support.shop import Shop
from tests.support.storm import count

FAILURES = 2 * MANY


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return make_app(CHECKOUT_CASE_PARTS=[])


def recorder_of(shop: Shop) -> SpoolRecorder:
    recorder = runtime_of(shop).recorder
    assert isinstance(recorder, SpoolRecorder)
    return recorder


def fail(shop: Shop, numbers: range) -> None:
    for number in numbers:
        with shop.app.app_context():
            signals.payment_failed.send(
                shop.app, checkout=checkout(f"c-{number}"), failure_code="processing_error"
            )


@pytest.fixture
def flooded(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    second = datetime.now(UTC).timestamp()
    monkeypatch.setattr(recorder_of(shop)._flood, "_seconds", lambda: second)
    fail(shop, range(FAILURES))
    return shop


def test_requests_insert_no_more_than_a_second_takes(flooded: Shop) -> None:
    assert count(flooded, CaseRow) == MANY
    assert recorder_of(flooded).health()["unacknowledged"] == FAILURES - MANY


def test_a_flush_brings_all_of_it(flooded: Shop) -> None:
    recorder_of(flooded).flush()
    assert count(flooded, CaseRow) == FAILURES
    assert recorder_of(flooded).health()["unacknowledged"] == 0


def test_the_worker_brings_all_of_it_and_the_process_learns(
    flooded: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = recorder_of(flooded)
    worker = recorder._drain_of(Leftovers(recorder.spool.directory, grace_ms=0))
    monkeypatch.setattr(worker._own, "settled_elsewhere", lambda *_arguments: None)
    assert worker.run() == FAILURES - MANY
    monkeypatch.undo()
    assert count(flooded, CaseRow) == FAILURES
    assert recorder.spool.outstanding == FAILURES - MANY
    recorder.flush()
    assert recorder.spool.outstanding == 0
    assert count(flooded, CaseRow) == FAILURES


def test_when_it_is_over_the_process_looks_after_what_it_has_left(
    flooded: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = recorder_of(flooded)
    later = recorder._flood._seconds() + 5
    monkeypatch.setattr(recorder._flood, "_seconds", lambda: later)
    fail(flooded, range(FAILURES, FAILURES + 1))
    recorder.background._run()
    recorder.flush()
    assert count(flooded, CaseRow) == FAILURES + 1
    assert recorder.spool.outstanding == 0


def test_what_the_database_did_not_take_is_left_for_the_next_time(
    flooded: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = recorder_of(flooded)

    def away(*_arguments: object) -> int:
        raise OperationalError("INSERT", {}, Exception("away"))

    with monkeypatch.context() as patched:
        patched.setattr(recorder, "_record", away)
        recorder.flush()
    assert count(flooded, CaseRow) == MANY
    recorder.flush()
    assert count(flooded, CaseRow) == FAILURES
    assert recorder.health()["unacknowledged"] == 0
