"""What a bag costs: goods, coupon, delivery. Everything in cents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from .models import Basket, Coupon

COUNTRIES: Final = {
    "US": "United States",
    "CA": "Canada",
    "GB": "United Kingdom",
    "IE": "Ireland",
    "FR": "France",
    "DE": "Germany",
    "IT": "Italy",
    "CH": "Switzerland",
    "AE": "United Arab Emirates",
    "SA": "Saudi Arabia",
    "JP": "Japan",
    "SG": "Singapore",
    "AU": "Australia",
    "GL": "Greenland",
}
# Our couriers have no rates for these.
UNDELIVERABLE: Final = frozenset({"GL"})


@dataclass(frozen=True, slots=True)
class ShippingMethod:
    """A way to deliver.

    Args:
        price_minor: in cents.
        free_over_minor: goods over this value are delivered at no charge.
    """

    key: str
    name: str
    promise: str
    price_minor: int
    free_over_minor: int

    def price_for(self, goods_minor: int) -> int:
        return 0 if goods_minor > self.free_over_minor else self.price_minor


METHODS: Final = (
    ShippingMethod("standard", "Standard delivery", "3–5 working days", 1_200, 25_000),
    ShippingMethod("express", "Express delivery", "Next working day", 3_500, 500_000),
    ShippingMethod(
        "white-glove", "White-glove delivery", "By appointment, unpacked for you", 9_500, 500_000
    ),
)
BY_KEY: Final = {method.key: method for method in METHODS}


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of a bag, in cents."""

    subtotal: int
    discount: int
    shipping: int

    @property
    def total(self) -> int:
        return self.subtotal - self.discount + self.shipping


def totals_of(basket: Basket) -> Totals:
    """Add a bag up. Delivery counts as soon as a method is chosen."""
    subtotal = sum(line.total_minor for line in basket.lines)
    discount = 0
    if basket.coupon is not None and refusal_of(basket.coupon, subtotal) is None:
        discount = subtotal * basket.coupon.percent // 100
    method = BY_KEY.get(basket.shipping_method or "")
    shipping = method.price_for(subtotal) if method else 0
    return Totals(subtotal, discount, shipping)


def refusal_of(coupon: Coupon | None, subtotal_minor: int) -> str | None:
    """Return why a coupon can't be used, as a short word, or ``None`` when it can."""
    if coupon is None:
        return "unknown"
    expires = coupon.expires_at
    if expires is not None and expires.replace(tzinfo=UTC) < datetime.now(UTC):
        return "expired"
    return "minimum" if subtotal_minor < coupon.minimum_minor else None


def dollars(minor: int) -> str:
    """Write cents as customers read them: ``$5,200`` or ``$12.50``."""
    amount = f"${minor / 100:,.2f}"
    return amount.removesuffix(".00")
