"""What has changed between a checkout that failed and the one that its customer comes back to.

Pure: both are snapshots as ``capture`` takes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

CREDITED_FOR: Final = timedelta(hours=24)
"""A payment this long after the link was used counts as brought by it."""
CLOCKS_DIFFER: Final = timedelta(minutes=1)
"""Gateways tell whole seconds by clocks of their own: a payment may seem older than the link."""


class Kind(StrEnum):
    """How something differs."""

    GONE = "gone"
    ADDED = "added"
    QUANTITY = "quantity"
    PRICE = "price"
    SHORT = "short"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is other than it was.

    Args:
        title: of the line; empty for the total.
        before, after: pieces, or minor units of ``currency`` for a price and the total. What is
            ``SHORT`` is wanted ``before`` times and there ``after`` times.
    """

    kind: Kind
    title: str = ""
    before: int | None = None
    after: int | None = None
    currency: str | None = None


def differences(
    before: Mapping[str, Any], now: Mapping[str, Any], stock: Mapping[str, int | None]
) -> list[Difference]:
    """Return what the customer should know before they go on, the total last.

    Args:
        stock: pieces left, by SKU; ``None`` or missing where nobody counts.
    """
    was, is_ = _by_sku(before), _by_sku(now)
    found = [Difference(Kind.GONE, _title(line)) for sku, line in was.items() if sku not in is_]
    for sku, line in is_.items():
        if sku not in was:
            found.append(Difference(Kind.ADDED, _title(line)))
        else:
            found += _of_line(was[sku], line)
        left = stock.get(sku)
        if left is not None and left < line["quantity"]:
            found.append(Difference(Kind.SHORT, _title(line), line["quantity"], max(0, left)))
    old, new = before.get("value_minor"), now.get("value_minor")
    currency = now.get("currency")
    if None not in (old, new) and (old, before.get("currency")) != (new, currency):
        same = before.get("currency") == currency
        found.append(Difference(Kind.TOTAL, "", old if same else None, new, currency))
    return found


def _of_line(was: Mapping[str, Any], line: Mapping[str, Any]) -> Iterator[Difference]:
    if was["quantity"] != line["quantity"]:
        yield Difference(Kind.QUANTITY, _title(line), was["quantity"], line["quantity"])
    old, new, currency = was.get("unit_minor"), line.get("unit_minor"), line.get("currency")
    if None not in (old, new) and was.get("currency") == currency and old != new:
        yield Difference(Kind.PRICE, _title(line), old, new, currency)


def _by_sku(snapshot: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {line["sku"]: line for line in snapshot.get("lines") or () if line.get("sku")}


def _title(line: Mapping[str, Any]) -> str:
    return str(line.get("title") or line.get("sku"))
