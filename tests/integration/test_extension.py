"""Binding to an app."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from flask_checkout_case import CheckoutCase
from flask_checkout_case.errors import ConfigurationError
from tests.support.shop import Shop


@pytest.fixture
def shop(make_sqlite_app: Callable[..., Shop]) -> Shop:
    return make_sqlite_app()


def test_a_second_registration_is_refused(shop: Shop) -> None:
    with pytest.raises(RuntimeError, match="already"):
        CheckoutCase().init_app(shop.app, shop.db)


def test_the_database_comes_first(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"db\.init_app"):
        CheckoutCase().init_app(Flask("shop", instance_path=str(tmp_path)), SQLAlchemy())


def test_app_and_database_belong_together(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="both"):
        CheckoutCase(Flask("shop", instance_path=str(tmp_path)))


def test_a_bad_key_stops_the_start(make_sqlite_app: Callable[..., Shop]) -> None:
    with pytest.raises(ConfigurationError, match="CHECKOUT_CASE_WIDGET"):
        make_sqlite_app(CHECKOUT_CASE_WIDGET="sometimes")


def test_switched_off_it_mounts_nothing(make_sqlite_app: Callable[..., Shop]) -> None:
    shop = make_sqlite_app(CHECKOUT_CASE_ENABLED=False)
    rules = [rule.rule for rule in shop.app.url_map.iter_rules()]
    assert not any("checkout-case" in rule for rule in rules)
    with shop.app.app_context():
        shop.db.create_all()
        assert shop.cases.find() == []


def test_parts_are_mounted_alone(make_sqlite_app: Callable[..., Shop]) -> None:
    shop = make_sqlite_app(CHECKOUT_CASE_PARTS=["agent"], CHECKOUT_CASE_URL_PREFIX="/help-desk")
    ours = {
        rule.endpoint.split(".")[0]
        for rule in shop.app.url_map.iter_rules()
        if rule.rule.startswith("/help-desk")
    }
    assert ours == {"checkout_case_agent", "checkout_case_system"}


def test_without_an_agent_loader_the_start_warns_once(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    client = shop.app.test_client()
    with caplog.at_level(logging.WARNING):
        client.get("/checkout-case/health")
        client.get("/checkout-case/health")
    told = [record for record in caplog.records if "agent_loader" in record.getMessage()]
    assert len(told) == 1


def test_with_an_agent_loader_it_does_not(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.cases.agent_loader(lambda: None)
    with caplog.at_level(logging.WARNING):
        shop.app.test_client().get("/checkout-case/health")
    assert not [record for record in caplog.records if "agent_loader" in record.getMessage()]


def test_health_is_green_on_a_healthy_shop(shop: Shop) -> None:
    answer = shop.app.test_client().get("/checkout-case/health")
    assert (answer.status_code, answer.get_json()) == (200, {"ok": True})
    assert "no-store" in answer.headers["Cache-Control"]


def test_outside_of_an_app_it_says_what_is_missing(tmp_path: Path) -> None:
    app = Flask("plain", instance_path=str(tmp_path))
    with app.app_context(), pytest.raises(RuntimeError, match="no CheckoutCase"):
        CheckoutCase().get("CC-1")


def test_only_known_signals_can_be_listened_as(shop: Shop) -> None:
    from flask_checkout_case import signals

    with pytest.raises(ConfigurationError, match="order_complete"):
        shop.cases.listen(signals.case_opened, as_="order_complete")
