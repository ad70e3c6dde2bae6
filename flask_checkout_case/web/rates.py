"""How much one address may ask of our public routes."""

from __future__ import annotations

import logging
import math
from typing import Final

from flask import request
from limits import RateLimitItem, parse_many
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from ..errors import CheckoutCaseError, ConfigurationError
from ..i18n import gettext
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
    limiter, limits = _limiter(runtime)
    who = request.remote_addr or "nowhere"
    factor = READS_PER_WRITE if reading else 1
    wider = [type(item)(item.amount * factor, item.multiples, item.namespace) for item in limits]
    try:
        reached = [it for it in wider if not limiter.hit(it, "checkout-case", scope, who)]
        wait = _seconds_left(limiter, reached[0], scope, who) if reached else 0
    except Exception as error:
        log.exception("the store of the rate limits can't be reached")
        if fail_closed:
            raise RateLimitedError(60) from error
        return
    if wait:
        raise RateLimitedError(wait)


def _limiter(runtime: Runtime) -> tuple[FixedWindowRateLimiter, list[RateLimitItem]]:
    if "rate_limiter" not in runtime.extras:
        storage = storage_from_string(runtime.settings.rate_limit_storage)
        if not isinstance(storage, Storage):
            raise ConfigurationError("the rate limits need a synchronous storage")
        limits = parse_many(runtime.settings.rate_limit)
        runtime.extras["rate_limiter"] = (FixedWindowRateLimiter(storage), limits)
    found: tuple[FixedWindowRateLimiter, list[RateLimitItem]] = runtime.extras["rate_limiter"]
    return found


def _seconds_left(
    limiter: FixedWindowRateLimiter, limit: RateLimitItem, scope: str, who: str
) -> int:
    stats = limiter.get_window_stats(limit, "checkout-case", scope, who)
    now = this_runtime().clock().timestamp()
    return max(1, min(limit.get_expiry(), math.ceil(stats.reset_time - now)))
