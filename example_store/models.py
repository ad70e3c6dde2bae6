"""The shop's tables. Money is integer cents of US dollars; instants are UTC."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import JSON, DateTime, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship
from werkzeug.security import check_password_hash, generate_password_hash

from .extensions import Base, db

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model

CURRENCY: Final = "USD"


def now() -> datetime:
    return datetime.now(UTC)


def new_ref() -> str:
    return f"co_{secrets.token_hex(9)}"


class Account(Model):
    """Somebody who can sign in: a customer or a member of staff."""

    __tablename__ = "account"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(20), default="customer")
    teams: Mapped[list[str]] = mapped_column(JSON, default=list)
    country: Mapped[str | None] = mapped_column(String(2))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    orders: Mapped[list[Order]] = relationship(
        back_populates="account", order_by="Order.placed_at.desc()"
    )

    # What Flask-Login asks of a user.
    is_active = True
    is_authenticated = True
    is_anonymous = False

    def get_id(self) -> str:
        return str(self.id)

    @property
    def is_staff(self) -> bool:
        return self.role in ("agent", "supervisor")

    def set_password(self, password: str) -> None:
        self.password_hash = generate_password_hash(password)

    def has_password(self, password: str) -> bool:
        return check_password_hash(self.password_hash, password)


class Product(Model):
    """Something to buy."""

    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(String(20), unique=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    category: Mapped[str] = mapped_column(String(30), index=True)
    price_minor: Mapped[int]
    blurb: Mapped[str] = mapped_column(String(200))
    story: Mapped[str] = mapped_column(String(1000))
    details: Mapped[list[str]] = mapped_column(JSON, default=list)
    stock: Mapped[int] = mapped_column(default=0)
    rank: Mapped[int] = mapped_column(default=0)

    @property
    def image(self) -> str:
        return f"products/{self.slug}.svg"


class Coupon(Model):
    """A reduction by a share of the goods' price."""

    __tablename__ = "coupon"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    percent: Mapped[int]
    minimum_minor: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Basket(Model):
    """A bag and the checkout that comes of it; ``ref`` stays the same all the way."""

    __tablename__ = "basket"
    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True, default=new_ref)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    state: Mapped[str] = mapped_column(String(20), default="open")
    step: Mapped[str] = mapped_column(String(20), default="cart")
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, onupdate=now)
    email: Mapped[str | None] = mapped_column(String(254))
    name: Mapped[str | None] = mapped_column(String(120))
    phone: Mapped[str | None] = mapped_column(String(40))
    line1: Mapped[str | None] = mapped_column(String(160))
    line2: Mapped[str | None] = mapped_column(String(160))
    city: Mapped[str | None] = mapped_column(String(80))
    region: Mapped[str | None] = mapped_column(String(80))
    postcode: Mapped[str | None] = mapped_column(String(20))
    country: Mapped[str | None] = mapped_column(String(2))
    shipping_method: Mapped[str | None] = mapped_column(String(20))
    coupon_id: Mapped[int | None] = mapped_column(ForeignKey("coupon.id"))
    payment_intent: Mapped[str | None] = mapped_column(String(80), index=True)
    instructions: Mapped[str | None] = mapped_column(String(500))
    gift_note: Mapped[str | None] = mapped_column(String(500))
    lines: Mapped[list[BasketLine]] = relationship(
        back_populates="basket", cascade="all, delete-orphan", order_by="BasketLine.id"
    )
    attempts: Mapped[list[PaymentAttempt]] = relationship(
        back_populates="basket", cascade="all, delete-orphan", order_by="PaymentAttempt.id"
    )
    account: Mapped[Account | None] = relationship()
    coupon: Mapped[Coupon | None] = relationship()

    @property
    def count(self) -> int:
        return sum(line.quantity for line in self.lines)


class BasketLine(Model):
    __tablename__ = "basket_line"
    id: Mapped[int] = mapped_column(primary_key=True)
    basket_id: Mapped[int] = mapped_column(ForeignKey("basket.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    quantity: Mapped[int] = mapped_column(default=1)
    basket: Mapped[Basket] = relationship(back_populates="lines")
    product: Mapped[Product] = relationship()

    @property
    def total_minor(self) -> int:
        return self.quantity * self.product.price_minor


class PaymentAttempt(Model):
    """One try to charge a card. The reason is for the shop's records, never for the page."""

    __tablename__ = "payment_attempt"
    id: Mapped[int] = mapped_column(primary_key=True)
    basket_id: Mapped[int] = mapped_column(ForeignKey("basket.id"), index=True)
    payment_intent: Mapped[str] = mapped_column(String(80))
    status: Mapped[str] = mapped_column(String(20), default="started")
    code: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    basket: Mapped[Basket] = relationship(back_populates="attempts")


class Order(Model):
    """What was bought, as it is by now; ``extra_payments``: what is left of each, in cents."""

    __tablename__ = "customer_order"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    basket_ref: Mapped[str] = mapped_column(String(40), unique=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(120))
    address: Mapped[list[str]] = mapped_column(JSON, default=list)
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    shipping: Mapped[str] = mapped_column(String(60))
    subtotal_minor: Mapped[int]
    discount_minor: Mapped[int]
    shipping_minor: Mapped[int]
    total_minor: Mapped[int]
    card: Mapped[str | None] = mapped_column(String(40))
    payment_intent: Mapped[str | None] = mapped_column(String(80), index=True)
    status: Mapped[str] = mapped_column(String(20), default="paid")
    stage: Mapped[str] = mapped_column(String(20), default="placed")
    version: Mapped[int] = mapped_column(default=1)
    extra_payments: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    discount_percent: Mapped[int] = mapped_column(default=0)
    destination: Mapped[dict[str, str] | None] = mapped_column(JSON)
    instructions: Mapped[str | None] = mapped_column(String(500))
    gift_note: Mapped[str | None] = mapped_column(String(500))
    changed_by: Mapped[list[str]] = mapped_column(JSON, default=list)
    placed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    account: Mapped[Account | None] = relationship(back_populates="orders")
