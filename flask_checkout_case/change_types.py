"""Values about order changes that cross layers; amounts and instants as in :mod:`.types`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from .types import Money

ADDRESS_FIELDS: Final = (
    "name",
    "company",
    "line1",
    "line2",
    "sublocality",
    "city",
    "region",
    "postcode",
    "country",
)
"""Of an address; ``country`` is an ISO 3166 code, everything else is text as people write it."""


class ChangeKind(StrEnum):
    """What a customer may ask for."""

    ADDRESS = "address"
    DELIVERY = "delivery"
    INSTRUCTIONS = "instructions"
    ADD = "add"
    QUANTITY = "quantity"
    REMOVE = "remove"
    GIFT_NOTE = "gift_note"
    CANCEL = "cancel"


class Stage(StrEnum):
    """How far the fulfilment of an order is.

    ``placed`` has not been given to the warehouse, ``released`` has. Partly fulfilled counts as
    ``shipped``.
    """

    CHECKOUT = "checkout"
    PLACED = "placed"
    RELEASED = "released"
    PICKING = "picking"
    PACKED = "packed"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


class ChangeState(StrEnum):
    REQUESTED = "requested"
    PRICED = "priced"
    AWAITING_PAYMENT = "awaiting_payment"
    APPROVED = "approved"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    APPLIED = "applied"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Change:
    """An order change as code reads it: a snapshot, never a live row.

    Args:
        id: the same over all tries to apply it: what is applied under one id is applied once.
        asked: what the customer wants, by kind: an address, ``{"delivery": key}``,
            ``{"instructions": text}``, ``{"gift_note": text}``, ``{"sku": …, "quantity": n}`` (of
            the line as it shall be; 0 where it is removed), or nothing for a cancellation.
        before: the same as it was when it was asked for.
        delta: what the customer pays more; less than nothing where money goes back.
        base_version: of the order that the change was made for.
        reason: why it was refused, a stable word.
        explanation: what an agent wrote to the customer about that.
    """

    id: str
    kind: ChangeKind
    state: ChangeState
    order_ref: str | None
    checkout_ref: str | None
    asked: Mapping[str, Any]
    before: Mapping[str, Any]
    delta: Money | None
    base_version: str | None
    payment_id: str | None
    reason: str | None
    case: str | None
    requested_at: datetime
    explanation: str | None = None
