"""A full disk: the database still gets the event; with both gone it is logged, masked."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flask_checkout_case.capture.leftovers import Leftovers
from flask_checkout_case.services import reading
from tests.faults.capture_shop import decline, recorder_of
from tests.support.ports import free_port
from tests.support.processes import run_python
from tests.support.shop import Shop, build_shop, dispose

pytestmark = pytest.mark.faults

CARD = "4242 4242 4242 4242"


def serve_on_a_full_disk(database_url: str, home: Path) -> None:
    """Be the process whose files may not grow: ``python -m tests.faults.test_capture_disk``."""
    import logging
    import resource

    from flask_checkout_case import signals

    gone = ":0" in database_url
    shop = build_shop(database_url, home, create_tables=not gone, CHECKOUT_CASE_PARTS=[])
    recorder = recorder_of(shop)
    written: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(record.getMessage())

    logging.getLogger("flask_checkout_case").addHandler(Kept())

    @shop.app.post("/pay/<ref>")
    def pay(ref: str) -> tuple[str, int]:
        signals.payment_failed.send(shop.app, checkout_ref=ref, message=f"card {CARD} declined")
        return "declined", 402

    if not gone:
        recorder.database.connect()
        recorder.database.deadline = 60.0
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    client = shop.app.test_client()
    answers = [client.post(f"/pay/c-{number}", buffered=True) for number in range(3)]
    full = recorder.health()
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    found = {
        "answers": [[answer.status_code, answer.text] for answer in answers],
        "full": full,
        "log": written,
        "cases": []
        if gone
        else [case.checkout_ref for case in reading.find(recorder.runtime, limit=9)],
    }
    client.post("/pay/later", buffered=True)
    found["later"] = recorder.health()
    print(json.dumps(found))
    sys.stdout.flush()
    os._exit(0)


def run_on_a_full_disk(database_url: str, home: Path) -> dict[str, Any]:
    written = run_python("-m", "tests.faults.test_capture_disk", database_url, str(home))
    found: dict[str, Any] = json.loads(written)
    return found


def test_a_full_disk_alone_loses_nothing(postgres_url: str, tmp_path: Path) -> None:
    found = run_on_a_full_disk(postgres_url, tmp_path)
    assert found["answers"] == [[402, "declined"]] * 3
    assert sorted(found["cases"]) == ["c-0", "c-1", "c-2"]
    assert not found["full"]["ok"]
    assert found["full"]["spool_error"]
    assert found["full"]["in_memory_alone"] == 0
    assert found["later"]["ok"], found["later"]


def test_with_the_database_gone_as_well_it_is_logged_masked_and_health_is_red(
    tmp_path: Path,
) -> None:
    # Port 0 refuses, and marks the URL for the other process.
    found = run_on_a_full_disk("postgresql+psycopg://postgres@127.0.0.1:0/shop", tmp_path)
    assert found["answers"] == [[402, "declined"]] * 3
    assert not found["full"]["ok"]
    assert found["full"]["in_memory_alone"] == 3
    log = "\n".join(found["log"])
    assert all(f"'c-{number}'" in log for number in range(3))
    assert CARD not in log
    assert "4242 4242" not in log


# --- damage, and what is left of a dead process ---


@pytest.fixture
def shop(make_sqlite_app: Callable[..., Shop]) -> Shop:
    return make_sqlite_app(CHECKOUT_CASE_PARTS=[])


def dead_file(shop: Shop, count: int) -> Path:
    """Leave a spool file as a killed process does."""
    recorder = recorder_of(shop)
    for number in range(count):
        decline(shop, f"c-{number}")
    (path,) = recorder.spool.paths
    left = path.with_name("dead.spool")
    left.write_bytes(path.read_bytes())
    recorder.inserter.waiting.clear()
    recorder.spool.close()
    path.unlink()
    return left


def cases(shop: Shop) -> list[str]:
    found = reading.find(recorder_of(shop).runtime, limit=50)
    return sorted(case.checkout_ref or "" for case in found)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "older"])
def test_a_damaged_file_gives_its_good_lines_and_an_alarm(shop: Shop, damage: str) -> None:
    path = dead_file(shop, 4)
    lines = path.read_bytes().splitlines(keepends=True)
    if damage == "truncated":
        lines[-1] = lines[-1][:-40]
    elif damage == "flipped":
        lines[-1] = lines[-1].replace(b"c-3", b"c-7")
    else:
        lines[-1] = lines[-1].replace(b"cc1", b"cc0", 1)
    path.write_bytes(b"".join(lines))
    recorder = recorder_of(shop)
    assert recorder.drain() == 3
    assert cases(shop) == ["c-0", "c-1", "c-2"]
    assert not path.exists()
    health = recorder.health()
    assert (health["quarantined"], health["ok"]) == (1, False)
    assert recorder.drain() == 0


def test_a_backlog_of_a_dead_process_is_seen_and_drained_once(shop: Shop) -> None:
    dead_file(shop, 120)
    recorder = recorder_of(shop)
    assert recorder.health()["unacknowledged"] == 120
    assert recorder.drain() == 120
    assert recorder.drain() == 0
    assert len(reading.find(recorder.runtime, limit=200)) == 120
    assert Leftovers(recorder.spool.directory).files() == []


@pytest.fixture
def refusing_shop(tmp_path: Path) -> Iterator[Shop]:
    url = f"postgresql+psycopg://postgres@127.0.0.1:{free_port()}/shop"
    home = tmp_path / "refusing"
    home.mkdir()
    shop = build_shop(url, home, create_tables=False, CHECKOUT_CASE_PARTS=[])
    yield shop
    dispose(shop)


def test_a_drain_without_its_database_leaves_everything_where_it_is(refusing_shop: Shop) -> None:
    path = dead_file(refusing_shop, 3)
    before = path.read_bytes()
    assert recorder_of(refusing_shop).drain() == 0
    assert path.read_bytes() == before


if __name__ == "__main__":
    serve_on_a_full_disk(sys.argv[1], Path(sys.argv[2]))
