"""``python -m example_store.demo``: the whole thing on one machine, with data to look at."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Final

from flask_migrate import upgrade

from .app import create_app
from .children import Child, ChildError, Children
from .history import tell_history
from .local_stripe.cards import behaviour_of
from .ports import is_taken
from .seed import PASSWORD, STAFF, seed
from .settings import DEFAULTS, local_adyen, local_stripe

_FOLDER: Final = Path(__file__).resolve().parent.parent / "instance" / "demo"
_PORTS: Final = (
    ("port", 5080, "the shop"),
    ("stripe-port", 5081, "the local Stripe"),
    ("inbox-port", 5082, "the inbox's page"),
    ("smtp-port", 5083, "the inbox's mail"),
    ("adyen-port", 5084, "the local Adyen"),
    ("warehouse-port", 5085, "the warehouse"),
)
_WAREHOUSE_SECRET: Final = "whsec_bG9jYWwgd2FyZWhvdXNlIG9mIHRoZSBkZW1vbnN0cmF0aW9u"
_CARDS: Final = (
    "4242424242424242",
    "4000000000009995",
    "4000000000000002",
    "4000000000000069",
    "4000000000000127",
    "4000000000006975",
    "4000000000000119",
    "4000000000009979",
    "4000002760003184",
)


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; each port has an environment variable such as ``DEMO_PORT`` too."""
    parser = argparse.ArgumentParser(prog="python -m example_store.demo", description=__doc__)
    for flag, port, what in _PORTS:
        parser.add_argument(
            f"--{flag}",
            type=int,
            default=int(os.environ.get(_variable(flag), port)),
            help=f"port of {what} ({port})",
        )
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="where the data is kept")
    parser.add_argument("--quick", action="store_true", help="less history, no localstripe")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Run the demonstration until Ctrl-C; returns the exit status."""
    options = arguments(given)
    taken = [(flag, what) for flag, _, what in _PORTS if is_taken(getattr(options, _name(flag)))]
    for flag, what in taken:
        port = getattr(options, _name(flag))
        _say(
            f"Port {port}, for {what}, is taken by another process."
            f" Choose another one: --{flag} N or {_variable(flag)}=N."
        )
    if taken:
        return 2
    # A process that a script starts in the background begins with Ctrl-C ignored.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    environment = _environment(options)
    os.environ.update(environment)
    try:
        _prepare(options)
        with Children(options.folder / "logs", environment) as children:
            _start(options, children)
            _say(_welcome(options))
            while True:
                children.check()
                time.sleep(0.5)
    except ChildError as error:
        _say(f"\n{error}\n\nAll logs are in {options.folder / 'logs'}.")
        return 1
    except KeyboardInterrupt:
        _say("\nEverything has ended. The data stays; `make demo` goes on with it.")
        return 0


def _prepare(options: argparse.Namespace) -> None:
    """Bring database and data up to date."""
    options.folder.mkdir(parents=True, exist_ok=True)
    app = create_app()
    with app.app_context():
        _say("Preparing the database …")
        upgrade()
        seed()
    told = tell_history(app, amount=6 if options.quick else 48)
    if told:
        _say(f"Told a month of history: {told} cases.")


def _start(options: argparse.Namespace, children: Children) -> None:
    python, shop = sys.executable, f"http://127.0.0.1:{options.port}"
    inbox = children.start(
        "inbox",
        [
            *(python, "-m", "example_store.inbox"),
            *("--port", str(options.inbox_port), "--smtp-port", str(options.smtp_port)),
        ],
    )
    pairs = (
        (f"{shop}/webhooks/stripe", os.environ["EXAMPLE_STORE_STRIPE_WEBHOOK_SECRET"]),
        (f"{shop}/checkout-case/webhooks/stripe", _case_secret()),
    )
    command = [python, "-m", "example_store.local_stripe", "--port", str(options.stripe_port)]
    command += ["--state", str(options.folder / "stripe.db")]
    for url, secret in pairs:
        command += ["--webhook-url", url, "--webhook-secret", secret]
    if options.quick:
        command.append("--without-localstripe")
    stripe = children.start("stripe", command)
    command = [python, "-m", "example_store.local_adyen", "--port", str(options.adyen_port)]
    command += ["--webhook-url", f"{shop}/checkout-case/webhooks/adyen", "--hmac-key", _hmac_key()]
    adyen = children.start("adyen", command)
    command = [python, "-m", "example_store.fulfilment", "--port", str(options.warehouse_port)]
    command += ["--home", str(options.folder / "warehouse")]
    command += ["--shop", f"{shop}/checkout-case/fulfilment"]
    warehouse = children.start("warehouse", command)
    store = children.start(
        "shop", [python, "-m", "example_store.serve", "--port", str(options.port)]
    )
    worker = children.start(
        "worker", [python, "-m", "flask", "--app", "example_store", "checkout-case", "worker"]
    )
    waits: tuple[tuple[Child, str], ...] = (
        (inbox, f"http://127.0.0.1:{options.inbox_port}/"),
        (stripe, f"http://127.0.0.1:{options.stripe_port}/"),
        (adyen, f"http://127.0.0.1:{options.adyen_port}/"),
        (warehouse, f"http://127.0.0.1:{options.warehouse_port}/"),
        (store, f"{shop}/"),
        (worker, f"{shop}/checkout-case/health"),
    )
    for child, url in waits:
        children.wait_for(child, url)


def _environment(options: argparse.Namespace) -> dict[str, str]:
    """Return the shop's configuration as environment variables, for every process alike."""
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    values: dict[str, object] = {
        "SECRET_KEY": _kept_secret(folder),
        "INSTANCE_PATH": str(folder),
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder / 'store.db'}",
        "STRIPE_WEBHOOK_SECRET": "whsec_local_store",
        **local_stripe(f"http://127.0.0.1:{options.stripe_port}"),
        **local_adyen(f"http://127.0.0.1:{options.adyen_port}"),
        "CHECKOUT_CASE_WEBHOOK_SECRETS": {"stripe": [_case_secret()], "adyen": [_hmac_key()]},
        "CHECKOUT_CASE_MAIL_URL": f"smtp://127.0.0.1:{options.smtp_port}",
        "CHECKOUT_CASE_MAIL_SENDER": "Maison Corvane <service@corvane.example>",
        "CHECKOUT_CASE_PUBLIC_URL": f"http://127.0.0.1:{options.port}",
        "CHECKOUT_CASE_EGRESS_ALLOW": ["127.0.0.0/8"],
        "CHECKOUT_CASE_FULFILMENT_URL": f"http://127.0.0.1:{options.warehouse_port}/changes",
        "CHECKOUT_CASE_FULFILMENT_SECRETS": [_WAREHOUSE_SECRET],
    }
    for_the_shop = {
        f"EXAMPLE_STORE_{name}": value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }
    return {**for_the_shop, "FULFILMENT_SECRET": _WAREHOUSE_SECRET}


