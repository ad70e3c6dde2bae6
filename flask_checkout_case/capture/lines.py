"""Lines of a spool file: how events and their acknowledgements are written down and read back.

A line is ``cc1 <crc32 of the rest> <kind> <rest>``, ASCII, between newlines: whatever was cut short
before it, by a full disk or a kill, ends there. Kinds: ``E`` an
event and ``S`` a packed signal (number, milliseconds of the clock, JSON), ``A`` numbers that the
database has, ``Q`` offsets of lines that were moved to the quarantine. Empty lines mean nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from zlib import crc32

from ..types import Event, Origin
from .packing import Packed, unpack
from .plain import encode

VERSION: Final = b"cc1"
_EVENTS: Final = (b"E", b"S")


@dataclass(frozen=True, slots=True)
class SpooledEvent:
    """An event as found in a file.

    Args:
        number: its own in that file.
        written_ms: when it was written, milliseconds of the wall clock.
        offset: where its line begins.
        line: the line itself, without the newline.
    """

    number: int
    written_ms: int
    offset: int
    line: bytes
    event: Event


@dataclass(frozen=True, slots=True)
class BadLine:
    offset: int
    line: bytes
    reason: str


@dataclass(slots=True)
class Content:
    """What a spool file holds.

    Args:
        events: those that nobody has acknowledged, in the order in which they were written.
        bad: lines that can't be trusted and are not in the quarantine yet.
        tail: bytes after the last newline; in the file of a live process a line being written.
        acknowledged: the numbers of the others.
    """

    events: list[SpooledEvent] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)
    tail: bytes = b""
    acknowledged: set[int] = field(default_factory=set)


def _line(body: bytes) -> bytes:
    return b"\n%s %08x %s\n" % (VERSION, crc32(body), body)


def event_line(number: int, now_ms: int, content: Event | Packed) -> bytes:
    """Return the line of an event, or of a signal that will be one.

    Args:
        number: its own in the file.
        now_ms: milliseconds of the wall clock.

    Raises:
        ValueError, TypeError: the event holds something that is no plain JSON.
    """
    if isinstance(content, Event):
        return _line(b"E %d %d %s" % (number, now_ms, encode(as_json(content)).encode("ascii")))
    return _line(b"S %d %d %s" % (number, now_ms, content.encode("ascii")))


def acknowledge_line(numbers: Iterable[int]) -> bytes:
    return _line(b"A " + b" ".join(b"%d" % number for number in numbers))


def quarantined_line(offsets: Iterable[int]) -> bytes:
    return _line(b"Q " + b" ".join(b"%d" % offset for offset in offsets))


def as_json(event: Event) -> dict[str, Any]:
    """Return an event as a plain dictionary; :func:`from_json` reads it back."""
    return {
        "id": event.id,
        "name": event.name,
        "at": event.at.isoformat(),
        "checkout_ref": event.checkout_ref,
        "order_ref": event.order_ref,
        "customer_ref": event.customer_ref,
        "checkout": event.checkout,
        "data": event.data,
        "origin": event.origin.value,
    }


def from_json(raw: Mapping[str, Any]) -> Event:
    """Make an event of what :func:`as_json` gave.

    Raises:
        ValueError, KeyError, TypeError: it is not such a dictionary.
    """
    at = datetime.fromisoformat(raw["at"])
    if not (isinstance(raw["id"], str) and isinstance(raw["name"], str) and at.tzinfo):
        raise ValueError("an event needs id, name and an aware instant")
    if not _is_well_typed(raw):
        raise ValueError("a value is of the wrong type")
    return Event(
        id=raw["id"],
        name=raw["name"],
        at=at.astimezone(UTC),
        checkout_ref=raw["checkout_ref"],
        order_ref=raw["order_ref"],
        customer_ref=raw["customer_ref"],
        checkout=raw["checkout"],
        data=raw["data"],
        origin=Origin(raw["origin"]),
    )


def _is_well_typed(raw: Mapping[str, Any]) -> bool:
    # What goes into a column: a database that can't even be asked seems to be away, and for good.
    refs = [raw["checkout_ref"], raw["order_ref"], raw["customer_ref"]]
    checkout = {} if raw["checkout"] is None else raw["checkout"]
    if not (isinstance(checkout, Mapping) and isinstance(raw["data"], Mapping)):
        return False
    customer = checkout.get("customer") or {}
    columns = _texts(checkout, "value_minor", "customer", "lines")
    columns += _texts(customer, "tags", "orders")
    return all(text is None or isinstance(text, str) for text in (*refs, *columns))


def _texts(values: Mapping[str, Any], *others: str) -> list[Any]:
    return [value for name, value in values.items() if name not in others]


def parse(content: bytes) -> Content:
    """Read a file's bytes. Damage costs the damaged line and no other."""
    found = Content()
    quarantined: set[int] = set()
    events: list[SpooledEvent] = []
    offset = 0
    *lines, found.tail = content.split(b"\n")
    for line in lines:
        if line:
            try:
                kind, rest = _verified(line)
                if kind in _EVENTS:
                    events.append(_event(kind, offset, line, rest))
                else:
                    numbers = found.acknowledged if kind == b"A" else quarantined
                    numbers.update(int(number) for number in rest.split())
            except Exception as error:  # noqa: BLE001 - a line may hold anything
                found.bad.append(BadLine(offset, line, str(error) or type(error).__name__))
        offset += len(line) + 1
    found.events = [
        spooled
        for spooled in events
        if spooled.number not in found.acknowledged and spooled.offset not in quarantined
    ]
    found.bad = [bad for bad in found.bad if bad.offset not in quarantined]
    return found


def _verified(line: bytes) -> tuple[bytes, bytes]:
    version, _, checked = line.partition(b" ")
    if version != VERSION:
        raise ValueError("not a line of this version")
    checksum, _, body = checked.partition(b" ")
    if len(checksum) != 8 or int(checksum, 16) != crc32(body):
        raise ValueError("the checksum differs")
    kind, _, rest = body.partition(b" ")
    if kind not in (*_EVENTS, b"A", b"Q"):
        raise ValueError("an unknown kind of line")
    return kind, rest


def _event(kind: bytes, offset: int, line: bytes, rest: bytes) -> SpooledEvent:
    number, written_ms, payload = rest.split(b" ", 2)
    event = from_json(json.loads(payload)) if kind == b"E" else unpack(payload.decode("ascii"))
    return SpooledEvent(int(number), int(written_ms), offset, line, event)
