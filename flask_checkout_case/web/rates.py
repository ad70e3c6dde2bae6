"""How much one address may ask of our public routes."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from dataclasses import dataclass
from typing import Final

from flask import request
from limits import RateLimitItem, parse_many
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from ..errors import CheckoutCaseError, ConfigurationError
from ..i18n import gettext
from ..rules.velocity import network_of
from ..services.runtime import Runtime
from .language import this_runtime

log = logging.getLogger(__name__)

READS_PER_WRITE: Final = 40


class RateLimitedError(CheckoutCaseError):
    """Too much from one address.

    Args:
        wait: seconds after which it may be tried again.
    """

    code = "rate_limited"
    status = 429

    def __init__(self, wait: int) -> None:
        super().__init__(gettext("Too many requests. Please wait a moment and try again."))
        self.wait = wait


def limit_rate(scope: str, *, reading: bool = False, fail_closed: bool = False) -> None:
    """Count this request against its address, by the shop's ``CHECKOUT_CASE_RATE_LIMIT``.

    Args:
        scope: what is counted together.
        reading: a page that changes nothing may be asked for more often.
        fail_closed: refuse when the counts can't be reached; otherwise let through.

    Raises:
        RateLimitedError: the limit is reached.
    """
    runtime = this_runtime()
    rates = _rates(runtime)
    who = network_of(request.remote_addr or "nowhere")
    if reading:
        rates.readings.hit(scope, who)
        return
    try:
        limits, limiter = rates.writing, rates.limiter
        reached = [it for it in limits if not limiter.hit(it, "checkout-case", scope, who)]
        wait = _seconds_left(rates.limiter, reached[0], scope, who) if reached else 0
    except Exception as error:
        log.exception("the store of the rate limits can't be reached")
        if fail_closed:
            raise RateLimitedError(60) from error
        return
    if wait:
        raise RateLimitedError(wait)


class _Readings:
    """Counts of this process alone: a poll costs no round trip, and may be asked for often.

    Args:
        most: how often one address may read one page within the window.
        seconds: the length of the window.
    """

    def __init__(self, most: int, seconds: int) -> None:
        self._most, self._seconds = most, seconds
        self._window = 0
        self._counts: Counter[tuple[str, str]] = Counter()

    def hit(self, scope: str, who: str) -> None:
        now = time.monotonic()
        window = int(now // self._seconds)
        if window != self._window:
            self._window, self._counts = window, Counter()
        counts = self._counts
        counts[scope, who] += 1
        if counts[scope, who] > self._most:
            raise RateLimitedError(max(1, math.ceil((window + 1) * self._seconds - now)))


@dataclass(frozen=True, slots=True)
class _Rates:
    limiter: FixedWindowRateLimiter
    writing: tuple[RateLimitItem, ...]
    readings: _Readings


def _rates(runtime: Runtime) -> _Rates:
    if "rates" not in runtime.extras:
        storage = storage_from_string(runtime.settings.rate_limit_storage)
        if not isinstance(storage, Storage):
            raise ConfigurationError("the rate limits need a synchronous storage")
        writing = tuple(parse_many(runtime.settings.rate_limit))
        short = min(writing, key=lambda item: item.get_expiry())
        readings = _Readings(short.amount * READS_PER_WRITE, short.get_expiry())
        runtime.extras["rates"] = _Rates(FixedWindowRateLimiter(storage), writing, readings)
    found: _Rates = runtime.extras["rates"]
    return found


def _seconds_left(
    limiter: FixedWindowRateLimiter, limit: RateLimitItem, scope: str, who: str
) -> int:
    stats = limiter.get_window_stats(limit, "checkout-case", scope, who)
    now = this_runtime().clock().timestamp()
    return max(1, min(limit.get_expiry(), math.ceil(stats.reset_time - now)))
