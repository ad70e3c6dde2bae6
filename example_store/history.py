"""A month of the shop's past: orders, and cases with what was said in them.

It is told through what every shop has: signals with the time at which something happened, and
``cases.open``, ``reply``, ``note`` and ``solve``. Nothing here knows the tables of the extension.
"""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from flask import Flask
from sqlalchemy import select

from flask_checkout_case import Agent, CaseInfo, Checkout, Customer, Line, Money, signals

from .extensions import announce_writing, db
from .models import CURRENCY, Account, Order, Product
from .support import cases

_CARDS: Final = ("Visa ending in 4242", "Mastercard ending in 4444", "Amex ending in 0005")
_DEAR: Final = 500_000
_REASON: Final = "Settled on the phone."
# What comes before a payment: signal, step, minutes before it.
_BEFORE: Final = (
    ("checkout_started", "contact", 7.0),
    ("checkout_step_viewed", "contact", 7.0),
    ("checkout_step_completed", "contact", 5.5),
    ("checkout_step_viewed", "shipping", 5.4),
    ("checkout_step_completed", "shipping", 2.5),
    ("checkout_step_viewed", "payment", 2.4),
    ("payment_info_entered", "payment", 0.2),
)


@dataclass(frozen=True, slots=True)
class Story:
    """One case as ``stories.toml`` tells it.

    Args:
        decline, error: the decline code, or the error code without one, of a failed payment.
        category, subject: of a case that begins with the customer's message.
        end: ``paid``, ``self`` (paid without help), ``lost``, ``solved``, ``waiting`` or ``open``.
        ago: minutes before now at which a live case began.
        slug: the product; any that costs no more than 5,000 dollars without it.
        dear: any product over 5,000 dollars.
    """

    end: str
    decline: str | None = None
    error: str | None = None
    category: str | None = None
    subject: str = ""
    ago: int = 0
    slug: str | None = None
    dear: bool = False
    say: list[dict[str, Any]] = field(default_factory=list)


def tell_history(app: Flask, *, amount: int = 48, now: datetime | None = None) -> int:
    """Fill an empty case list with a month of cases; one that isn't empty is left alone.

    Args:
        amount: how many ended cases; the live ones come on top.
        now: aware UTC.

    Returns:
        how many cases were told.
    """
    with app.test_request_context():
        if cases.find(limit=1):
            return 0
        teller = _Teller(now or datetime.now(UTC))
        ended, live = _stories()
        for index in range(amount):
            story = ended[index % len(ended)]
            dear = index % 5 == 3 and story.end in ("paid", "self")
            teller.tell(replace(story, dear=dear), teller.moment(index, amount))
        for story in live:
            teller.tell(story, teller.now - timedelta(minutes=story.ago))
        teller.plain_orders(24)
        announce_writing()
        db.session.add_all(teller.orders)
        db.session.commit()
        return amount + len(live)


def _stories() -> tuple[list[Story], list[Story]]:
    path = Path(__file__).with_name("stories.toml")
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    return [Story(**one) for one in found["story"]], [Story(**one) for one in found["live"]]


