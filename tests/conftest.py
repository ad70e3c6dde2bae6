"""Fixtures of general use. What they start is real: databases, mail server, Redis, browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from playwright.sync_api import Browser, Page

    from tests.support.mail import Mailbox
    from tests.support.postgres import PostgresCluster
    from tests.support.shop import Shop


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--screenshots", type=Path, metavar="DIR", help="keep the pictures that browser tests take"
    )


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresCluster]:
    """A PostgreSQL server for the whole session; ``with postgres.database() as url`` makes one."""
    from tests.support.postgres import running_postgres

    with running_postgres() as cluster:
        yield cluster


@pytest.fixture
def postgres_url(postgres: PostgresCluster) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of this test's own."""
    with postgres.database() as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that doesn't exist yet."""
    return f"sqlite:///{tmp_path / 'shop.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database; the test runs once on SQLite and once on PostgreSQL."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
def make_app(database_url: str, tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    """Make a small shop: ``make_app(CHECKOUT_CASE_WIDGET="off")``. Runs on both databases."""
    with _shops(database_url, tmp_path) as make:
        yield make


@pytest.fixture
def make_sqlite_app(sqlite_url: str, tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    """The same as ``make_app``, on SQLite alone: for tests in which the database plays no part."""
    with _shops(sqlite_url, tmp_path) as make:
        yield make


class _shops:  # noqa: N801 - used as a context manager
    def __init__(self, database_url: str, home: Path) -> None:
        self._url = database_url
        self._home = home
        self._made: list[Shop] = []

    def __enter__(self) -> Callable[..., Shop]:
        return self._make

    def __exit__(self, *_exc: object) -> None:
        from tests.support.shop import dispose

        for shop in self._made:
            dispose(shop)

    def _make(self, database_url: str | None = None, **config: Any) -> Shop:
        from tests.support.shop import build_shop

        home = self._home / f"instance-{len(self._made)}"
        home.mkdir()
        shop = build_shop(database_url or self._url, home, **config)
        self._made.append(shop)
        return shop


@pytest.fixture
def live_server() -> Iterator[Callable[[WSGIApplication], str]]:
    """Serve an app over HTTP in threads of this process: ``address = live_server(app)``."""
    from tests.support.server import running_server

    with ExitStack() as stack:
        yield lambda application: stack.enter_context(running_server(application))


@pytest.fixture
def smtp() -> Iterator[Mailbox]:
    """A mail server that keeps what it is given."""
    from tests.support.mail import running_mailbox

    with running_mailbox() as mailbox:
        yield mailbox


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The address of a Redis server for the whole session."""
    from tests.support.redis import running_redis

    with running_redis() as address:
        yield address


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The address of an empty Redis server."""
    from redis import Redis

    with Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium. Make a context per person: ``chromium.new_context(viewport=…)``."""
    from tests.support.browser import running_chromium

    with running_chromium() as browser:
        yield browser


@pytest.fixture
def screenshot(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Keep a picture of a page: ``screenshot(page, "case-desktop")``.

    It is written with ``--screenshots DIR`` alone; ``make screenshots`` gives the documentation's.
    """
    folder: Path | None = request.config.getoption("--screenshots")

    def take(page: Page, name: str) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=folder / f"{name}.png")

    return take
