"""``cases.payment``: watches one payment attempt, as a context manager or as a decorator."""

from __future__ import annotations

import contextlib
import functools
import inspect
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import get_ident
from types import TracebackType
from typing import Any, Final, ParamSpec, TypeVar

from werkzeug.exceptions import HTTPException

from ..gateways import Told, describe_exception, describe_result
from ..services.runtime import Hooks
from ..types import Checkout, Line
from .receivers import receive
from .reports import log_exception
from .snapshot import snapshot

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")
Judge = Callable[[Any], bool | str | Mapping[str, Any] | None]

_CODES: Final = ("failure_code", "decline_code", "network_code", "advice_code", "failure_class")


class Attempt:
    """One attempt to pay, as the shop's code sees it.

    Args:
        checkout: a copy made when the attempt began.
        details: arguments that every signal of this attempt carries.
    """

    def __init__(
        self, checkout: Checkout | Mapping[str, Any] | None, details: Mapping[str, Any]
    ) -> None:
        self._checkout = checkout
        self._details = dict(details)
        self._reported = False

    @property
    def reported(self) -> bool:
        """Whether the shop has said how the attempt ended."""
        return self._reported

    def failed(
        self,
        code: str | None = None,
        *,
        decline_code: str | None = None,
        message: str | None = None,
        **details: Any,
    ) -> None:
        """Report that the attempt failed.

        Args:
            code: the gateway's code; with ``decline_code`` what the issuer said.
            message: the gateway's words, for agents alone.
            details: further arguments of ``payment_failed``: ``attempt_id`` (the charge's id, which
                makes this and a webhook's report one), ``payment_id``, ``network_code``,
                ``advice_code``, ``failure_class``, ``outcome="unknown"`` …
        """
        self._send(
            "payment_failed",
            {"failure_code": code, "decline_code": decline_code, "message": message, **details},
        )

    def succeeded(self, payment_id: str | None = None, **details: Any) -> None:
        """Report that the money is there."""
        self._send("payment_succeeded", {"payment_id": payment_id, **details})

    def canceled(self, **details: Any) -> None:
        """Report that the customer left the payment on purpose."""
        self._send("payment_canceled", details)

    def returned(self, result: object) -> bool:
        """Report what the gateway's SDK returned: paid, refused, cancelled, or waiting.

        Args:
            result: of Stripe's, Adyen's, Braintree's or PayPal's own SDK.

        Returns:
            Whether it was one of theirs that says how the payment stands; else nothing is reported.
        """
        told = _read(result)
        if told is None:
            return False
        name, details = told
        # The shop's own checkout is known better than by what the gateway was told of it.
        of_ours = {"checkout_ref"} if self._checkout is not None else set()
        self._send(name, {key: value for key, value in details.items() if key not in of_ours})
        return True

    def _send(self, name: str, details: Mapping[str, Any]) -> None:
        self._reported = True
        given = {key: value for key, value in details.items() if value is not None}
        receive(name, None, {"checkout": self._checkout, **self._details, **given})

    def raised(self, error: BaseException) -> None:
        """Report an exception, unless the shop has said already how the attempt ended."""
        if self._reported or isinstance(error, HTTPException):
            return
        self._send("payment_failed", describe(error))


def describe(error: BaseException) -> dict[str, Any]:
    """Return what an exception says of a payment, as arguments of ``payment_failed``.

    What no gateway's adapter knows is ``processing`` with an unknown outcome: the money may have
    moved, and nothing says that the bank declined.
    """
    try:
        known = describe_exception(error) or {}
    except Exception:  # noqa: BLE001 - logged
        log_exception(log, "a gateway's exception could not be read")
        known = {}
    if any(known.get(name) for name in _CODES):
        return known
    cls = type(error)
    return {
        **known,
        "failure_class": "processing",
        "outcome": "unknown",
        "error_type": f"{cls.__module__}.{cls.__qualname__}"[-64:],
        "message": known.get("message") or _words(error),
    }


def _read(result: object) -> Told | None:
    try:
        return describe_result(result)
    except Exception:  # noqa: BLE001 - logged
        log_exception(log, "a gateway's result could not be read")
        return None


def _words(error: BaseException) -> str | None:
    with contextlib.suppress(Exception):
        return str(error) or None
    return None


def _copied(checkout: Any) -> Checkout | dict[str, Any] | None:
    """Keep what the checkout is now: a shop may change it while it is being paid."""
    if type(checkout) is Checkout and all(type(line) is Line for line in checkout.lines):
        return replace(checkout, lines=tuple(checkout.lines))
    return snapshot(checkout)


class Payment:
    """What ``cases.payment(…)`` gives: enter it, or put it on a function.

    Args:
        hooks: the shop's; ``checkout_loader`` gives the checkout where none is passed.
        checkout: a :class:`Checkout` or a mapping; it is copied when the attempt begins.
        failed: for the decorator: judges a returned value. A true value is a failure: ``True``, a
            code, or a mapping of arguments of ``payment_failed``.
    """

    def __init__(
        self,
        hooks: Hooks,
        checkout: Checkout | Mapping[str, Any] | None = None,
        *,
        provider: str | None = None,
        failed: Judge | None = None,
        **details: Any,
    ) -> None:
        self._hooks = hooks
        self._checkout = checkout
        self._details = {"provider": provider, **details}
        self._failed = failed
        # By thread: one object may be entered by several, and again within itself.
        self._open: dict[int, list[Attempt]] = {}

    def __enter__(self) -> Attempt:
        attempt = self._begin()
        self._open.setdefault(get_ident(), []).append(attempt)
        return attempt

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        attempt = self._leave()
        if error is not None and attempt is not None:
            attempt.raised(error)

    def _leave(self) -> Attempt | None:
        """Take the attempt that ends here; a generator may end it on another thread."""
        opened, thread = list(self._open), get_ident()
        if thread not in opened and len(opened) == 1:
            thread = opened[0]
        if thread not in opened:
            log.error("a payment attempt was left on another thread: which one it was is unknown")
            return None
        entered = self._open[thread]
        attempt = entered.pop()
        if not entered:
            del self._open[thread]
        return attempt

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        if inspect.iscoroutinefunction(function):
            raise TypeError("cases.payment watches plain functions, not coroutines")

        @functools.wraps(function)
        def watched(*args: P.args, **kwargs: P.kwargs) -> R:
            attempt = self._begin()
            try:
                result = function(*args, **kwargs)
            except BaseException as error:
                attempt.raised(error)
                raise
            self._judge(attempt, result)
            return result

        return watched

    def _begin(self) -> Attempt:
        taken = None
        try:
            checkout = self._checkout
            if checkout is None and self._hooks.checkout_loader is not None:
                checkout = self._hooks.checkout_loader()
            taken = _copied(checkout)
        except Exception:  # noqa: BLE001 - logged
            log_exception(log, "the checkout of a payment attempt could not be loaded")
        return Attempt(taken, self._details)

    def _judge(self, attempt: Attempt, result: object) -> None:
        if attempt.reported:
            return
        if self._failed is None:
            attempt.returned(result)
            return
        try:
            verdict = self._failed(result)
            if isinstance(verdict, Mapping):
                attempt.failed(**{str(name): value for name, value in verdict.items()})
            elif isinstance(verdict, str):
                attempt.failed(verdict)
            elif verdict:
                attempt.failed()
        except Exception:  # noqa: BLE001 - logged
            log_exception(log, "the judge of a payment's result failed")
