"""The embedded runner: one process that does, every few seconds, what is due.

Several may run at once; each piece of work is done by one of them.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from types import FrameType
from typing import Any, Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from flask import Flask
from sqlalchemy.exc import OperationalError

from ..services.runtime import Runtime
from ..types import utc_now
from .deliver import deliver
from .drain import drain
from .sweep import sweep

log = logging.getLogger(__name__)

Job = Callable[[Runtime], object]

SECONDS: Final[Mapping[str, float]] = {"drain": 5, "sweep": 5, "deliver": 2}
"""How often each job runs. A case is late by no more than this when its time comes."""


class Worker:
    """Runs the jobs of one app, each isolated from the others' exceptions."""

    def __init__(self, app: Flask, runtime: Runtime) -> None:
        self._app = app
        self._runtime = runtime
        self._stopping = threading.Event()
        self._jobs: Mapping[str, Job] = {
            "drain": drain,
            "sweep": sweep,
            "deliver": lambda runtime: deliver(runtime, stopping=self._stopping.is_set),
        }

    def run_once(self) -> bool:
        """Run each job once, in an order in which each finds what the one before left it.

        Returns:
            Whether all of them went well.
        """
        went_well = [self._run(name) for name in self._jobs]
        return all(went_well)

    def run(self, seconds: Mapping[str, float] = SECONDS) -> None:
        """Run the jobs until SIGTERM or SIGINT; then end the running ones and return.

        Only in the main thread: it listens to signals.
        """
        scheduler = self._scheduler(seconds)
        with _stop_signals() as wait:
            scheduler.start()
            log.info("the worker runs: %s", ", ".join(self._jobs))
            wait()
            log.info("the worker stops")
            self._stopping.set()
            scheduler.shutdown(wait=True)

    def _scheduler(self, seconds: Mapping[str, float]) -> BackgroundScheduler:
        # One thread a job: a mail server that hangs must not stop the clocks.
        scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(len(self._jobs))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        for name in self._jobs:
            every = IntervalTrigger(seconds=seconds[name], timezone=UTC)
            scheduler.add_job(self._run, every, [name], id=name, next_run_time=utc_now())
        return scheduler

    def _run(self, name: str) -> bool:
        try:
            with self._app.app_context():
                self._jobs[name](self._runtime)
        except OperationalError as error:
            # Every few seconds while the database is away: no place for tracebacks.
            log.error("%s waits for the database: %s", name, _first_line(error))  # noqa: TRY400
        except Exception:
            log.exception("%s failed; it is tried again", name)
        else:
            return True
        return False


def _first_line(error: OperationalError) -> str:
    return str(error.orig or error).partition("\n")[0][:200]


@contextmanager
def _stop_signals() -> Iterator[Callable[[], Any]]:
    """Yield a function that waits for SIGTERM or SIGINT; a second one changes nothing."""
    reader, writer = os.pipe()

    def stop(_number: int, _frame: FrameType | None) -> None:
        # A handler may interrupt anything: it takes no lock and raises nothing.
        os.write(writer, b".")

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: select.select([reader], [], [])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)
