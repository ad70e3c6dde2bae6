"""Inside a request: what the shop does with its transaction changes neither its data nor ours."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.typing import ResponseReturnValue
from sqlalchemy import event, select

from flask_checkout_case import signals
from tests.support.capture import FILE, CaptureShop, decline, events, post
from tests.support.shop import Shop
from tests.support.waiting import wait_until


def test_a_shop_that_commits(shop: CaptureShop) -> None:
    answer = post(shop, "/commits/c-1")
    assert (answer.status_code, answer.text) == (402, "no c-1")
    assert shop.cases() == ["c-1"]
    assert shop.orders() == ["c-1"]


@pytest.mark.parametrize("habit", ["rolls_back", "forgets"])
def test_a_shop_that_rolls_back_or_forgets_to(shop: CaptureShop, habit: str) -> None:
    answer = post(shop, f"/{habit}/c-1")
    assert (answer.status_code, answer.text) == (402, "no c-1")
    assert shop.cases() == ["c-1"]
    assert shop.orders() == []


def test_a_shop_that_raises(shop: CaptureShop) -> None:
    with pytest.raises(ValueError, match="c-1"):
        post(shop, "/raises/c-1")
    assert shop.cases() == ["c-1"]
    assert shop.orders() == []


def test_a_shop_that_raises_in_production(shop: CaptureShop) -> None:
    shop.app.config.update(TESTING=False, PROPAGATE_EXCEPTIONS=False)
    assert post(shop, "/raises/c-1").status_code == 500
    assert shop.cases() == ["c-1"]


@pytest.mark.parametrize(
    ("habit", "status"), [("raises_handled", 402), ("aborts", 409), ("redirects", 302)]
)
def test_a_shop_that_answers_with_an_error(shop: CaptureShop, habit: str, status: int) -> None:
    assert post(shop, f"/{habit}/c-1").status_code == status
    assert shop.cases() == ["c-1"]
    assert shop.orders() == []


def test_a_shop_that_nests_app_contexts_in_a_request(shop: CaptureShop) -> None:
    assert post(shop, "/nests/c-1").status_code == 402
    assert shop.cases() == ["c-1", "c-1-nested"]
    assert shop.orders() == []


def test_nothing_is_inserted_before_the_response_is_out(shop: CaptureShop) -> None:
    answer = shop.app.test_client().post("/rolls_back/c-1")
    assert answer.status_code == 402
    assert shop.cases() == []
    answer.close()
    assert shop.cases() == ["c-1"]


@pytest.mark.parametrize("habit", ["streams", "streams_with_context"])
def test_a_response_that_streams(shop: CaptureShop, habit: str) -> None:
    assert post(shop, f"/{habit}/c-1").text == "one two"
    assert shop.cases() == ["c-1", "c-1-streamed"]
    assert shop.orders() == []


def test_a_file_keeps_the_servers_own_wrapper(shop: CaptureShop) -> None:
    class ServersFile:
        def __init__(self, file: Any, size: int = 8192) -> None:
            self.file, self.size = file, size

        def __iter__(self) -> Iterator[bytes]:
            return iter(lambda: self.file.read(self.size), b"")

        def close(self) -> None:
            self.file.close()

    environ = shop.app.test_request_context("/sends_a_file/c-1", method="POST").request.environ
    environ["wsgi.file_wrapper"] = ServersFile
    body: Any = shop.app.wsgi_app(environ, lambda *_args: lambda _data: None)
    assert isinstance(body, ServersFile)
    assert b"".join(body) == FILE.read_bytes()
    assert shop.cases() == []
    body.close()
    assert body.file.closed
    assert shop.cases() == ["c-1"]


def test_a_test_client_that_closes_nothing_is_served_by_flush(shop: CaptureShop) -> None:
    client = shop.app.test_client()
    for number in range(3):
        client.post(f"/rolls_back/c-{number}")
    with shop.app.app_context():
        assert shop.shop.cases.flush() == 3
        assert shop.shop.cases.flush() == 0
    assert shop.cases() == ["c-0", "c-1", "c-2"]


def test_a_request_that_never_ends_doesnt_hold_up_the_next(shop: CaptureShop) -> None:
    shop.app.test_client().post("/rolls_back/c-1")
    post(shop, "/rolls_back/c-2")
    assert shop.cases() == ["c-1", "c-2"]


def test_the_shops_session_is_never_touched(shop: CaptureShop) -> None:
    with shop.app.app_context():
        shop.order("c-1")
        shop.db.session.commit()
        order = shop.db.session.scalars(select(shop.Order)).one()
        shop.db.session.expire(order)
        statements: list[str] = []

        @event.listens_for(shop.db.engine, "before_cursor_execute")
        def count(*arguments: Any) -> None:
            statements.append(arguments[2])

        signals.payment_failed.send(
            shop.app, checkout_ref="c-1", order_object=order, nested={"orders": [order]}
        )
        assert statements == []
        assert not shop.db.session.new
        assert not shop.db.session.dirty
    (data,) = events(shop)
    assert data == {"order_object": "<Order>", "nested": {"orders": ["<Order>"]}}


def test_a_shop_that_uses_all_of_its_pool(postgres_url: str, make_app: Callable[..., Shop]) -> None:
    options = {"pool_size": 4, "max_overflow": 0, "pool_timeout": 2}
    made = make_app(postgres_url, SQLALCHEMY_ENGINE_OPTIONS=options, CHECKOUT_CASE_PARTS=[])
    shop = CaptureShop(made)
    everybody = threading.Barrier(4)

    @shop.app.post("/all/<ref>")
    def with_all(ref: str) -> ResponseReturnValue:
        shop.order(ref)
        everybody.wait(timeout=20)
        decline(ref, shop.app)
        everybody.wait(timeout=20)
        shop.db.session.commit()
        return "ok"

    with ThreadPoolExecutor(4) as threads:
        for start in range(0, 40, 4):
            paths = [f"/all/c-{number}" for number in range(start, start + 4)]
            answers = list(threads.map(lambda path: post(shop, path).status_code, paths))
            assert answers == [200] * 4

    def all_are_there() -> bool:
        # One flush gives up where a loaded database outlasts its time limit.
        with shop.app.app_context():
            shop.shop.cases.flush()
        return len(shop.cases()) == 40

    wait_until(all_are_there, what="forty cases")
    assert sorted(shop.cases()) == sorted(f"c-{number}" for number in range(40))
    assert len(shop.orders()) == 40
