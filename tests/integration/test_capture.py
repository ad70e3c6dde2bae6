"""What the shop does with its own transaction and request changes neither its data nor ours."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, redirect, send_file, stream_with_context
from flask.typing import ResponseReturnValue
from sqlalchemy import event, func, select
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.exceptions import Conflict

from flask_checkout_case import Checkout, Customer, Line, Money, signals
from flask_checkout_case.capture import receivers, unregister
from flask_checkout_case.capture.leftovers import Leftovers
from flask_checkout_case.capture.recorder import SpoolRecorder
from flask_checkout_case.data.models import EventRow
from flask_checkout_case.services import reading
from flask_checkout_case.services.runtime import Runtime
from tests.support.shop import Shop
from tests.support.waiting import wait_until


class DeclinedError(Exception):
    """The shop's own."""


def checkout(ref: str) -> Checkout:
    return Checkout(
        ref=ref,
        value=Money("120.00", "USD"),
        step="payment",
        customer=Customer(ref="42", name="Ada"),
        lines=[Line(sku="BAG-1", title="Bag", unit_price=Money("120.00", "USD"))],
    )


def decline(ref: str, sender: object = None) -> None:
    signals.payment_failed.send(
        sender, checkout=checkout(ref), provider="stripe", decline_code="insufficient_funds"
    )


class CaptureShop:
    """A shop with orders of its own, and with every bad habit."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.app, self.db = shop.app, shop.db
        self.Order = self._make_model()
        with self.app.app_context():
            self.db.create_all()
        self._add_views()

    def _make_model(self) -> Any:
        class Order(self.shop.db.Model):  # type: ignore[name-defined,misc]
            id: Mapped[int] = mapped_column(primary_key=True)
            ref: Mapped[str]

        return Order

    def order(self, ref: str) -> None:
        """Write as a shop does: in the session, flushed, not committed yet."""
        self.db.session.add(self.Order(ref=ref))
        self.db.session.flush()

    def _add_views(self) -> None:
        app, db = self.app, self.db

        @app.errorhandler(DeclinedError)
        def declined(error: DeclinedError) -> ResponseReturnValue:
            db.session.rollback()
            return f"declined: {error}", 402

        @app.post("/<habit>/<ref>")
        def pay(habit: str, ref: str) -> ResponseReturnValue:
            self.order(ref)
            decline(ref, app)
            answer: ResponseReturnValue = getattr(self, habit)(ref)
            return answer

    def commits(self, ref: str) -> ResponseReturnValue:
        self.db.session.commit()
        return f"no {ref}", 402

    def rolls_back(self, ref: str) -> ResponseReturnValue:
        self.db.session.rollback()
        return f"no {ref}", 402

    def forgets(self, ref: str) -> ResponseReturnValue:
        return f"no {ref}", 402

    def raises(self, ref: str) -> ResponseReturnValue:
        raise ValueError(ref)

    def raises_handled(self, ref: str) -> ResponseReturnValue:
        raise DeclinedError(ref)

    def aborts(self, ref: str) -> ResponseReturnValue:
        raise Conflict(ref)

    def redirects(self, ref: str) -> ResponseReturnValue:
        self.db.session.rollback()
        return redirect(f"/cart/{ref}")

    def nests(self, ref: str) -> ResponseReturnValue:
        with self.app.app_context():
            decline(ref + "-nested", self.app)
        self.db.session.rollback()
        return f"no {ref}", 402

    def streams(self, ref: str) -> ResponseReturnValue:
        self.db.session.rollback()

        def body() -> Iterator[str]:
            yield "one "
            decline(ref + "-streamed", self.app)
            yield "two"

        return Response(body(), status=402)

    def streams_with_context(self, ref: str) -> ResponseReturnValue:
        self.db.session.rollback()

        def body() -> Iterator[str]:
            yield "one "
            self.order(ref + "-streamed")
            decline(ref + "-streamed")
            yield "two"

        return Response(stream_with_context(body()), status=402)

    def sends_a_file(self, ref: str) -> ResponseReturnValue:
        self.db.session.rollback()
        return send_file(__file__)

    @property
    def runtime(self) -> Runtime:
        found: Runtime = self.app.extensions["checkout_case"]
        return found

    @property
    def recorder(self) -> SpoolRecorder:
        recorder = self.runtime.recorder
        assert isinstance(recorder, SpoolRecorder)
        return recorder

    def connect(self) -> None:
        """Do what the background does after a process's first request."""
        # A test machine under load is not a database that hangs.
        self.recorder.database.deadline = 60.0
        self.recorder.database.connect()
        # Made within an app context, the end of which would insert what is waiting.
        assert self.runtime.database.engine is not None

    def orders(self) -> list[str]:
        with self.app.app_context():
            found = self.db.session.scalars(select(self.Order.ref).order_by(self.Order.id))
            return list(found)

    def cases(self) -> list[str]:
        """The checkouts that have a case, oldest first, without flushing."""
        # By no app context: its end would insert what is waiting.
        found = reading.find(self.runtime, limit=200)
        return [case.checkout_ref or "" for case in reversed(found)]


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> CaptureShop:
    made = CaptureShop(make_app(CHECKOUT_CASE_PARTS=[]))
    made.connect()
    return made


def post(shop: CaptureShop, path: str) -> Any:
    return shop.app.test_client().post(path, buffered=True)


# --- inside a request ---


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
    assert b"".join(body) == Path(__file__).read_bytes()
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


def events(shop: CaptureShop) -> list[dict[str, Any]]:
    with shop.runtime.read() as session:
        return list(session.scalars(select(EventRow.data)))


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


# --- outside of any request ---


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


# --- which app is meant ---


@pytest.fixture
def no_other_apps() -> Iterator[None]:
    others = list(receivers._apps)
    for app in others:
        unregister(app)
    yield
    for app in others:
        receivers.register(app)


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


# --- events ---


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
