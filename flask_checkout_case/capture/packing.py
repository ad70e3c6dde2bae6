"""A signal as it was sent, by position, in one line of JSON: all that a shop's request waits for.

Nearly every signal carries texts, numbers and our own dataclasses, and nothing that has to be
masked. Such a signal is encoded in one call; limits, refs and ids are seen to when the line is read
back, after the response. Whatever else is sent goes the longer way of :func:`.snapshot.make_event`,
and both ways lead to the same event. What counts here is how little code runs: between two
declined cards a server does so much else that this code is never found in the processor's cache.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from json import JSONEncoder
from json import encoder as json_encoder
from operator import attrgetter
from typing import Any, Final, NewType

from ..rules.redact import may_need_masking, scrub
from ..types import Checkout, Customer, Event, Line, Money, Order, utc_now
from .plain import EPOCH, KEY_LIMIT, encode
from .snapshot import EVENT_LIMIT, make_event

Packed = NewType("Packed", str)
"""A signal in JSON: id, microseconds since 1970, name, names of the arguments, their values."""

_CHECKOUT: Final = ("ref", "value", "step", "country", "url", "order_ref", "customer", "lines")
_ORDER: Final = ("ref", "value", "status", "url", "checkout_ref", "customer", "lines")
_CUSTOMER: Final = ("ref", "name", "email", "language", "country", "orders", "tags")
_LINE: Final = ("sku", "title", "quantity", "unit_price", "image_url", "url")

_opened: Final[Mapping[type, Callable[[Any], Any]]] = {
    Checkout: attrgetter(*_CHECKOUT),
    Order: attrgetter(*_ORDER),
    Customer: attrgetter(*_CUSTOMER),
    Line: attrgetter(*_LINE),
    Money: attrgetter("minor_units", "currency"),
    uuid.UUID: str,
}
_SCALARS: Final = frozenset({str, int, float, bool, type(None), uuid.UUID})
# What else than scalars the fields may be, and what may be in the list that is some's last one.
# Anything else, such as a list where a text belongs, could hold what nobody has looked at.
_FIELDS: Final[Mapping[type, tuple[str, ...]]] = {
    Checkout: _CHECKOUT,
    Order: _ORDER,
    Customer: _CUSTOMER,
    Line: _LINE,
}
_LISTS: Final = frozenset({list, tuple})
_KINDS: Final[Mapping[str, frozenset[type]]] = {
    "value": frozenset({Money}),
    "unit_price": frozenset({Money}),
    "customer": frozenset({Customer}),
    "lines": _LISTS,
    "tags": _LISTS,
}
_ITEMS: Final = {Checkout: frozenset({Line}), Order: frozenset({Line}), Customer: frozenset({str})}
_OWN: Final[Mapping[str, type]] = {"checkout": Checkout, "order": Order, "customer": Customer}
_PROBE: Final = "12345678901234"
# Letters of the Latin script: no digits and no signs among them, as there are in other blocks.
_OTHER_ESCAPE: Final = re.compile(r"\\(?!u0(?:0[c-f]|1)[0-9a-f])")


def pack(name: str, arguments: Mapping[str, Any], now: Callable[[], datetime]) -> Packed | None:
    """Encode a signal, or return ``None`` when it has to go the longer way.

    Args:
        name: the signal's.
        arguments: what it was sent with.
        now: gives the present, aware UTC.

    Raises:
        Exception: whatever the arguments make the encoder raise: the longer way then, too.
    """
    values = (*arguments.values(),)
    head = _head(name, (*arguments,), (*map(type, values),))
    if head is None:
        return None
    encoded = "".join(_encode(values, 0))
    if not _is_harmless(encoded):
        return None
    return Packed(f'["{next(_ids)}",{_microseconds(now)},{head},{encoded}]')


def unpack(packed: str) -> Event:
    """Make the event of a packed signal.

    Raises:
        ValueError, TypeError: this is no such line.
    """
    id_, microseconds, name, names, values = json.loads(packed)
    if not isinstance(id_, str) or not isinstance(name, str) or len(names) != len(values):
        raise ValueError("not a packed signal")
    arguments = {key: _restored(key, value) for key, value in zip(names, values, strict=True)}
    return make_event(name, arguments, EPOCH + timedelta(microseconds=microseconds), id_)


@lru_cache(maxsize=512)
def _head(name: str, keys: tuple[str, ...], types: tuple[type, ...]) -> str | None:
    """Return name and arguments' names in JSON; ``None`` if arguments like these can't be packed.

    A shop sends the same few over and over: they are looked at once.
    """
    for key, kind in zip(keys, types, strict=True):
        if type(key) is not str or len(key) > KEY_LIMIT or not _is_harmless_name(key):
            return None
        if kind not in _SCALARS and kind is not _OWN.get(key, Money):
            return None
    head = f"{encode(name)},{encode(keys)}"
    return head if head.isascii() and "\\" not in head else None


def _is_harmless_name(name: str) -> bool:
    # "number" holds a card's number beside an expiry date alone.
    probe = {name: _PROBE, "expiry": "12/30"}
    return bool(scrub(probe) == probe)


def _is_harmless(encoded: str) -> bool:
    # In braces are mappings, whose names nobody has looked at. Escaped are other scripts, whose
    # digits count as well, and what can't be stored. Masking sees at least as much in all values
    # together as in each of them.
    return (
        len(encoded) <= EVENT_LIMIT
        and "{" not in encoded
        and ("\\" not in encoded or _OTHER_ESCAPE.search(encoded) is None)
        and not may_need_masking(encoded)
    )


def _microseconds(now: Callable[[], datetime]) -> int:
    if now is utc_now:  # spares making a datetime, which takes five times as long
        return time.time_ns() // 1000
    return round((now() - EPOCH).total_seconds() * 1e6)


def _read_own(value: Any) -> Any:
    kind = type(value)
    opened = _opened[kind](value)
    if kind is Money or kind is uuid.UUID:
        return opened
    if not _are_expected(_FIELDS[kind], (*map(type, opened),)):
        raise TypeError("expected plain values")
    items = _ITEMS.get(kind)
    if items is not None and not items.issuperset(map(type, opened[-1])):
        raise TypeError("expected a list of its own things")
    return opened


@lru_cache(maxsize=512)
def _are_expected(names: tuple[str, ...], types: tuple[type, ...]) -> bool:
    return all(
        type_ in (_KINDS[name] if name in _KINDS and type_ not in _SCALARS else _SCALARS)
        for name, type_ in zip(names, types, strict=True)
    )


def _make_encode() -> Callable[[Any, int], Iterable[str]]:
    # The encoder that JSONEncoder would make anew at each call, where Python has it in C.
    quoted = json_encoder.encode_basestring_ascii
    try:
        made: Callable[[Any, int], Iterable[str]] = json_encoder.c_make_encoder(  # type: ignore[attr-defined]
            None, _read_own, quoted, None, ":", ",", False, False, False
        )
    except (AttributeError, TypeError):
        whole = JSONEncoder(separators=(",", ":"), allow_nan=False, default=_read_own)
        return lambda value, _level: whole.iterencode(value)
    return made


_encode: Final = _make_encode()


def _restored(name: str, value: Any) -> Any:
    """Make of a list what it was: one of our dataclasses, as a mapping or as money."""
    if not isinstance(value, list):
        return value
    names = {"checkout": _CHECKOUT, "order": _ORDER, "customer": _CUSTOMER}.get(name)
    return _named(names, value) if names else _money(value)


def _named(names: tuple[str, ...], values: Any) -> dict[str, Any]:
    found = dict(zip(names, values, strict=True))
    for name in ("value", "unit_price"):
        if found.get(name) is not None:
            found[name] = _money(found[name])
    if isinstance(found.get("customer"), list):
        found["customer"] = _named(_CUSTOMER, found["customer"])
    if isinstance(found.get("lines"), list):
        found["lines"] = [
            _named(_LINE, line) if isinstance(line, list) else line for line in found["lines"]
        ]
    return found


def _money(value: Any) -> Money | None:
    # What is no money where money belongs is no news to the longer way either.
    return Money.minor(*value) if isinstance(value, list) else None


def _fresh_ids() -> Iterator[str]:
    return map(f"{secrets.token_hex(8)}-%x".__mod__, itertools.count())


def _after_fork_in_child() -> None:
    global _ids  # noqa: PLW0603 - else parent and child would give the same ids
    _ids = _fresh_ids()


_ids = _fresh_ids()
os.register_at_fork(after_in_child=_after_fork_in_child)
