"""The README's quickstart, as it is written there, in an environment that has nothing else."""

from __future__ import annotations

import http.client
import http.cookiejar
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.readme import marked_blocks
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(300)]

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(scope="session")
def fresh_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment into which only the wheel was installed."""
    home = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    programs = home / "bin"
    run = subprocess.run(
        [str(programs / "pip"), "install", "--quiet", f"{wheel}[stripe]"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return programs


class Visitor:
    """A browser without script: keeps cookies, and returns error pages like any other."""

    def __init__(self, address: str) -> None:
        self.address = address
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)

    def open(self, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        body = None if form is None else urllib.parse.urlencode(form).encode()
        try:
            with self._opener.open(self.address + path, body, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


@contextmanager
def running_shop(programs: Path, folder: Path) -> Iterator[str]:
    """Run the README's command in ``folder``; yield the shop's address."""
    port = free_port()
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder)}
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(programs / "flask"), "--app", "shop", "run", "--debug", "--port", str(port)],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until(
                lambda: process.poll() is not None or _listens(port), what="the quickstart's shop"
            )
            assert process.poll() is None, log.read_text()
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=10)


def _listens(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.connect()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def test_a_declined_payment_becomes_a_case(fresh_environment: Path, tmp_path: Path) -> None:
    (block,) = (block for block in marked_blocks(README) if block.mark == "quickstart")
    (tmp_path / "shop.py").write_text(block.code)
    with running_shop(fresh_environment, tmp_path) as address:
        customer = Visitor(address)
        status, page = customer.open("/checkout")
        assert status == 200
        assert "/checkout-case/" in page

        status, page = customer.open("/pay", form={})
        assert status == 402
        assert "Your card was declined." in page
        assert "/checkout-case/" in page

        agent = Visitor(address)
        queue = wait_until(
            lambda: _shows(agent, "/checkout-case/agent/?view=all", "129.00"), what="the case"
        )
        assert "Ada" in queue


def _shows(visitor: Visitor, path: str, text: str) -> str | None:
    status, page = visitor.open(path)
    return page if status == 200 and text in page else None


def test_the_quickstart_fits_a_screen() -> None:
    (block,) = (block for block in marked_blocks(README) if block.mark == "quickstart")
    assert len(block.code.splitlines()) <= 60
