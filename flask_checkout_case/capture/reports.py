"""Logging what went wrong in the shop's own code, without the card data that it may quote."""

from __future__ import annotations

import contextlib
import logging
import traceback
from typing import Final

from ..rules.redact import mask_text, shorten

_LIMIT: Final = 16_000


def log_exception(log: logging.Logger, message: str, *arguments: object) -> None:
    """Log the exception that is being handled, with its traceback, masked. Never raises.

    A shop's logging handler may raise as well; that must not reach the checkout either.
    """
    with contextlib.suppress(Exception):
        trace = traceback.format_exc()
        shown = trace if len(trace) <= _LIMIT else shorten(trace, _LIMIT)
        log.error(f"{message}\n%s", *arguments, mask_text(shown))  # noqa: G004 - masked
