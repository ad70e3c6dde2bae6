"""A database that refuses, hangs, is locked or read-only changes no response and loses nothing."""

from __future__ import annotations

import multiprocessing
import socket
import sqlite3
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, event, text

from flask_checkout_case.services import reading
from tests.faults.capture_proxy import Proxy, running_proxy
from tests.faults.capture_shop import decline, recorder_of
from tests.support.ports import free_port
from tests.support.shop import Shop
from tests.support.waiting import wait_until

pytestmark = pytest.mark.faults

ANSWER = (402, b"declined")
CAPTURE_THREAD = "checkout-case-capture"


def add_view(shop: Shop) -> None:
    """A view that needs no database of its own."""

    @shop.app.post("/pay/<ref>")
    def pay(ref: str) -> tuple[str, int]:
        decline(shop, ref)
        return "declined", 402


def post(shop: Shop, ref: str) -> tuple[int, bytes]:
    answer = shop.app.test_client().post(f"/pay/{ref}", buffered=True)
    return answer.status_code, answer.data


def cases(shop: Shop) -> list[str]:
    found = reading.find(shop.app.extensions["checkout_case"], limit=200)
    return sorted(case.checkout_ref or "" for case in found)


def connecting_threads(shop: Shop) -> list[str]:
    """Note which thread opens connections of capture's own."""
    threads: list[str] = []
    engine = recorder_of(shop).database.engine

    @event.listens_for(engine, "do_connect", insert=True)
    def note(*_arguments: Any) -> None:
        threads.append(threading.current_thread().name)

    return threads


def background_is_idle(shop: Shop) -> bool:
    return not any(thread.name == CAPTURE_THREAD for thread in threading.enumerate())


def wait_for_background(shop: Shop) -> None:
    wait_until(lambda: background_is_idle(shop), what="capture's thread")


def broken_shop(make: Callable[..., Shop], url: str) -> Shop:
    """A shop whose database can't be reached, so that its tables can't be made either."""
    shop = make(url, CHECKOUT_CASE_PARTS=[], create_tables=False)
    add_view(shop)
    return shop


@pytest.fixture
def refused_url() -> str:
    return f"postgresql+psycopg://postgres@127.0.0.1:{free_port()}/shop"


