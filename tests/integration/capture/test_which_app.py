"""Several apps in one process: which of them a signal means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.support.capture import CaptureShop, decline, post
from tests.support.shop import Shop


@pytest.fixture
def two_shops(
    no_other_apps: None, make_app: Callable[..., Shop], tmp_path: Path
) -> tuple[CaptureShop, CaptureShop]:
    first = CaptureShop(make_app(CHECKOUT_CASE_PARTS=[]))
    second = CaptureShop(make_app(f"sqlite:///{tmp_path / 'second.db'}", CHECKOUT_CASE_PARTS=[]))
    for shop in (first, second):
        shop.connect()
    return first, second


def test_two_apps_with_two_databases_stay_apart(
    two_shops: tuple[CaptureShop, CaptureShop],
) -> None:
    first, second = two_shops
    post(first, "/rolls_back/c-1")
    post(second, "/rolls_back/c-2")
    with first.app.app_context():
        decline("c-3")  # the context's
        decline("c-4", second.app)  # the sender's
    with second.app.app_context():
        from flask import current_app

        decline("c-5", current_app)
    for shop in two_shops:
        shop.recorder.flush()
    assert sorted(first.cases()) == ["c-1", "c-3"]
    assert sorted(second.cases()) == ["c-2", "c-4", "c-5"]


def test_two_apps_that_share_a_spool_drain_their_own_alone(
    no_other_apps: None, make_app: Callable[..., Shop], tmp_path: Path
) -> None:
    shops = [
        CaptureShop(
            make_app(url, CHECKOUT_CASE_PARTS=[], CHECKOUT_CASE_SPOOL_DIR=str(tmp_path / "spool"))
        )
        for url in (None, f"sqlite:///{tmp_path / 'second.db'}")
    ]
    for number, shop in enumerate(shops):
        shop.connect()
        decline(f"c-{number}", shop.app)
        shop.recorder.spool.close()  # as if this process had died
        shop.recorder.inserter.waiting.clear()
    assert [shop.recorder.drain() for shop in shops] == [1, 1]
    assert [shop.cases() for shop in shops] == [["c-0"], ["c-1"]]


def test_a_signal_that_could_mean_two_apps_is_an_error_in_the_log(
    two_shops: tuple[CaptureShop, CaptureShop], caplog: pytest.LogCaptureFixture
) -> None:
    decline("c-1")
    assert "2 apps could be meant" in caplog.text
    for shop in two_shops:
        shop.recorder.flush()
        assert shop.cases() == []


def test_without_a_context_the_only_app_is_meant(
    no_other_apps: None, make_app: Callable[..., Shop]
) -> None:
    shop = CaptureShop(make_app(CHECKOUT_CASE_PARTS=[]))
    decline("c-1")
    assert shop.recorder.drain() == 1
    assert shop.cases() == ["c-1"]


def test_a_foreign_app_as_sender_is_said_and_ignored(
    shop: CaptureShop, caplog: pytest.LogCaptureFixture
) -> None:
    decline("c-1", Flask("somebody"))
    assert "was never given to init_app" in caplog.text
    assert shop.recorder.flush() == 0
