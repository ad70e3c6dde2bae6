"""What a change of an order would mean: allowed or not, its price, whose leave it needs.

The shop's hooks are asked here, outside of any transaction of ours.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from ..change_types import Change, ChangeKind, ChangeState, Stage
from ..errors import InvalidInputError, NotFoundError
from ..rules import addresses
from ..rules import changes as rules
from ..rules.changes import Asked, Leave, Refusal
from ..types import Checkout, Line, Money, Order, make_ref
from . import shop
from .runtime import Runtime

log = logging.getLogger(__name__)

TEXT_LIMIT: Final = 500
MOST_PIECES: Final = 999
_FREE: Final = frozenset({ChangeKind.GIFT_NOTE, ChangeKind.INSTRUCTIONS})


class AddressError(InvalidInputError):
    """The address lacks something; ``problems`` says what, by field."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("the address can't be used", field=next(iter(sorted(problems))))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class Terms:
    """A change that could be asked for, as of now.

    Args:
        delta: what it costs; ``None`` where nobody can say.
        refusal: why it can't be had; ``None`` when it can.
        content: what an agreement to it binds.
    """

    kind: ChangeKind
    order: Order
    stage: Stage
    before: Mapping[str, Any]
    asked: Mapping[str, Any]
    delta: Money | None
    leave: Leave
    refusal: Refusal | None
    content: str

    @property
    def in_checkout(self) -> bool:
        return self.stage is Stage.CHECKOUT

    @property
    def must_pay(self) -> bool:
        """Whether it is paid apart; what a checkout costs more is paid with the rest."""
        return not self.in_checkout and self.delta is not None and self.delta.minor_units > 0

    @property
    def subject(self) -> str:
        return subject_of(self.order)

    @property
    def version(self) -> str | None:
        return make_version(self.order)


def is_offered(runtime: Runtime) -> bool:
    """Whether somebody could apply a change of an order at all."""
    ends = runtime.hooks.change_applier is not None or runtime.settings.fulfilment_url
    knows = runtime.hooks.order_loader is not None
    return bool(ends and knows and runtime.policy.changes.enabled)


def is_offered_in_checkout(runtime: Runtime) -> bool:
    """Whether customers can change what they are about to buy."""
    return bool(runtime.hooks.checkout_applier is not None and runtime.policy.changes.enabled)


def order_now(runtime: Runtime, order_ref: str) -> Order:
    """Return the order as the shop knows it now.

    Raises:
        NotFoundError: the shop knows none.
    """
    order = shop.order_of(runtime, order_ref)
    if order is None:
        raise NotFoundError(f"there is no order {order_ref}")
    # What is free in a checkout isn't in an order, whatever its shop calls it.
    return replace(order, stage=None) if order.stage == Stage.CHECKOUT else order


def order_to_be(checkout: Checkout) -> Order:
    """Return a checkout as the order that it would become."""
    return Order(
        ref=checkout.ref,
        checkout_ref=checkout.ref,
        stage=Stage.CHECKOUT,
        value=checkout.value,
        customer=checkout.customer,
        lines=checkout.lines,
        url=checkout.url,
        version=checkout.version,
        address=checkout.address,
        delivery=checkout.delivery,
        deliveries=checkout.deliveries,
        instructions=checkout.instructions,
        gift_note=checkout.gift_note,
        addons=checkout.addons,
    )


def subject_of(order: Order) -> str:
    """Return what a change is of: of one order or checkout one is open at a time."""
    what = "checkout" if order.stage == Stage.CHECKOUT else "order"
    return f"{what}:{make_ref(order.ref)}"


def terms_of(
    runtime: Runtime, order: Order, kind: ChangeKind, given: Mapping[str, Any], now: datetime
) -> Terms:
    """Say what this change would mean.

    Args:
        given: as the customer asks for it, see :class:`.Change`.

    Raises:
        InvalidInputError: it can't be read (``field`` says what), or the address lacks something.
    """
    before = as_it_is(order, kind, given)
    asked = _read(order, kind, given)
    stage = rules.stage_of(order)
    policy = runtime.policy
    refusal = rules.why_refused(policy.changes, kind, stage, order.cut_off_at, now)
    if refusal is None and _is_same(kind, before, asked):
        refusal = Refusal.UNCHANGED
    delta = None
    if refusal is None:
        refusal = _why_no_stock(runtime, kind, before, asked)
    if refusal is None:
        draft = Change(
            id="",
            kind=kind,
            state=ChangeState.REQUESTED,
            order_ref=None if stage is Stage.CHECKOUT else make_ref(order.ref),
            checkout_ref=make_ref(order.checkout_ref),
            asked=asked,
            before=before,
            delta=None,
            base_version=make_version(order),
            payment_id=None,
            reason=None,
            case=None,
            requested_at=now,
        )
        delta = _price(runtime, order, draft)
    leave = rules.leave_for(
        policy.changes,
        policy.exchange,
        Asked(kind, stage, before, asked, order.value, delta, order.placed_at, order.secured_at),
        now,
    )
    if delta is None and leave is Leave.AUTOMATIC and stage is not Stage.CHECKOUT:
        # Nobody could say what it costs: somebody has to.
        leave = Leave.AGENT
    content = rules.content_hash(subject_of(order), make_version(order), kind, asked, delta)
    return Terms(kind, order, stage, before, asked, delta, leave, refusal, content)