@pytest.fixture
def silent_url() -> Iterator[str]:
    """An address that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield f"postgresql+psycopg://postgres@127.0.0.1:{listener.getsockname()[1]}/shop"


# --- it isn't there ---


@pytest.mark.parametrize("kind", ["refused_url", "silent_url"])
def test_nobody_waits_for_a_database_that_isnt_there(
    kind: str, request: pytest.FixtureRequest, make_sqlite_app: Callable[..., Shop]
) -> None:
    shop = broken_shop(make_sqlite_app, request.getfixturevalue(kind))
    threads = connecting_threads(shop)
    for number in range(20):
        assert post(shop, f"c-{number}") == ANSWER
    wait_for_background(shop)
    assert set(threads) == {CAPTURE_THREAD}, "a request has waited for a connection"
    assert len(threads) <= 2, "the breaker let more than a probe through"
    health = recorder_of(shop).health()
    assert (health["ok"], health["breaker"], health["unacknowledged"]) == (False, "open", 20)


def test_what_waited_is_inserted_when_the_database_is_back(
    make_sqlite_app: Callable[..., Shop], proxied: tuple[Proxy, str]
) -> None:
    proxy, url = proxied
    shop = make_sqlite_app(url, CHECKOUT_CASE_PARTS=[])
    add_view(shop)
    proxy.refuses = True
    recorder = recorder_of(shop)
    for number in range(5):
        assert post(shop, f"c-{number}") == ANSWER
    wait_for_background(shop)
    assert recorder.inserter.breaker.is_open
    proxy.refuses = False

    def probed() -> bool:
        # As later requests do; the breaker decides when the database is asked again.
        recorder.background.wake()
        return not recorder.inserter.waiting

    wait_until(probed, what="the probe")
    wait_for_background(shop)
    assert cases(shop) == [f"c-{number}" for number in range(5)]
    assert recorder.health()["ok"]


# --- it hangs ---


@pytest.fixture
def proxied(postgres_url: str) -> Iterator[tuple[Proxy, str]]:
    # Unix sockets have short names: not below pytest's directory.
    with (
        tempfile.TemporaryDirectory(prefix="cc-proxy-") as directory,
        running_proxy(postgres_url, Path(directory)) as found,
    ):
        yield found


def test_a_connection_that_falls_silent_is_cut_off(
    make_sqlite_app: Callable[..., Shop], proxied: tuple[Proxy, str]
) -> None:
    proxy, url = proxied
    shop = make_sqlite_app(url, CHECKOUT_CASE_PARTS=[])
    add_view(shop)
    recorder = recorder_of(shop)
    recorder.database.connect()
    proxy.silent.set()
    # Without the watchdog this would never come back.
    assert post(shop, "c-1") == ANSWER
    assert recorder.inserter.breaker.is_open
    for number in range(2, 6):
        assert post(shop, f"c-{number}") == ANSWER
    assert recorder.health()["unacknowledged"] == 5
    proxy.silent.clear()
    wait_for_background(shop)
    recorder.flush()
    assert cases(shop) == [f"c-{number}" for number in range(1, 6)]


# --- it is locked ---


@contextmanager
def locked(database_url: str) -> Iterator[None]:
    """Hold a lock that keeps everybody from writing an event."""
    if database_url.startswith("sqlite"):
        other = sqlite3.connect(database_url.removeprefix("sqlite:///"))
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.rollback()
        other.close()
        return
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("LOCK TABLE checkout_case_event IN ACCESS EXCLUSIVE MODE"))
        yield
    engine.dispose()


def test_a_locked_database_costs_one_request_one_short_wait(
    make_app: Callable[..., Shop],
) -> None:
    shop = make_app(CHECKOUT_CASE_PARTS=[])
    add_view(shop)
    recorder = recorder_of(shop)
    recorder.database.connect()
    recorder.database.deadline = 60.0
    tried: list[str] = []
    record = recorder.inserter._record

    def recording(*arguments: Any) -> int:
        tried.append(threading.current_thread().name)
        return record(*arguments)

    recorder.inserter._record = recording
    with locked(shop.database_url):
        for number in range(5):
            assert post(shop, f"c-{number}") == ANSWER
        wait_for_background(shop)
        assert tried.count(threading.current_thread().name) == 1
        assert recorder.health()["breaker"] == "open"
    recorder.flush()
    assert cases(shop) == [f"c-{number}" for number in range(5)]
    assert recorder.health()["ok"]


# --- it is read-only ---


def test_a_read_only_sqlite_file(make_sqlite_app: Callable[..., Shop], sqlite_url: str) -> None:
    path = sqlite_url.removeprefix("sqlite:///")
    make_sqlite_app(sqlite_url, CHECKOUT_CASE_PARTS=[])
    shop = make_sqlite_app(
        f"sqlite:///file:{path}?mode=ro&uri=true", CHECKOUT_CASE_PARTS=[], create_tables=False
    )
    add_view(shop)
    assert [post(shop, f"c-{number}") for number in range(3)] == [ANSWER] * 3
    wait_for_background(shop)
    assert recorder_of(shop).health()["unacknowledged"] == 3


def test_a_server_that_is_read_only_for_a_while(
    make_sqlite_app: Callable[..., Shop], postgres_url: str
) -> None:
    shop = make_sqlite_app(postgres_url, CHECKOUT_CASE_PARTS=[])
    add_view(shop)
    recorder = recorder_of(shop)
    set_read_only(postgres_url, "on")
    recorder.database.connect()
    assert [post(shop, f"c-{number}") for number in range(3)] == [ANSWER] * 3
    wait_for_background(shop)
    assert recorder.health()["breaker"] == "open"
    set_read_only(postgres_url, "off")

    def probed() -> bool:
        recorder.background.wake()
        return not recorder.inserter.waiting

    # The old connection stays read-only for ever: the probe has to make a new one.
    wait_until(probed, what="the probe")
    wait_for_background(shop)
    assert cases(shop) == [f"c-{number}" for number in range(3)]


def set_read_only(url: str, value: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        connection.execute(text("SET default_transaction_read_only = off"))
        connection.execute(
            text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {value}')
        )
    engine.dispose()


def test_tables_that_are_missing_are_no_reason_to_set_events_aside(
    make_app: Callable[..., Shop],
) -> None:
    shop = make_app(CHECKOUT_CASE_PARTS=[], create_tables=False)
    add_view(shop)
    recorder = recorder_of(shop)
    recorder.database.connect()
    assert post(shop, "c-1") == ANSWER
    wait_for_background(shop)
    health = recorder.health()
    assert (health["quarantined"], health["unacknowledged"]) == (0, 1)
    with shop.app.app_context():
        shop.db.create_all()
    recorder.flush()
    assert cases(shop) == ["c-1"]


def test_a_fork_leaves_its_parents_connections_alone(
    make_sqlite_app: Callable[..., Shop], postgres_url: str
) -> None:
    shop = make_sqlite_app(postgres_url, CHECKOUT_CASE_PARTS=[])
    add_view(shop)
    recorder = recorder_of(shop)
    recorder.database.deadline = 60.0
    recorder.database.connect()
    assert post(shop, "c-1") == ANSWER
    assert cases(shop) == ["c-1"]
    reader, writer = multiprocessing.Pipe()

    def child() -> None:
        writer.send([post(shop, "c-2") == ANSWER, recorder.flush()])

    forked = multiprocessing.get_context("fork").Process(target=child)
    with warnings.catch_warnings():
        # Newer Pythons warn of threads at a fork; a shop's servers fork all the same.
        warnings.simplefilter("ignore", DeprecationWarning)
        forked.start()
    forked.join(timeout=30)
    assert reader.poll(10)
    assert reader.recv() == [True, 1]
    assert post(shop, "c-3") == ANSWER
    assert not recorder.inserter.breaker.is_open
    assert cases(shop) == ["c-1", "c-2", "c-3"]
