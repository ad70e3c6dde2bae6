"""A shop with a checkout per customer, and customers who use the widget by HTTP."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from html import unescape
from typing import Any

from flask import Flask, Response, make_response, request, session
from webtest import TestApp, TestResponse

from flask_checkout_case import Checkout, Customer, Line, Money, signals
from flask_checkout_case.types import Agent

from .shop import Shop

ORIGIN = {"Origin": "http://localhost"}
READING = ("state", "panel", "poll", "help")
"""The endpoints that show a conversation."""
LIN = Agent(ref="7", name="Lin", teams=("payments",), role="supervisor", email="lin@staff.example")
STRICT_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'"
)
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<title>Checkout</title><link rel="stylesheet" href="/shop.css"></head><body>
<header>Atelier Nord</header><main><h1>Payment</h1>
<dl><dt>Leather weekender</dt><dd>5,200.00 USD</dd><dt>Delivery</dt><dd>free</dd></dl>
<form method="post" action="/pay"><label>Card number <input name="card" autocomplete="off"></label>
<button id="pay">Pay 5,200.00 USD</button></form></main></body></html>"""
DECLINED = '<p role="alert">Your card was declined.</p><form'
STYLE = """
:root { color-scheme: light dark; --ink: #1c1917; --page: #fafaf9; --paper: #fff; --line: #78716c }
@media (prefers-color-scheme: dark) {
  :root { --ink: #f5f5f4; --page: #0c0a09; --paper: #1c1917; --line: #a8a29e } }
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.5 Georgia, serif; color: var(--ink); background: var(--page) }
header { padding: 20px 24px; background: var(--paper); font-size: 20px; letter-spacing: .02em }
main { max-width: 640px; margin: 0 auto; padding: 24px }
dl { display: grid; grid-template-columns: 1fr auto; gap: 8px; margin: 0 0 24px }
dd { margin: 0 }
input { display: block; width: 100%; margin: 4px 0 20px; padding: 11px; font: inherit;
  border: 1px solid var(--line); background: var(--paper); color: inherit }
button { display: block; width: 100%; min-height: 48px; border: 0; font: inherit;
  background: var(--ink); color: var(--page) }"""


def furnish(shop: Shop) -> Shop:
    """Give the shop a checkout page; who is there is kept in its session by ``/enter/<ref>``."""
    app = shop.app

    @shop.cases.checkout_loader
    def load_checkout() -> Checkout | None:
        return checkout(session["ref"], session.get("who")) if "ref" in session else None

    @app.get("/enter/<ref>")
    def enter(ref: str) -> str:
        session["ref"], session["who"] = ref, request.args.get("who")
        return "in"

    @app.get("/stay")
    def stay() -> str:
        session.pop("ref")
        return "no checkout any more"

    @app.get("/leave")
    def leave() -> str:
        session.clear()
        return "out"

    @app.get("/checkout", endpoint="checkout.payment")
    def payment() -> Response:
        page = make_response(PAGE)
        page.headers["Content-Security-Policy"] = STRICT_CSP
        return page

    @app.post("/pay", endpoint="checkout.pay")
    def pay() -> Response:
        fail(shop, session["ref"], request.form["card"], who=session.get("who"))
        page = make_response(PAGE.replace("<form", DECLINED, 1))
        page.headers["Content-Security-Policy"] = STRICT_CSP
        page.status_code = 402
        return page

    @app.get("/shop.css")
    def style() -> Response:
        return Response(STYLE, mimetype="text/css")

    @app.get("/favicon.ico")
    def icon() -> tuple[str, int]:
        return "", 204

    return shop


def checkout(ref: str, who: str | None = None) -> Checkout:
    return Checkout(
        ref=ref,
        value=Money("5200.00", "USD"),
        step="payment",
        url="/checkout",
        customer=Customer(ref=who, name="Ada"),
        lines=[Line("BAG-1", "Leather weekender", 1, Money("5200.00", "USD"))],
    )


def fail(shop: Shop, ref: str, decline_code: str, who: str | None = None) -> None:
    """Let a card be declined, as the shop would tell it, and have it in the database."""
    with shop.app.app_context():
        signals.payment_failed.send(
            shop.app,
            checkout=checkout(ref, who),
            provider="stripe",
            failure_code="card_declined",
            decline_code=decline_code,
            attempt_id=f"ch_{secrets.token_hex(8)}",
        )
        shop.cases.flush()


def cases_of(shop: Shop, **wanted: Any) -> list[Any]:
    with shop.app.app_context():
        return shop.cases.find(**wanted)


def reply(shop: Shop, reference: str, text: str) -> None:
    with shop.app.app_context():
        shop.cases.reply(reference, text, agent=LIN)


class Person:
    """A browser without scripts: its cookies, and what the widget's script would ask for."""

    def __init__(self, app: Flask, ref: str | None = None, who: str | None = None) -> None:
        self.http = TestApp(app)
        if ref is not None:
            self.enter(ref, who)

    def enter(self, ref: str, who: str | None = None) -> None:
        self.http.get(f"/enter/{ref}", {"who": who} if who else {})

    def get(self, page: str, **more: Any) -> TestResponse:
        return self.http.get(f"/checkout-case/{page}", **more)

    def write(self, text: str, *, status: int | str = 201, **fields: Any) -> TestResponse:
        """Post a message as the script does."""
        token = self.get("token").json["token"]
        body = {"text": text, "key": secrets.token_hex(12), **fields}
        return self.http.post_json(
            "/checkout-case/messages",
            body,
            headers={**ORIGIN, "X-Checkout-Case": token},
            status=status,
        )

    def write_by_form(self, text: str, *, status: int | str = 303, **fields: Any) -> TestResponse:
        """Post a message as a browser without scripts does: what the page's form holds."""
        form = {**hidden_fields(self.get("help").text), "text": text, **fields}
        return self.http.post("/checkout-case/help", form, headers=ORIGIN, status=status)

    def has_only(self, **cookies: str) -> None:
        """Forget all cookies but these; a name without its prefix ``checkout_case_``."""
        self.http.reset()
        for name, value in cookies.items():
            self.http.set_cookie(f"checkout_case_{name}", value)

    def cookie(self, name: str) -> str:
        return str(self.http.cookies[f"checkout_case_{name}"])

    def texts(self) -> list[str]:
        return [line["text"] for line in self.get("panel").json["lines"]]


def hidden_fields(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {name: unescape(value) for name, value in found}


Furnish = Callable[..., Shop]
