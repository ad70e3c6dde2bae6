"""Child processes that end together."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self


class ChildError(RuntimeError):
    """A child ended, or didn't answer; the message says which and shows the end of its log."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process that was started, and where it writes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def tail(self, lines: int = 12) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Children:
    """Starts processes and ends them all when the block is left, however it is left.

    Args:
        logs: folder for a log file of each.
        environment: added to this process's own.
    """

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        self._logs = logs
        self._environment = {**os.environ, **environment}
        self._children: list[Child] = []
        logs.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def start(self, name: str, command: Sequence[str]) -> Child:
        """Start one; its output goes to ``<name>.log``."""
        log = self._logs / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "example_store.follow", *command],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C reaches this process alone, which ends the children in order.
                start_new_session=True,
            )
        child = Child(name, process, log)
        self._children.append(child)
        return child

    def wait_for(self, child: Child, url: str, seconds: float = 45.0) -> None:
        """Wait until ``url`` answers.

        Raises:
            ChildError: the child ended, or the time is over.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.check()
            if _answers(url):
                return
            time.sleep(0.1)
        raise ChildError(f"{child.name} didn't answer at {url}:\n{child.tail()}")

    def check(self) -> None:
        """Raise ChildError if a child has ended."""
        for child in self._children:
            if child.process.poll() is not None:
                status = child.process.returncode
                raise ChildError(f"{child.name} ended with status {status}:\n{child.tail()}")

    def end(self) -> None:
        """End all, the last one first, and wait for them."""
        for child in reversed(self._children):
            _signal_group(child, signal.SIGTERM)
        end = time.monotonic() + 12
        for child in self._children:
            try:
                child.process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(child, signal.SIGKILL)
                child.process.wait()
        self._children.clear()


def _signal_group(child: Child, number: signal.Signals) -> None:
    if child.process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.process.pid, number)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - addresses of this machine
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
