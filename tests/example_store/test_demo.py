"""``python -m example_store.demo`` as a person starts and ends it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests

from example_store.ports import free_port, is_taken
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]


class Demo:
    """A demonstration in a process of its own, and what it has said so far."""

    def __init__(self, folder: Path, ports: list[int]) -> None:
        self.folder, self.ports = folder, ports
        self._said = folder.with_suffix(".out")
        names = ("port", "stripe-port", "inbox-port", "adyen-port", "warehouse-port", "smtp-port")
        flags = [f"--{name}" for name in names]
        pairs = [
            part for flag, port in zip(flags, ports, strict=True) for part in (flag, str(port))
        ]
        with self._said.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "example_store.demo", "--quick"),
                    *("--folder", str(folder), *pairs),
                ],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._said.read_text(errors="replace")

    def wait_until_open(self) -> None:
        def opened() -> bool:
            assert self.process.poll() is None, self.said
            return "Ctrl-C ends it all" in self.said

        wait_until(opened, seconds=90, every=0.2, what="the demonstration")

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@contextmanager
def started(folder: Path, ports: list[int]) -> Iterator[Demo]:
    demo = Demo(folder, ports)
    try:
        yield demo
    finally:
        if demo.process.poll() is None:
            demo.process.terminate()
        demo.process.wait(30)


def free_ports() -> list[int]:
    return [free_port() for _ in range(6)]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_it_starts_ends_and_starts_again(tmp_path: Path) -> None:
    folder, ports = tmp_path / "demo", free_ports()
    with started(folder, ports) as demo:
        demo.wait_until_open()
        assert "Told a month of history" in demo.said
        pages = ("Objects made", "Cards to try", "Inbox", "What Klarna may answer", "Warehouse")
        for port, word in zip(ports[:5], pages, strict=True):
            assert word in requests.get(f"http://127.0.0.1:{port}/", timeout=5).text
        running = demo.descendants()
        assert len(running) == 6
        demo.process.send_signal(signal.SIGINT)
        assert demo.process.wait(30) == 0
        assert "Everything has ended" in demo.said
        assert not [one for one in running if one.is_running()]
        assert not [port for port in ports if is_taken(port)]
    with started(folder, ports) as again:
        again.wait_until_open()
        assert "Told" not in again.said


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_nothing_is_left_when_it_is_killed(tmp_path: Path) -> None:
    with started(tmp_path / "demo", free_ports()) as demo:
        demo.wait_until_open()
        running = demo.descendants()
        demo.process.kill()
        demo.process.wait(10)
        wait_until(
            lambda: not [one for one in running if one.is_running()], what="the children's end"
        )


def test_a_taken_port_is_named_with_what_changes_it(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        ports = free_ports()
        ports[1] = holder.getsockname()[1]
        demo = Demo(tmp_path / "demo", ports)
        assert demo.process.wait(60) == 2
    assert f"Port {ports[1]}, for the local Stripe, is taken" in demo.said
    assert "--stripe-port N" in demo.said
    assert "DEMO_STRIPE_PORT=N" in demo.said
