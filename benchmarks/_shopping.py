"""One person's way through a checkout, and the ways in which it is held up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Final

from flask_checkout_case import Checkout, Line, Money

STEPS: Final = ("contact", "shipping", "payment")
FILLING: Final = {"contact": 35.0, "shipping": 55.0, "payment": 50.0}
"""Seconds in which half of all people have filled a step's form."""
_ONCE_A_PAGE: Final = frozenset({"idle", "exit", "slow"})
_FIELDS: Final = {
    "contact": ("email", "tel", "name"),
    "shipping": ("postal-code", "street-address", "tel", "address-level2"),
    "payment": ("cc-number", "cc-exp", "cc-csc", "coupon"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A signal of the shop, by its name, with the checkout as it is then."""

    after: timedelta
    name: str
    checkout: Checkout
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Noticed:
    """A signal of the browser, on the so-many-th page of the session."""

    after: timedelta
    page: int
    kind: str
    field_class: str | None = None


class Walk:
    """A session in the making.

    Args:
        goods: what is in the basket.
        postage: what delivery will cost, in cents; it is told once the address is known.
        mouse: whether there is a pointer that can leave the page.
        pace: how much longer than others this person takes for everything.
    """

    def __init__(
        self,
        chance: Random,
        ref: str,
        goods: list[Line],
        *,
        postage: int = 0,
        mouse: bool = True,
        pace: float = 1.0,
    ) -> None:
        self.chance, self.ref, self.goods = chance, ref, list(goods)
        self.postage, self.mouse, self.pace = postage, mouse, pace
        self.step = STEPS[0]
        self.happened: list[Told | Noticed] = []
        self._seconds, self._page, self._attempts = 0.0, -1, 0
        self._delivery = self._discount = 0
        self._noticed_here: set[str] = set()

    @property
    def after(self) -> timedelta:
        return timedelta(milliseconds=round(self._seconds * 1000))

    @property
    def checkout(self) -> Checkout:
        total = worth(self.goods) + self._delivery - self._discount
        return Checkout(
            ref=self.ref,
            value=Money.minor(total, "USD"),
            step=self.step,
            lines=tuple(self.goods),
            country="US",
            url=f"/checkout/{self.ref}",
        )

    def likely(self, share: float) -> bool:
        return self.chance.random() < share

    def wait(self, median: float) -> None:
        """Let time pass: mostly about ``median`` seconds, now and then much more."""
        self._seconds += self.chance.lognormvariate(math.log(median), 0.5) * self.pace

    def pass_hours(self, hours: float) -> None:
        self._seconds += hours * 3600

    def tell(self, name: str, **arguments: object) -> None:
        self.happened.append(Told(self.after, name, self.checkout, arguments))

    def notice(self, kind: str, field_class: str | None = None) -> None:
        if (kind == "exit" and not self.mouse) or kind in self._noticed_here & _ONCE_A_PAGE:
            return
        self.wait(2)
        self._noticed_here.add(kind)
        self.happened.append(Noticed(self.after, self._page, kind, field_class))

    def some_field(self) -> str:
        return self.chance.choice(_FIELDS[self.step])

    def turn_page(self) -> None:
        self._page += 1
        self._noticed_here = set()

    def view(self, step: str, *, cached: bool = False) -> None:
        """Show a step; the shop doesn't hear of a page that the browser had kept."""
        self.step = step
        self.turn_page()
        if not cached:
            self.tell("checkout_step_viewed")

    def start(self) -> None:
        self.tell("checkout_started")
        self.view(STEPS[0])

    def complete(self) -> None:
        if self.step == "shipping":
            self._delivery = self.postage
        self.tell("checkout_step_completed")

    def back_and_forth(self, seconds: float) -> None:
        """Go to the step before, look for so long, and come here again."""
        here = self.step
        self.view(STEPS[max(STEPS.index(here) - 1, 0)], cached=self.likely(0.3))
        if self.likely(0.7):
            self.notice("back")
        self.wait(seconds)
        if self.likely(0.6):
            self.complete()
        self.view(here)

    def leave_out_a_line(self) -> None:
        """Remove a line, or take fewer of the only one; the shop shows the step anew."""
        if len(self.goods) > 1:
            self.goods.pop(self.chance.randrange(len(self.goods)))
        elif (only := self.goods[0]).quantity > 1:
            self.goods[0] = Line(only.sku, only.title, only.quantity - 1, only.unit_price)
        else:
            return
        self._discount = min(self._discount, worth(self.goods) // 2)
        self.view(self.step)

    def take_off(self, percent: int) -> None:
        self._discount = worth(self.goods) * percent // 100
        self.view(self.step)

    def refuse_coupon(self, code: str, reason: str) -> None:
        self.wait(8)
        self.tell("coupon_rejected", code=code, reason=reason)
        self.turn_page()

    def mistake(self, field_class: str) -> None:
        """A form isn't accepted: the browser says so, or the shop does, or both."""
        seen_by = self.chance.choices(("browser", "shop", "both"), (50, 35, 15))[0]
        if seen_by != "shop":
            self.notice("error", field_class)
        if seen_by != "browser":
            self.tell("validation_shown", fields=(field_class.replace("-", "_"),))
            self.turn_page()
        self.wait(12)

    def decline(self, decline_code: str) -> None:
        attempt = self._attempt()
        self.wait(3)
        why = {"failure_code": "card_declined", "decline_code": decline_code}
        self.tell("payment_failed", **attempt, **why)
        self.turn_page()

    def pay(self) -> None:
        attempt = self._attempt()
        self.wait(3)
        self.tell("payment_succeeded", **attempt)
        self.complete()
        self.tell("order_completed", order_ref=f"order-{self.ref}")

    def _attempt(self) -> dict[str, object]:
        self._attempts += 1
        payment = f"pi_{self.ref}"
        attempt = {"provider": "stripe", "payment_id": payment}
        self.tell("payment_info_entered", method="card")
        self.tell("payment_started", method="card", **attempt)
        return {**attempt, "attempt_id": f"ch_{self.ref}_{self._attempts}"}


def worth(goods: list[Line]) -> int:
    """Return what the lines cost, in cents."""
    return sum(line.quantity * line.unit_price.minor_units for line in goods if line.unit_price)