class _Teller:
    def __init__(self, now: datetime) -> None:
        self.now = now
        # The same past on every machine.
        self._dice = random.Random(11)
        self._count = 0
        self._products = list(db.session.scalars(select(Product).order_by(Product.rank)))
        accounts = list(db.session.scalars(select(Account).order_by(Account.id)))
        self._customers = [account for account in accounts if not account.is_staff]
        self._staff = [account for account in accounts if account.is_staff]
        # No transaction of the shop stays open while the extension writes by its own connection.
        db.session.expunge_all()
        db.session.rollback()
        self.orders: list[Order] = []

    def moment(self, index: int, amount: int) -> datetime:
        """Spread the ended cases over the month, during the hours in which people shop."""
        day = self.now - timedelta(days=30 - 28.5 * index / amount)
        hour = self._dice.choice((9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 20, 21))
        return day.replace(hour=hour, minute=self._dice.randrange(60), second=7, microsecond=0)

    def tell(self, story: Story, at: datetime) -> None:
        checkout = self._checkout(story)
        if story.category:
            case = self._message(story, checkout, at)
        else:
            case = self._failure(story, checkout, at)
        for line in story.say[1:] if story.category else story.say:
            case = self._say(case, line, at)
        self._end(story, case, checkout, at)

    def plain_orders(self, amount: int) -> None:
        """Add orders that needed nobody's help."""
        for index in range(amount):
            checkout = self._checkout(Story(end="paid", dear=index % 9 == 0))
            self._order(checkout, self.moment(index, amount))

    def _checkout(self, story: Story) -> Checkout:
        self._count += 1
        account = self._dice.choice(self._customers)
        chosen = self._choice(story)
        lines = [
            Line(
                sku=product.sku,
                title=product.name,
                quantity=1,
                unit_price=Money.minor(product.price_minor, CURRENCY),
                image_url=f"/static/{product.image}",
                url=f"/product/{product.slug}",
            )
            for product in chosen
        ]
        total = sum(product.price_minor for product in chosen)
        return Checkout(
            ref=f"co_past{self._count:04d}",
            value=Money.minor(total, CURRENCY),
            step="payment",
            customer=Customer(
                ref=account.id, name=account.name, email=account.email, country=account.country
            ),
            lines=lines,
            country=account.country,
            url="/checkout/payment",
        )

    def _choice(self, story: Story) -> list[Product]:
        if story.slug:
            return [one for one in self._products if one.slug == story.slug]
        some = [one for one in self._products if (one.price_minor >= _DEAR) is story.dear]
        return self._dice.sample(some, 1 if story.dear else self._dice.choice((1, 1, 1, 2)))

    def _failure(self, story: Story, checkout: Checkout, at: datetime) -> CaseInfo:
        for name, step, minutes in _BEFORE:
            then = replace(checkout, step=step)
            self._send(name, then, at - timedelta(minutes=minutes))
        attempt = f"past{self._count:04d}"
        self._send(
            "payment_failed",
            checkout,
            at,
            provider="stripe",
            failure_code=story.error or "card_declined",
            decline_code=story.decline,
            payment_id=f"pi_{attempt}",
            attempt_id=f"ch_{attempt}",
            method="card",
        )
        cases.flush()
        (case,) = cases.find(checkout_ref=checkout.ref, limit=1)
        return case

    def _message(self, story: Story, checkout: Checkout, at: datetime) -> CaseInfo:
        order = self._order(checkout, at - timedelta(hours=5))
        return cases.open(
            subject=story.subject,
            category=story.category or "other",
            text=story.say[0]["text"],
            checkout=checkout,
            order_ref=order.number,
            at=at,
        )

    def _say(self, case: CaseInfo, line: dict[str, Any], began: datetime) -> CaseInfo:
        at = began + timedelta(minutes=line["after"])
        if line["who"] == "customer":
            return cases.customer_message(case.reference, line["text"], at=at)
        agent = self._agent(case.team)
        if line["who"] == "note":
            return cases.note(case.reference, line["text"], agent=agent, at=at)
        return cases.reply(case.reference, line["text"], agent=agent, at=at)

    def _end(self, story: Story, case: CaseInfo, checkout: Checkout, began: datetime) -> None:
        last = story.say[-1]["after"] if story.say else 4
        at = began + timedelta(minutes=last + self._dice.randrange(3, 12))
        if story.end in ("paid", "self"):
            order = self._order(checkout, at)
            self._send("payment_succeeded", checkout, at, provider="stripe")
            self._send("order_completed", checkout, at, order_ref=order.number)
            cases.flush()
        elif story.end in ("lost", "solved"):
            outcome = {"lost": "lost", "solved": None}[story.end]
            agent = self._agent(case.team)
            cases.solve(case.reference, agent=agent, outcome=outcome, reason=_REASON, at=at)

    def _send(self, name: str, checkout: Checkout, at: datetime, **facts: Any) -> None:
        getattr(signals, name).send(None, checkout=checkout, at=at, **facts)

    def _agent(self, team: str) -> Agent:
        member = next(one for one in self._staff if team in one.teams)
        return Agent(
            ref=member.id,
            name=member.name,
            email=member.email,
            teams=member.teams,
            role=member.role,
        )

    def _order(self, checkout: Checkout, at: datetime) -> Order:
        total = checkout.value.minor_units if checkout.value else 0
        customer = checkout.customer or Customer()
        days = (self.now - at).days
        order = Order(
            number=f"MC-{10_100 + self._count}",
            basket_ref=str(checkout.ref),
            account_id=int(str(customer.ref)),
            email=customer.email or "",
            name=customer.name or "",
            address=[],
            lines=[
                {
                    "sku": line.sku,
                    "title": line.title,
                    "slug": str(line.url).rsplit("/", 1)[-1],
                    "quantity": line.quantity,
                    "unit_minor": line.unit_price.minor_units if line.unit_price else 0,
                }
                for line in checkout.lines
            ],
            shipping="Standard delivery",
            subtotal_minor=total,
            discount_minor=0,
            shipping_minor=0,
            total_minor=total,
            card=self._dice.choice(_CARDS),
            status="delivered" if days > 5 else "shipped" if days > 1 else "paid",
            stage="shipped" if days > 1 else "released",
            placed_at=at,
        )
        self.orders.append(order)
        return order
