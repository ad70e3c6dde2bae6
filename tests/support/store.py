"""The example shop, a local Stripe and a local Adyen on free ports, in threads of this process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import stripe

from example_store import create_app
from example_store.extensions import db
from example_store.local_adyen import Endpoint as AdyenEndpoint
from example_store.local_adyen import Payments
from example_store.local_adyen import create_app as create_adyen
from example_store.local_stripe import Endpoint, Settings
from example_store.local_stripe import create_app as create_stripe
from example_store.local_stripe.events import Events
from example_store.local_stripe.store import Store as StripeState
from example_store.local_stripe.trouble import Trouble
from example_store.ports import is_taken
from example_store.seed import seed
from example_store.settings import DEFAULTS, local_adyen, local_stripe
from example_store.support import cases

from .server import running_server
from .shop import Shop, dispose
from .waiting import wait_until

if TYPE_CHECKING:
    from flask import Flask
    from playwright.sync_api import Page

CASE_SECRET: Final = DEFAULTS["CHECKOUT_CASE_WEBHOOK_SECRETS"]["stripe"][0]
HMAC_KEY: Final = DEFAULTS["CHECKOUT_CASE_WEBHOOK_SECRETS"]["adyen"][0]


@dataclass(frozen=True, slots=True)
class LocalStripe:
    """A running local Stripe: its address, its events and everything it keeps."""

    url: str
    events: Events
    state: StripeState
    trouble: Trouble

    def client(self, key: str = "sk_test_local", **options: Any) -> stripe.StripeClient:
        """Return the real SDK's client for it."""
        return stripe.StripeClient(key, base_addresses={"api": self.url}, **options)


@dataclass(frozen=True, slots=True)
class LocalAdyen:
    """A running local Adyen: its address, and the payments that it keeps."""

    url: str
    payments: Payments


@dataclass(frozen=True, slots=True)
class RunningStore:
    """A running shop with its products, customers and staff.

    Args:
        url: its address, without a slash at the end.
        app: the Flask app, for looking into its database.
        stripe: the local Stripe that it charges with, whose webhooks it gets.
        adyen: the local Adyen behind Klarna, whose webhooks the extension gets.
    """

    url: str
    app: Flask
    stripe: LocalStripe
    adyen: LocalAdyen


@contextmanager
def running_stripe(settings: Settings | None = None) -> Iterator[LocalStripe]:
    """Run a local Stripe, without ``localstripe`` behind it unless ``settings`` say so."""
    app = create_stripe(settings or Settings(retry_delays=(0.05, 0.05, 0.1, 0.2, 0.4)))
    events: Events = app.extensions["local_stripe"]
    state: StripeState = app.extensions["local_stripe_store"]
    with running_server(app) as url:
        events.start()
        try:
            yield LocalStripe(url, events, state, app.extensions["local_stripe_trouble"])
        finally:
            events.stop()
            state.close()


@contextmanager
def running_adyen() -> Iterator[LocalAdyen]:
    """Run a local Adyen without receivers of webhooks."""
    payments = Payments(pauses=(0.05, 0.2, 0.5))
    with running_server(create_adyen(payments)) as url:
        yield LocalAdyen(url, payments)


def make_store(folder: Path, stripe_url: str, **config: Any) -> Flask:
    """Make the shop on a SQLite file in ``folder``, with its tables and its seed."""
    app = create_app(
        {
            "INSTANCE_PATH": str(folder),
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder / 'store.db'}",
            **local_stripe(stripe_url),
            **config,
        }
    )
    with app.app_context():
        db.create_all()
        seed()
    return app


def dispose_store(app: Flask) -> None:
    """Close every file and connection of a shop, its own and the extension's."""
    dispose(Shop(app, db, cases, str(app.config["SQLALCHEMY_DATABASE_URI"])))


@contextmanager
def running_store(folder: Path, **config: Any) -> Iterator[RunningStore]:
    """Run shop and local gateways; their webhooks reach the shop and the extension.

    Args:
        folder: where the database lies; it must exist.
        config: overrides the shop's configuration, such as ``STORE_ROLLBACK_ON_DECLINE=True``.
    """
    with ExitStack() as stack:
        local = stack.enter_context(running_stripe())
        adyen = stack.enter_context(running_adyen())
        app = make_store(folder, local.url, **local_adyen(adyen.url), **config)
        stack.callback(dispose_store, app)
        url = stack.enter_context(running_server(app))
        secret = str(app.config["STRIPE_WEBHOOK_SECRET"])
        local.events.add(Endpoint(f"{url}/webhooks/stripe", secret))
        local.events.add(Endpoint(f"{url}/checkout-case/webhooks/stripe", CASE_SECRET))
        receiver = AdyenEndpoint(f"{url}/checkout-case/webhooks/adyen", HMAC_KEY)
        adyen.payments.endpoints.append(receiver)
        yield RunningStore(url, app, local, adyen)