def _kept_secret(folder: Path) -> str:
    path = folder / "secret"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32), encoding="utf-8")
    return path.read_text(encoding="utf-8")


def _case_secret() -> str:
    return "whsec_local_cases"


def _hmac_key() -> str:
    return str(DEFAULTS["CHECKOUT_CASE_WEBHOOK_SECRETS"]["adyen"][0])


def _welcome(options: argparse.Namespace) -> str:
    shop = f"http://127.0.0.1:{options.port}"
    cards = [(number, behaviour_of(number)) for number in _CARDS]
    lines = [
        "",
        "  Maison Corvane is open.",
        "",
        f"    Shop          {shop}/",
        f"    Workspace     {shop}/checkout-case/agent/",
        f"    Inbox         http://127.0.0.1:{options.inbox_port}/",
        f"    Local Stripe  http://127.0.0.1:{options.stripe_port}/   its cards, and a switch",
        f"    Local Adyen   http://127.0.0.1:{options.adyen_port}/   the same for Klarna",
        f"    Warehouse     http://127.0.0.1:{options.warehouse_port}/   what it has changed",
        "",
        f"  Staff, password {PASSWORD}",
        *(
            f"    {email:<34}{', '.join(teams) if role == 'agent' else role}"
            for email, _, role, teams in STAFF
        ),
        "",
        f"  A customer: ada.whitfield@mail.example, password {PASSWORD} (or buy as a guest)",
        "",
        "  Cards: any future date, any code, any postcode",
        *(f"    {_spaced(number)}   {card.title if card else ''}" for number, card in cards),
        "",
        "  Try this",
        f"    1. Put {shop}/product/marlow-weekender into the bag",
        "       and pay with 4000 0000 0000 9995.",
        "    2. Open Help on the page that says the payment didn't go through, and write.",
        "    3. In a private window sign in as staff, open the workspace and answer.",
        "    4. Read the answer in the shop, pay with 4242 4242 4242 4242, look at the case again.",
        "    5. Pay with Klarna and let it refuse you: another gateway, the same workspace.",
        "    6. Buy something, choose “Change this order”, and look at the warehouse.",
        "    7. Break the local Stripe, let a crowd come and look at the queue a minute later:",
        f"       {_crowd(options)}",
        "    8. As ines.castellan open Reports: who went on alone, and who was helped.",
        "",
        "  Ctrl-C ends it all.",
        "",
    ]
    return "\n".join(lines)


def _crowd(options: argparse.Namespace) -> str:
    return f"{sys.executable} -m example_store.crowd --shop http://127.0.0.1:{options.port}"


def _spaced(number: str) -> str:
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def _name(flag: str) -> str:
    return flag.replace("-", "_")


def _variable(flag: str) -> str:
    return f"DEMO_{_name(flag).upper()}"


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
