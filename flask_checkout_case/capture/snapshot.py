"""A signal's arguments, copied into an :class:`~flask_checkout_case.types.Event`."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from ..errors import InvalidInputError
from ..rules.redact import mask_text, scrub
from ..types import Checkout, Customer, Event, Line, Money, Order, utc_now
from .plain import EPOCH, KEY_LIMIT, TEXT_LIMIT, encode, optional_text, plain, plain_mapping, text

EVENT_LIMIT: Final = 64 * 1024
"""Characters of JSON; beyond it only what is essential of the details is kept."""
LINE_LIMIT: Final = 50
ID_LIMIT: Final = 255
REF_LIMIT: Final = 255
_LATEST: Final = timedelta(days=1)
"""How far the shop's or a gateway's clock may be ahead of ours."""

_ATTEMPTS: Final = frozenset({"payment_failed", "payment_succeeded", "payment_canceled"})
_NOT_DETAILS: Final = frozenset(
    {"checkout", "checkout_ref", "order", "order_ref", "customer", "customer_ref", "event_id", "at"}
)
_ESSENTIAL: Final = (
    *("provider", "failure_code", "code", "decline_code", "network_code", "advice_code"),
    *("error_type", "failure_class", "payment_id", "attempt_id", "method", "outcome"),
    *("amount_minor", "currency", "reason", "sku", "available"),
)


def make_event(
    name: str, arguments: Mapping[str, Any], now: datetime | None = None, id_: str | None = None
) -> Event:
    """Copy what a shop sent into plain, masked, capped values.

    Args:
        name: the signal's.
        arguments: what it was sent with; unknown ones are kept.
        now: aware UTC, for a signal without ``at``; the present when ``None``.
        id_: for a signal that tells neither an event's nor an attempt's; a new one when ``None``.
    """
    given = arguments.get("checkout")
    checkout = snapshot(given)
    order = _order(arguments.get("order"))
    customer = _customer(arguments.get("customer"))
    if checkout is not None and customer is not None and not checkout.get("customer"):
        checkout["customer"] = customer
    if checkout is None and order is not None:
        checkout = order.pop("as_checkout")
    values = scrub({"checkout": checkout, "data": _details(arguments)})
    if len(encode(values)) > EVENT_LIMIT:
        values["data"] = _essential(values["data"])
    return Event(
        id=_event_id(name, arguments) or id_ or uuid.uuid4().hex,
        name=name,
        at=_instant(arguments.get("at"), now or utc_now()),
        checkout_ref=_ref(arguments.get("checkout_ref"))
        or (checkout.get("ref") if checkout else _ref(given)),
        order_ref=_ref(arguments.get("order_ref"))
        or (order or {}).get("ref")
        or (checkout or {}).get("order_ref"),
        customer_ref=_ref(arguments.get("customer_ref"))
        or (customer or {}).get("ref")
        or ((checkout or {}).get("customer") or {}).get("ref"),
        checkout=values["checkout"],
        data=values["data"],
    )


def bare_event(name: str, arguments: Mapping[str, Any], now: datetime) -> Event:
    """Make the least that is worth keeping of arguments that could not be copied."""
    given = arguments.get("checkout")
    if isinstance(given, Checkout):
        given = _read_or_none(given.__getattribute__, "ref")
    return Event(
        id=uuid.uuid4().hex,
        name=name,
        at=now,
        checkout_ref=_ref(arguments.get("checkout_ref")) or _ref(given),
        order_ref=_ref(arguments.get("order_ref")),
        customer_ref=_ref(arguments.get("customer_ref")),
        data={"cut": True},
    )


def masked_snapshot(checkout: Any) -> dict[str, Any] | None:
    """Copy a checkout as :func:`snapshot` does, without card data and fit to be stored."""
    taken: dict[str, Any] | None = scrub(snapshot(checkout))
    return taken


def snapshot(checkout: Any) -> dict[str, Any] | None:
    """Copy a :class:`Checkout`, or a mapping with the same names; of anything else ``None``."""
    if isinstance(checkout, Checkout):
        read: Any = checkout.__getattribute__
    elif isinstance(checkout, Mapping):
        read = checkout.get
    else:
        return None
    value = _money(read("value")) or _minor(checkout)
    lines = read("lines")
    return {
        "ref": _ref(read("ref")),
        "value_minor": value.minor_units if value else None,
        "currency": value.currency if value else None,
        "step": _words(read("step"), 255),
        "country": _words(read("country"), 16),
        "url": _words(read("url"), 2000),
        "order_ref": _ref(read("order_ref")),
        "customer": _customer(read("customer")),
        "lines": [_line(line) for line in _items(lines, LINE_LIMIT)],
    }


def _customer(customer: Any) -> dict[str, Any] | None:
    if isinstance(customer, Customer):
        read: Any = customer.__getattribute__
    elif isinstance(customer, Mapping):
        read = customer.get
    else:
        return None
    orders = read("orders")
    tags = (optional_text(tag, KEY_LIMIT) for tag in _items(read("tags"), 20))
    return {
        "ref": _ref(read("ref")),
        "name": _words(read("name"), 255),
        "email": _words(read("email"), 320),
        "language": _words(read("language"), 16),
        "country": _words(read("country"), 16),
        "tags": [tag for tag in tags if tag],
        "orders": orders if isinstance(orders, int) and abs(orders) < 2**31 else None,
    }


def _line(line: Any) -> dict[str, Any]:
    if isinstance(line, Line):
        read: Any = line.__getattribute__
    elif isinstance(line, Mapping):
        read = line.get
    else:
        return {"sku": None, "title": f"<{type(line).__name__}>", "quantity": 1}
    price, quantity = _money(read("unit_price")), read("quantity")
    return {
        "sku": _words(read("sku"), 255),
        "title": _words(read("title"), 500),
        "quantity": quantity if isinstance(quantity, int) and abs(quantity) < 2**31 else 1,
        "unit_minor": price.minor_units if price else None,
        "currency": price.currency if price else None,
        "image_url": _words(read("image_url")),
        "url": _words(read("url")),
    }


def _order(order: Any) -> dict[str, Any] | None:
    if isinstance(order, Order):
        read: Any = order.__getattribute__
    elif isinstance(order, Mapping):
        read = order.get
    else:
        return None
    # An order carries all that a checkout does; the checkout's own snapshot wins when there is one.
    names = ("value", "customer", "lines", "url", "country")
    given = {name: _read_or_none(read, name) for name in names}
    as_checkout = snapshot({**given, "ref": read("checkout_ref"), "order_ref": read("ref")})
    return {
        "ref": _ref(read("ref")),
        "as_checkout": as_checkout if as_checkout and as_checkout["ref"] else None,
    }


def _read_or_none(read: Any, name: str) -> Any:
    try:
        return read(name)
    except Exception:  # noqa: BLE001 - an order has no country; a subclass may raise anything
        return None


def _details(arguments: Mapping[str, Any]) -> dict[str, Any]:
    details: dict[str, Any] = {}
    for key, value in arguments.items():
        if key in _NOT_DETAILS or value is None:
            continue
        if key == "amount" and isinstance(value, Money):
            details |= {"amount_minor": value.minor_units, "currency": value.currency}
        else:
            details[text(key, KEY_LIMIT)] = plain(value)
    return details


def _essential(details: dict[str, Any]) -> dict[str, Any]:
    kept = {key: details[key] for key in _ESSENTIAL if key in details}
    return {**plain_mapping(kept, 1), "cut": True}


def _event_id(name: str, arguments: Mapping[str, Any]) -> str | None:
    provider = optional_text(arguments.get("provider"), KEY_LIMIT)
    prefix = f"{provider}:" if provider else ""
    explicit = optional_text(arguments.get("event_id"))
    attempt = optional_text(arguments.get("attempt_id"))
    if explicit:
        made = f"{prefix}{explicit}"
    elif attempt and name in _ATTEMPTS:
        made = f"{prefix}{name}:{attempt}"
    else:
        return None
    # Masked, two card numbers with the same last digits would be one event.
    if len(made) > ID_LIMIT or mask_text(made) != made:
        return "sha256:" + hashlib.sha256(made.encode("utf-8")).hexdigest()
    return made


def _instant(given: Any, now: datetime) -> datetime:
    if not isinstance(given, datetime):
        return now
    try:
        at = given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
    except Exception:  # noqa: BLE001 - out of a datetime's range, or a foreign time zone
        return now
    # With another one nothing can be reckoned: what is due an hour before the year 1?
    return at if EPOCH <= at <= now + _LATEST else now


def _words(value: Any, limit: int = TEXT_LIMIT) -> str | None:
    return optional_text(value, limit)


def _ref(value: Any) -> str | None:
    # Looser than types.make_ref: a ref that is too long must not cost the event. Never masked: two
    # customers' refs with the same last digits would be one, and the shop is asked by its own.
    return optional_text(value, REF_LIMIT) or None


def _money(value: Any) -> Money | None:
    return value if isinstance(value, Money) else None


def _minor(checkout: Any) -> Money | None:
    if not isinstance(checkout, Mapping):
        return None
    units, currency = checkout.get("value_minor"), checkout.get("currency")
    if isinstance(units, bool) or not isinstance(units, int) or not isinstance(currency, str):
        return None
    try:
        return Money.minor(units, currency)
    except InvalidInputError:
        return None


def _items(value: Any, limit: int) -> list[Any]:
    return list(islice(value, limit)) if isinstance(value, (list, tuple)) else []