_OF_THE_WORKER: Final = (
    "CHECKOUT_CASE_POLICY",
    "CHECKOUT_CASE_FULFILMENT_URL",
    "CHECKOUT_CASE_FULFILMENT_SECRETS",
    "CHECKOUT_CASE_EGRESS_ALLOW",
)
_WAREHOUSE_SECRET: Final = "whsec_dGhlIHdhcmVob3VzZSBvZiB0aGUgdGVzdHMsIGEgc2VjcmV0"


def of_warehouse(port: int) -> dict[str, Any]:
    """Return the shop's configuration for a warehouse at this port."""
    return {
        "CHECKOUT_CASE_FULFILMENT_URL": f"http://127.0.0.1:{port}/changes",
        "CHECKOUT_CASE_FULFILMENT_SECRETS": [_WAREHOUSE_SECRET],
        "CHECKOUT_CASE_EGRESS_ALLOW": ["127.0.0.0/8"],
    }


@contextmanager
def running_warehouse(store: RunningStore, port: int) -> Iterator[str]:
    """Run the warehouse in a process of its own, with a database of its own; its address."""
    home = Path(store.app.instance_path) / "warehouse"
    command = [sys.executable, "-m", "example_store.fulfilment", "--port", str(port)]
    command += ["--home", str(home), "--shop", f"{store.url}/checkout-case/fulfilment"]
    address = f"http://127.0.0.1:{port}"
    with subprocess.Popen(
        command, env={**os.environ, "FULFILMENT_SECRET": _WAREHOUSE_SECRET}
    ) as warehouse:
        try:
            wait_until(lambda: is_taken(port), what="the warehouse")
            yield address
        finally:
            warehouse.terminate()


@contextmanager
def running_worker(store: RunningStore, **config: str) -> Iterator[None]:
    """Run the shop's worker in a process of its own, which has to end by itself.

    Args:
        config: what the worker alone has to know.
    """
    folder = Path(store.app.instance_path)
    settings = {
        "EXAMPLE_STORE_INSTANCE_PATH": str(folder),
        "EXAMPLE_STORE_SQLALCHEMY_DATABASE_URI": store.app.config["SQLALCHEMY_DATABASE_URI"],
        "EXAMPLE_STORE_CHECKOUT_CASE_SPOOL_DIR": str(folder / "spool-of-worker"),
    }
    for name in {*_OF_THE_WORKER, *config}:
        value = config.get(name) or store.app.config.get(name)
        if value:
            told = value if isinstance(value, str) else json.dumps(value)
            settings[f"EXAMPLE_STORE_{name}"] = told
    command = [sys.executable, "-m", "flask", "--app", "example_store", "checkout-case", "worker"]
    with subprocess.Popen(command, env={**os.environ, **settings}) as worker:
        try:
            yield
        finally:
            worker.terminate()
            assert worker.wait(timeout=20) == 0


def fill_bag(page: Page, url: str, *slugs: str) -> None:
    """Put products into the bag and go to the checkout's first step."""
    for slug in slugs:
        page.goto(f"{url}/product/{slug}")
        page.get_by_role("button", name="Add to bag").click()
    page.get_by_role("link", name="Checkout").click()


def go_to_payment(page: Page, *, email: str = "ada@example.com", name: str = "Ada Byron") -> None:
    """Fill the steps contact and shipping, and arrive at payment."""
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Continue to shipping").click()
    page.get_by_label("Street and number").fill("12 Mill Lane")
    page.get_by_label("Town or city").fill("Boston")
    page.get_by_label("Postcode").fill("02110")
    page.get_by_role("button", name="Continue to payment").click()


def pay_with(page: Page, number: str) -> None:
    """Type a card into Stripe's frame and press the button."""
    frame = page.frame_locator('iframe[title="Secure card payment input frame"]')
    frame.get_by_label("Card number").fill(number)
    frame.get_by_label("Expiry date").fill("12 / 40")
    frame.get_by_label("Security code").fill("123")
    frame.get_by_label("Postcode").fill("02110")
    page.locator("#pay").click()


def sign_in(page: Page, url: str, email: str, password: str) -> None:
    """Sign a customer or a member of staff in."""
    page.goto(f"{url}/account/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.locator("#login-form button").click()
