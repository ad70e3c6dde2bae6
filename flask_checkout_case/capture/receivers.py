"""From a shop's signal, sent by whomever, to the app whose case it may become."""

from __future__ import annotations

import contextlib
import logging
import weakref
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from blinker import NamedSignal, Signal
from flask import Flask, current_app, has_app_context

from ..services.runtime import Runtime
from ..signals import FROM_SHOP
from ..types import Checkout, Event
from .client import with_client
from .packing import pack
from .recorder import SpoolRecorder
from .reports import log_exception
from .snapshot import bare_event, make_event

log = logging.getLogger(__name__)

EXTENSION: Final = "checkout_case"

_apps: weakref.WeakSet[Flask] = weakref.WeakSet()
_receivers: dict[str, Callable[..., None]] = {}

MapArguments = Callable[..., Mapping[str, Any] | None]


def register(app: Flask) -> None:
    """Let ``app`` receive signals whose sender doesn't say which app it is."""
    _apps.add(app)


def unregister(app: Flask) -> None:
    """Forget ``app``, as if it had never been set up."""
    _apps.discard(app)


def connect_signals() -> None:
    """Receive every signal of a shop, once per process, from any sender."""
    for name, signal in FROM_SHOP.items():
        if name not in _receivers:
            _receivers[name] = _receiver(name)
        # Blinker holds receivers weakly by default, and knows a second connection of the same one.
        signal.connect(_receivers[name], weak=False)


def _receiver(name: str) -> Callable[..., None]:
    def receive_signal(sender: Any = None, /, **arguments: Any) -> None:
        # Around receive() as well: even what goes wrong while it reports must not reach the shop.
        try:  # noqa: SIM105 - contextlib.suppress would cost as much as all the rest of this
            receive(name, sender, arguments)
        except Exception:  # noqa: BLE001, S110 - it reports by itself, where that works
            pass

    receive_signal.__name__ = f"receive_{name}"
    return receive_signal


def listen(
    signal: Signal,
    as_: NamedSignal,
    map: MapArguments | None = None,  # noqa: A002 - the public interface's name
) -> None:
    """Take a shop's own signal for one of ours.

    Args:
        signal: the shop's.
        as_: ours, such as ``signals.order_completed``.
        map: called with the shop's sender and arguments; returns the arguments of ours, or ``None``
            when this one is not to be taken. Without it the arguments are taken as they are.
    """

    def receive_theirs(sender: Any = None, /, **arguments: Any) -> None:
        with contextlib.suppress(Exception):
            mapped = _mapped(map, as_, sender, arguments)
            if mapped is not None:
                receive(str(as_.name), sender, mapped)

    signal.connect(receive_theirs, weak=False)


def _mapped(
    map_: MapArguments | None, as_: NamedSignal, sender: Any, arguments: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    try:
        return arguments if map_ is None else map_(sender, **arguments)
    except Exception:  # noqa: BLE001 - logged
        log_exception(log, "the mapping of a shop's signal to %s failed", as_.name)
        return None


def receive(name: str, sender: Any, arguments: Mapping[str, Any]) -> None:
    """Capture one signal. Whatever goes wrong, the shop's call goes on.

    Args:
        sender: an app, a proxy of one, or anything.
        arguments: as the signal documents them.
    """
    try:
        app = resolve_app(sender)
        runtime = app.extensions.get(EXTENSION) if app is not None else None
        if isinstance(runtime, Runtime) and isinstance(runtime.recorder, SpoolRecorder):
            told = with_client(runtime, name, arguments)
            _capture(runtime.recorder, name, told, runtime.clock)
    except Exception:  # noqa: BLE001 - logged
        log_exception(log, "the signal %s could not be captured", name)


def _capture(
    recorder: SpoolRecorder,
    name: str,
    arguments: Mapping[str, Any],
    now: Callable[[], datetime],
) -> None:
    """Have the app's recorder keep a signal: packed, or as the event that is made of it."""
    try:
        packed = pack(name, arguments, now)
    except Exception:  # noqa: BLE001 - the longer way can deal with anything
        packed = None
    recorder.capture(packed or _event(name, arguments, now()))


def _event(name: str, arguments: Mapping[str, Any], now: datetime) -> Event:
    try:
        event = make_event(name, arguments, now)
    except Exception:  # noqa: BLE001 - logged
        log_exception(log, "the arguments of %s could not be copied; its refs are kept alone", name)
        event = bare_event(name, arguments, now)
    checkout = arguments.get("checkout")
    if event.checkout_ref is None and checkout is not None and not isinstance(checkout, Checkout):
        log.warning(
            "%s: checkout is neither a Checkout nor a mapping but %s: it was not read",
            name,
            type(checkout).__name__,
        )
    return event


def resolve_app(sender: Any) -> Flask | None:
    """Return the app that a signal is about: the sender, else the context's, else the only one."""
    app = sender if isinstance(sender, Flask) else _unwrapped(sender)
    if isinstance(app, Flask):
        if EXTENSION not in app.extensions:
            log.warning("the app %s sends signals but was never given to init_app", app.name)
            return None
        return app
    if has_app_context():
        current = _unwrapped(current_app)
        if isinstance(current, Flask) and EXTENSION in current.extensions:
            return current
    apps = list(_apps)
    if len(apps) == 1:
        return apps[0]
    log.error(
        "a signal came without an app, outside of any app context, and %d apps could be meant: "
        "send it with the app as sender",
        len(apps),
    )
    return None


def _unwrapped(sender: Any) -> Any:
    unwrap = getattr(sender, "_get_current_object", None)
    if unwrap is None:
        return sender
    try:
        return unwrap()
    except RuntimeError:
        # A proxy outside of its context.
        return None
