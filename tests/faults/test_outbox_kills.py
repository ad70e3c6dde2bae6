"""Workers that are killed while they send: everything arrives, and nothing twice without a kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from flask_checkout_case.jobs.sweep import sweep
from tests.support.due import checkout, decline, entries, outbox, runtime_of, set_clock
from tests.support.mail import Mailbox
from tests.support.shop import Shop

ROOT = Path(__file__).parents[2]
MESSAGES = 50
KILLS = 40

pytestmark = [pytest.mark.faults, pytest.mark.slow]


def queued(shop: Shop, messages: int) -> None:
    """Let payments be declined an hour ago, and the sweep decide to write to the customers."""
    clock = set_clock(shop)
    failed_at = clock.now - timedelta(hours=1)
    shop.cases.mailer(lambda _mail: None)
    for number in range(messages):
        decline(shop, failed_at, checkout=checkout(f"c-{number}"))
    assert sweep(runtime_of(shop)).cases == messages
    assert len(outbox(shop)) == messages


def worker(shop: Shop, home: Path, smtp: Mailbox, kills: int, seed: int) -> subprocess.Popen[str]:
    home.mkdir()
    script = str(Path(__file__).with_name("outbox_worker.py"))
    return subprocess.Popen(
        [sys.executable, script, shop.database_url, str(home), smtp.url, str(kills), str(seed)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def result(process: subprocess.Popen[str], seconds: float) -> dict[str, int]:
    try:
        output, _ = process.communicate(timeout=seconds)
    finally:
        process.kill()
    told: dict[str, int] = json.loads(output)
    return told


def arrived(smtp: Mailbox) -> Counter[str]:
    return Counter(str(message["Message-ID"]) for message in smtp.messages)


@pytest.mark.timeout(300)
def test_a_worker_that_is_killed_again_and_again_sends_everything(
    make_app: Callable[..., Shop], smtp: Mailbox, tmp_path: Path
) -> None:
    shop = make_app()
    queued(shop, MESSAGES)
    told = result(worker(shop, tmp_path / "killed", smtp, KILLS, seed=1), 280)
    counted = arrived(smtp)
    assert told["killed"] == KILLS
    assert len(counted) == MESSAGES
    assert counted.total() - MESSAGES <= KILLS
    assert {row.state for row in outbox(shop)} == {"done"}
    written = Counter(line.case_id for line in entries(shop, "mail"))
    assert len(written) == MESSAGES
    assert set(written.values()) == {1}


@pytest.mark.timeout(200)
def test_two_workers_send_nothing_twice(
    make_app: Callable[..., Shop], smtp: Mailbox, tmp_path: Path
) -> None:
    shop = make_app()
    queued(shop, 60)
    workers = [worker(shop, tmp_path / name, smtp, 0, seed=2) for name in ("one", "two")]
    for one in workers:
        assert result(one, 120)["killed"] == 0
    counted = arrived(smtp)
    assert len(counted) == counted.total() == 60
