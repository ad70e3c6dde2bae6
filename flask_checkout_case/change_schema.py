"""What is posted to fulfilment of a change, as marshmallow schemas.

:func:`.dump` makes the payload, and the JSON Schema in the documentation comes from the same
classes (``python -m tools.change_schema``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, fields, validate

from .change_types import Change, ChangeKind

VERSION: Final = 1
"""Of the payload; a new number says that a receiver has to be changed. Fields may be added."""
TYPES: Final = ("order.change", "order.hold", "order.release")


def _says(text: str) -> dict[str, str]:
    return {"description": text}


class _Open(Schema):
    class Meta:
        # Fields may be added without a new version: nobody may refuse a message for them.
        unknown = EXCLUDE


class Price(_Open):
    """An amount of money."""

    minor = fields.Integer(required=True, metadata=_says("In the currency's smallest unit."))
    currency = fields.String(
        required=True, validate=validate.Length(equal=3), metadata=_says("ISO 4217.")
    )


class OrderChange(_Open):
    """One change of one order."""

    change_id = fields.String(
        required=True, metadata=_says("The same over all tries: apply it once for each.")
    )
    order_ref = fields.String(required=True, allow_none=True)
    order_version = fields.String(
        required=True,
        allow_none=True,
        metadata=_says("The version that the change was made for; refuse it for another one."),
    )
    kind = fields.String(
        required=True, validate=validate.OneOf([kind.value for kind in ChangeKind])
    )
    before = fields.Dict(required=True, metadata=_says("What the order has of it now."))
    after = fields.Dict(
        required=True,
        metadata=_says(
            "What it shall be: fields of the address, delivery, text, sku and quantity."
        ),
    )
    price = fields.Nested(
        Price,
        required=True,
        allow_none=True,
        metadata=_says("What the customer pays more, or gets back when it is below zero."),
    )
    case = fields.String(required=True, allow_none=True, metadata=_says("The case's reference."))


class ChangeMessage(_Open):
    """What is posted to fulfilment; signed by the Standard Webhooks rules."""

    type = fields.String(required=True, validate=validate.OneOf(TYPES))
    version = fields.Integer(required=True, validate=validate.Equal(VERSION))
    timestamp = fields.AwareDateTime(required=True, format="iso")
    data = fields.Nested(OrderChange, required=True)


def dump(change: Change, type_: str, now: datetime) -> dict[str, Any]:
    """Return what is posted of a change.

    Args:
        type_: one of :data:`TYPES`.
    """
    price = change.delta
    told: Mapping[str, Any] = {
        "type": type_,
        "version": VERSION,
        "timestamp": now,
        "data": {
            "change_id": change.id,
            "order_ref": change.order_ref,
            "order_version": change.base_version,
            "kind": change.kind.value,
            "before": dict(change.before),
            "after": dict(change.asked),
            "price": {"minor": price.minor_units, "currency": price.currency} if price else None,
            "case": change.case,
        },
    }
    dumped: dict[str, Any] = ChangeMessage().dump(told)
    return dumped
