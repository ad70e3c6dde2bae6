"""What a visitor does in the shop, without a browser."""

from __future__ import annotations

from typing import Any

from example_store.seed import PASSWORD


def add(visitor: Any, slug: str, quantity: int = 1) -> Any:
    form = visitor.get(f"/product/{slug}").forms[_buy_form(visitor, slug)]
    form["quantity"] = quantity
    return form.submit().follow()


def _buy_form(visitor: Any, slug: str) -> int:
    page = visitor.get(f"/product/{slug}")
    return next(
        index
        for index, form in page.forms.items()
        if isinstance(index, int) and "/add/" in form.action
    )


def fill_contact(visitor: Any, email: str = "ada@example.com") -> Any:
    form = visitor.get("/checkout/contact").forms["contact-form"]
    form["email"], form["name"] = email, "Ada Byron"
    return form.submit()


def fill_shipping(visitor: Any, country: str = "US", **more: str) -> Any:
    form = visitor.get("/checkout/shipping").forms["shipping-form"]
    form["country"], form["line1"], form["city"], form["postcode"] = (
        country,
        "12 Mill Lane",
        "Boston",
        "02110",
    )
    for name, value in more.items():
        form[name] = value
    return form.submit(expect_errors=True)


def to_payment(visitor: Any, slug: str = "ines-tote", quantity: int = 1) -> Any:
    """Fill the bag and both steps; return the payment page."""
    add(visitor, slug, quantity)
    fill_contact(visitor)
    return fill_shipping(visitor).follow()


def pay(page: Any, method: str = "pm_card_visa") -> Any:
    form = page.forms["payment-form"]
    form["payment_method"] = method
    return form.submit(expect_errors=True)


def sign_in(visitor: Any, email: str) -> Any:
    form = visitor.get("/account/login").forms["login-form"]
    form["email"], form["password"] = email, PASSWORD
    return form.submit()
