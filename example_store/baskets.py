"""The visitor's bag: found by the session, filled, emptied, handed over at sign-in."""

from __future__ import annotations

from flask import g, session
from flask_login import current_user
from sqlalchemy import select

from .extensions import db
from .models import Account, Basket, BasketLine, Product

_KEY = "basket"
MOST_OF_ONE = 9
ADDRESS = ("name", "line1", "line2", "city", "region", "postcode", "country")
GOES_WITH = "leather"


def account() -> Account | None:
    """Return who is signed in, or ``None``."""
    return current_user._get_current_object() if current_user.is_authenticated else None  # noqa: SLF001


def current() -> Basket | None:
    """Return this session's open bag, or ``None`` when nothing was put in yet."""
    ref = session.get(_KEY)
    if ref is None:
        return None
    if g.get("basket_ref") != ref:
        g.basket = db.session.scalar(select(Basket).where(Basket.ref == ref))
        g.basket_ref = ref
    found: Basket | None = g.basket
    return found if found is not None and found.state == "open" and found.lines else None


def add(product: Product, quantity: int) -> Basket:
    """Put pieces of a product into the bag."""
    basket = current() or _new()
    line = next((line for line in basket.lines if line.product_id == product.id), None)
    if line is None:
        line = BasketLine(product=product, quantity=0)
        basket.lines.append(line)
    line.quantity = min(MOST_OF_ONE, line.quantity + max(1, quantity))
    return basket


def change(basket: Basket, line_id: int, quantity: int) -> None:
    """Set how many pieces a line has; none removes it."""
    for line in list(basket.lines):
        if line.id == line_id:
            line.quantity = min(MOST_OF_ONE, quantity)
            if quantity < 1:
                basket.lines.remove(line)


def short_line(basket: Basket) -> BasketLine | None:
    """Return the first line of which there is less in stock than asked for."""
    return next((line for line in basket.lines if line.quantity > line.product.stock), None)


def hand_over(basket: Basket | None, owner: Account) -> None:
    """Give a bag filled before sign-in to the account."""
    if basket is not None and basket.account_id is None:
        basket.account = owner
        basket.email = basket.email or owner.email
        basket.name = basket.name or owner.name


def take(basket: Basket) -> None:
    """Make a bag this session's."""
    session[_KEY] = basket.ref
    g.basket, g.basket_ref = basket, basket.ref


def forget() -> None:
    """Begin with an empty bag."""
    session.pop(_KEY, None)
    g.pop("basket_ref", None)


def address_of(basket: Basket) -> dict[str, str]:
    """Return where a bag goes, as far as that was typed."""
    if not basket.line1:
        return {}
    return {name: value for name in ADDRESS if (value := getattr(basket, name))}


def small_things() -> list[Product]:
    """Return what customers add to what they buy."""
    wanted = select(Product).filter_by(category=GOES_WITH).where(Product.stock > 0)
    return list(db.session.scalars(wanted.order_by(Product.price_minor).limit(6)))


def _new() -> Basket:
    basket = Basket(state="open", step="cart")
    owner = account()
    if owner is not None:
        hand_over(basket, owner)
    db.session.add(basket)
    db.session.flush()
    take(basket)
    return basket


def latest() -> Basket | None:
    """Return this session's bag in whatever state it is."""
    ref = session.get(_KEY)
    return db.session.scalar(select(Basket).where(Basket.ref == ref)) if ref else None


def note_order(number: str) -> None:
    """Let this browser see an order it has placed."""
    session["orders"] = [number, *noted_orders()][:10]


def noted_orders() -> list[str]:
    found: list[str] = session.get("orders", [])
    return found
