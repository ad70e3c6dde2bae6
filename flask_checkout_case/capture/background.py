"""A thread for what no request may wait for. It lives only while there is something to do."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class Background:
    """Runs ``work`` in a thread of its own, once for any number of wishes made meanwhile."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._lock = threading.Condition()
        self._running = False
        self._again = False
        self._rests_until = 0.0

    def wake(self, within: float = 0.0) -> None:
        """Have ``work`` run soon. Never raises: what it would have done, the drain does.

        Args:
            within: seconds that it may wait for more to come.
        """
        until = time.monotonic() + within
        with self._lock:
            if not self._again or until < self._rests_until:
                self._rests_until = until
            self._again = True
            if self._running:
                self._lock.notify()
                return
            self._running = True
        try:
            threading.Thread(target=self._run, name="checkout-case-capture", daemon=True).start()
        except RuntimeError as error:
            log.warning("no thread for captured events: %s", error)
            with self._lock:
                self._running = False

    def _run(self) -> None:
        while self._wanted():
            try:
                self._work()
            except Exception:
                log.exception("captured events could not be looked after; the spool has them")

    def _wanted(self) -> bool:
        with self._lock:
            while self._again and (rest := self._rests_until - time.monotonic()) > 0:
                self._lock.wait(rest)
            wanted, self._again = self._again, False
            self._running = wanted
            return wanted