def make_version(order: Order) -> str | None:
    """Return an order's version as text."""
    return str(order.version) if order.version is not None else None


def as_it_is(order: Order, kind: ChangeKind, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the order has of what the change is about."""
    if kind is ChangeKind.ADDRESS:
        return dict(order.address or {})
    if kind is ChangeKind.DELIVERY:
        return {"delivery": order.delivery}
    if kind is ChangeKind.INSTRUCTIONS:
        return {"instructions": order.instructions or ""}
    if kind is ChangeKind.GIFT_NOTE:
        return {"gift_note": order.gift_note or ""}
    if kind is ChangeKind.CANCEL:
        return {}
    sku = given.get("sku")
    line = _line(order, sku)
    return {"sku": sku, "quantity": line.quantity if line is not None else 0}


def _read(order: Order, kind: ChangeKind, given: Mapping[str, Any]) -> dict[str, Any]:
    if kind is ChangeKind.ADDRESS:
        checked = addresses.check(given)
        if checked.problems:
            raise AddressError(checked.problems)
        return dict(checked.address)
    if kind is ChangeKind.DELIVERY:
        key = given.get("delivery")
        if key not in order.deliveries:
            raise InvalidInputError("this order has no such delivery", field="delivery")
        return {"delivery": key}
    if kind in _FREE:
        return {kind.value: _text(given.get(kind.value), kind.value)}
    if kind is ChangeKind.CANCEL:
        return {}
    return _read_line(order, kind, given)


def _read_line(order: Order, kind: ChangeKind, given: Mapping[str, Any]) -> dict[str, Any]:
    sku = given.get("sku")
    if not isinstance(sku, str) or not sku or len(sku) > 255:
        raise InvalidInputError("say which line", field="sku")
    line = _line(order, sku) or (_addon(order, sku) if kind is ChangeKind.ADD else None)
    if line is None:
        raise InvalidInputError("this order has no such line", field="sku")
    title = line.title[:255]
    if kind is ChangeKind.REMOVE:
        return {"sku": sku, "quantity": 0, "title": title}
    quantity = given.get("quantity")
    if not isinstance(quantity, int) or isinstance(quantity, bool):
        raise InvalidInputError("say how many", field="quantity")
    if not 1 <= quantity <= MOST_PIECES:
        raise InvalidInputError(f"from 1 to {MOST_PIECES}", field="quantity")
    return {"sku": sku, "quantity": quantity, "title": title}


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise InvalidInputError("expected a text", field=field)
    text = "".join(c for c in value.strip() if c.isprintable() or c == "\n")
    if len(text) > TEXT_LIMIT:
        raise InvalidInputError(f"at most {TEXT_LIMIT} characters", field=field)
    return text


def _is_same(kind: ChangeKind, before: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    if kind is ChangeKind.CANCEL:
        return False
    if kind is ChangeKind.ADDRESS:
        return not addresses.differences(before, asked)
    return all(before.get(name) == value for name, value in asked.items() if name != "title")


def _line(order: Order, sku: Any) -> Line | None:
    return next((line for line in order.lines if line.sku == sku), None)


def _addon(order: Order, sku: Any) -> Line | None:
    return next((line for line in order.addons if line.sku == sku), None)


def stock_of(runtime: Runtime, kind: ChangeKind, asked: Mapping[str, Any]) -> int | None:
    """Return how many pieces the shop has of what is asked for.

    ``None`` where nobody keeps count, or where the change needs none.

    Raises:
        Exception: whatever the shop's hook raises.
    """
    loader = runtime.hooks.inventory_loader
    if kind not in (ChangeKind.ADD, ChangeKind.QUANTITY) or loader is None:
        return None
    with runtime.apart():
        return loader(asked["sku"])


def _why_no_stock(
    runtime: Runtime, kind: ChangeKind, before: Mapping[str, Any], asked: Mapping[str, Any]
) -> Refusal | None:
    more = asked.get("quantity", 0) - before.get("quantity", 0)
    if more <= 0:
        return None
    try:
        there = stock_of(runtime, kind, asked)
    except Exception:
        log.exception("the inventory_loader failed: nothing is promised")
        return Refusal.OUT_OF_STOCK
    return Refusal.OUT_OF_STOCK if there is not None and there < more else None


def _price(runtime: Runtime, order: Order, draft: Change) -> Money | None:
    """Return what a change costs, as the shop's hook says; without one, what the order tells."""
    hook = runtime.hooks.price_change
    if hook is not None:
        try:
            with runtime.apart():
                found = hook(draft)
        except Exception:
            log.exception("the price_change hook failed: an agent has to say")
            return None
        return found if isinstance(found, Money) else None
    currency = order.value.currency if order.value is not None else None
    if currency is None:
        return None
    if draft.kind in (*_FREE, ChangeKind.ADDRESS):
        return Money.minor(0, currency)
    sku = draft.asked.get("sku")
    line = _line(order, sku) or _addon(order, sku)
    if line is None or line.unit_price is None:
        return None
    more = draft.asked["quantity"] - draft.before["quantity"]
    return Money.minor(more * line.unit_price.minor_units, line.unit_price.currency)
