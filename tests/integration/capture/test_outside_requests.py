"""Commands, tasks and threads, drains, and databases that are written in another way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flask_checkout_case.capture.leftovers import Leftovers
from tests.support.capture import CaptureShop, decline, post
from tests.support.shop import Shop


def test_a_command_of_the_shop(shop: CaptureShop) -> None:
    @shop.app.cli.command("import-orders")
    def import_orders() -> None:
        shop.order("c-1")
        decline("c-1")
        shop.db.session.rollback()

    result = shop.app.test_cli_runner().invoke(args=["import-orders"])
    assert result.exit_code == 0, result.output
    assert shop.cases() == ["c-1"]
    assert shop.orders() == []


def test_a_task_that_forgets_its_transaction(shop: CaptureShop) -> None:
    with shop.app.app_context():
        shop.order("c-1")
        decline("c-1")
    assert shop.cases() == ["c-1"]
    assert shop.orders() == []


def test_a_task_that_raises(shop: CaptureShop) -> None:
    with pytest.raises(ValueError, match="theirs"), shop.app.app_context():  # noqa: PT012
        shop.order("c-1")
        decline("c-1")
        raise ValueError("theirs")
    assert shop.cases() == ["c-1"]
    assert shop.orders() == []


def test_nested_contexts_with_the_outer_ones_transaction_open(shop: CaptureShop) -> None:
    with shop.app.app_context():
        shop.order("c-1")
        with shop.app.app_context():
            decline("c-1-inner")
        decline("c-1")
        shop.db.session.commit()
    assert sorted(shop.cases()) == ["c-1", "c-1-inner"]
    assert shop.orders() == ["c-1"]


def test_without_any_context_the_drain_takes_it(shop: CaptureShop) -> None:
    decline("c-1", shop.app)
    assert shop.cases() == []
    assert shop.recorder.health()["unacknowledged"] == 1
    assert shop.recorder.drain() == 1
    assert shop.cases() == ["c-1"]
    assert shop.recorder.health()["unacknowledged"] == 0


def test_the_next_request_brings_along_what_had_no_context(shop: CaptureShop) -> None:
    decline("c-1", shop.app)
    post(shop, "/rolls_back/c-2")
    assert shop.cases() == ["c-1", "c-2"]


def test_the_drain_of_another_process_takes_what_a_living_one_leaves(shop: CaptureShop) -> None:
    decline("c-1", shop.app)
    other = type(shop.recorder)(
        shop.runtime,
        type(shop.recorder.spool)(shop.recorder.spool.directory),
        shop.recorder.database,
        shop.recorder.inserter._record,
    )
    assert other.drain() == 0, "it has had no time to insert it itself"
    other.leftovers = Leftovers(shop.recorder.spool.directory, grace_ms=-1)
    assert other.drain() == 1
    assert shop.cases() == ["c-1"]
    assert shop.recorder.flush() == 1
    assert shop.cases() == ["c-1"]


def test_an_in_memory_database_is_written_in_flush_alone(make_app: Callable[..., Shop]) -> None:
    shop = CaptureShop(make_app("sqlite://", CHECKOUT_CASE_PARTS=[]))
    with shop.app.app_context():
        shop.order("c-1")
        decline("c-1")
        assert shop.shop.cases.flush() == 0, "a commit of ours would make the order permanent"
        shop.db.session.rollback()
        assert shop.shop.cases.flush() == 1
    assert post(shop, "/rolls_back/c-2").status_code == 402
    assert shop.cases() == ["c-1"]
    with shop.app.app_context():
        shop.shop.cases.flush()
    assert shop.cases() == ["c-1", "c-2"]
    assert shop.orders() == []


def test_a_relative_sqlite_path_lies_in_the_instance_folder(
    make_app: Callable[..., Shop], tmp_path: Path
) -> None:
    shop = CaptureShop(make_app("sqlite:///relative.db", CHECKOUT_CASE_PARTS=[]))
    assert post(shop, "/commits/c-1").status_code == 402
    assert shop.cases() == ["c-1"]
    assert [path.name for path in tmp_path.rglob("relative.db")] == ["relative.db"]
    assert str(shop.recorder.database.engine.url.database).startswith(shop.app.instance_path)


def test_direct_mode_writes_at_once_in_a_session_of_its_own(
    postgres_url: str, make_app: Callable[..., Shop], tmp_path: Path
) -> None:
    shop = CaptureShop(
        make_app(postgres_url, CHECKOUT_CASE_PARTS=[], CHECKOUT_CASE_CAPTURE="direct")
    )
    with shop.app.app_context():
        shop.order("c-1")
        decline("c-1")
        assert shop.cases() == ["c-1"]
        shop.db.session.rollback()
    assert post(shop, "/rolls_back/c-2").status_code == 402
    assert shop.cases() == ["c-1", "c-2"]
    assert shop.orders() == []
    assert list(tmp_path.rglob("*.spool")) == []
    assert shop.recorder.health()["ok"]
