"""``kill -9`` at every step: nothing lost, nothing doubled, under each kind of worker.

More kills: ``python -m benchmarks.faults --kills 1000``.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from flask_checkout_case.capture.leftovers import Leftovers
from flask_checkout_case.data.models import CaseRow
from tests.faults.capture_shop import IN_DRAIN, IN_REQUEST, build, faults_of, recorder_of
from tests.support.processes import ROOT, run_python
from tests.support.shop import dispose
from tests.support.waiting import wait_until

KILLS = 100

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(420)]


def run_kills(database_url: str, home: Path, kills: int, *options: str) -> dict[str, Any]:
    command = ["-m", "tests.faults.capture_kills", database_url, str(home)]
    written = run_python(*command, str(kills), *options, seconds=400)
    found: dict[str, Any] = json.loads(written)
    return found


def test_no_kill_loses_or_doubles_anything(database_url: str, tmp_path: Path) -> None:
    found = run_kills(database_url, tmp_path, KILLS)
    assert sum(found["killed"].values()) == KILLS
    assert set(found["killed"]) == {*IN_REQUEST, *IN_DRAIN}
    assert found["lost"] == []
    assert found["doubled"] == []
    assert found["most_occurrences"] == 1
    assert found["files_left"] == 0
    assert found["health"]["ok"]


def test_the_oracle_would_see_a_loss(sqlite_url: str, tmp_path: Path) -> None:
    found = run_kills(sqlite_url, tmp_path, 20, "--without-spool")
    assert found["lost"]


@contextmanager
def gunicorn(worker: str, database_url: str, home: Path) -> Iterator[Path]:
    """Serve the shop with two workers of the given kind; yield the socket's path."""
    address = home / "http.sock"
    patch = "from gevent import monkey; monkey.patch_all(); " if worker == "gevent" else ""
    start = f"{patch}from gunicorn.app.wsgiapp import run; run()"
    threads = ["--threads", "4"] if worker == "gthread" else []
    command = [sys.executable, "-W", "ignore", "-c", start, "tests.faults.capture_serve"]
    with (home / "server.log").open("w") as log:
        server = subprocess.Popen(
            [*command, "-k", worker, "-w", "2", *threads, "--preload", "-b", f"unix:{address}"],
            cwd=ROOT,
            env={**os.environ, "CAPTURE_URL": database_url, "CAPTURE_HOME": str(home)},
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: address.exists() or server.poll() is not None, what="gunicorn")
        yield address
    finally:
        server.terminate()
        server.wait(timeout=20)


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(str(self._path))


def post(address: Path, path: str) -> int | None:
    """Return the status, or ``None`` when the worker died before it answered."""
    connection = UnixConnection(address)
    try:
        connection.request("POST", path, headers={"Connection": "close"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


@pytest.mark.parametrize("worker", ["sync", "gthread", "gevent"])
def test_real_workers_that_are_killed(database_url: str, tmp_path: Path, worker: str) -> None:
    with gunicorn(worker, database_url, tmp_path) as address:
        wait_until(lambda: post(address, "/pay/first") == 402, what="a first answer")
        for turn in range(2):
            for step in IN_REQUEST:
                post(address, f"/pay/{worker}-{turn}-{step.replace(':', '-')}?kill={step}")
                post(address, f"/pay/{worker}-{turn}-{step.replace(':', '-')}-then")
        wait_until(lambda: post(address, "/pay/last") == 402, what="a last answer")
    killed = (tmp_path / "server.log").read_text().count("SIGKILL")
    assert killed >= len(IN_REQUEST), "the workers were not killed"

    shop = build(database_url, tmp_path, create_tables=False)
    recorder = recorder_of(shop)
    recorder.leftovers = Leftovers(recorder.spool.directory, grace_ms=-1)
    recorder.drain()
    sent = faults_of(shop)[1].read()
    with shop.app.extensions["checkout_case"].read() as session:
        cases = list(session.scalars(select(CaseRow.checkout_ref)))
    dispose(shop)
    assert len(sent) >= 2 * len(IN_REQUEST)
    assert set(sent) <= set(cases)
    assert len(cases) == len(set(cases))
