"""``flask checkout-case …``, as a shell runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from flask_checkout_case import Checkout
from flask_checkout_case.types import utc_now
from tests.support.due import MINUTE, cases, checkout, decline, send
from tests.support.mail import Mailbox
from tests.support.shop import Shop
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
_FLASK = (sys.executable, "-m", "flask", "--app", "shop_of_commands:create_app")
SHOP = """
import json, os
from pathlib import Path
from tests.support.shop import build_shop

def create_app():
    config = json.loads(os.environ["SHOP_CONFIG"])
    home = Path(os.environ["SHOP_HOME"])
    shop = build_shop(os.environ["SHOP_DATABASE"], home, create_tables=False, **config)

    @shop.cases.checkout_loader
    def load_checkout():
        return None

    @shop.cases.agent_loader
    def load_agent():
        return None

    @shop.app.get("/pay", endpoint="checkout.pay")
    def pay():
        return "pay"

    return shop.app
"""


class Command:
    """Runs ``flask checkout-case`` on a shop of its own process, on the test's database."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.config: dict[str, object] = {}
        self.database_url = database_url
        self._folder = folder
        self._home = folder / "command"
        self._home.mkdir()
        (folder / "shop_of_commands.py").write_text(SHOP)

    def popen(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*_FLASK, "checkout-case", *arguments],
            cwd=self._folder,
            env={
                **os.environ,
                "PYTHONPATH": f"{self._folder}{os.pathsep}{ROOT}",
                "SHOP_DATABASE": self.database_url,
                "SHOP_HOME": str(self._home),
                "SHOP_CONFIG": json.dumps(self.config),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, given: str = "") -> tuple[int, str]:
        """Return the exit code and everything that was written."""
        process = self.popen(*arguments)
        try:
            output, _ = process.communicate(given, timeout=60)
        finally:
            process.kill()
        return process.returncode, output


@pytest.fixture
def command(sqlite_url: str, tmp_path: Path) -> Command:
    return Command(sqlite_url, tmp_path)


@pytest.fixture
def shop(make_sqlite_app: Callable[..., Shop]) -> Shop:
    return make_sqlite_app()


# --- check ---------------------------------------------------------------------------------------


def test_check_is_content_with_a_shop_that_is_set_up(shop: Shop, command: Command) -> None:
    code, output = command.run("check")
    assert code == 0, output
    for line in (
        "tables: 19 tables in sqlite",
        "policy: default_policy.toml",
        "spool: mode spool",
        "widget: checkout.* matches 1 endpoint(s)",
    ):
        assert line in output
    assert "problem" not in output
    assert "warning  mail: no CHECKOUT_CASE_MAIL_URL" in output


def test_check_names_missing_tables(command: Command) -> None:
    code, output = command.run("check")
    assert code == 1
    assert "the table checkout_case_case is missing: run `flask db upgrade`" in output


def test_check_warns_of_a_widget_that_is_nowhere(shop: Shop, command: Command) -> None:
    command.config["CHECKOUT_CASE_WIDGET_ENDPOINTS"] = ["cart.*", "checkout.*"]
    code, output = command.run("check")
    assert code == 0
    assert "warning  widget: cart.* matches no endpoint" in output


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("MAIL_URL", "smtp://u:secret@mail.example", "a password would travel in clear"),
        ("MAIL_URL", "smtp://localhost", "CHECKOUT_CASE_MAIL_SENDER: expected an address"),
        ("EGRESS_ALLOW", ["10.0.0.1/8"], "CHECKOUT_CASE_EGRESS_ALLOW: expected a network"),
        ("WEBHOOK_SECRETS", {"strpe": "whsec_1"}, "there is no gateway 'strpe'"),
        ("RATE_LIMIT_STORAGE", "nonsense://", "CHECKOUT_CASE_RATE_LIMIT_STORAGE"),
    ],
)
def test_check_names_what_is_wrong(
    shop: Shop, command: Command, key: str, value: object, told: str
) -> None:
    command.config[f"CHECKOUT_CASE_{key}"] = value
    code, output = command.run("check")
    assert code != 0
    assert told in output
    assert "secret@" not in output


def test_check_says_that_the_database_is_away(command: Command, tmp_path: Path) -> None:
    command.database_url = f"sqlite:///{tmp_path}/no/such/folder/shop.db"
    code, output = command.run("check")
    assert code == 1
    assert "problem  tables: the database doesn't answer" in output
    assert "ok       policy" in output


def test_a_bad_policy_stops_the_start_and_is_named(command: Command, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('[teams.support]\n[[routes]]\nname = "x"\nteam = "suport"\n')
    command.config["CHECKOUT_CASE_POLICY"] = str(bad)
    code, output = command.run("check")
    assert code != 0
    assert "bad.toml:4: routes[0].team: expected one of [teams]: support" in output


# --- policy --------------------------------------------------------------------------------------


def test_policy_show_prints_the_one_in_force(command: Command, tmp_path: Path) -> None:
    code, output = command.run("policy", "show")
    assert code == 0
    assert output.startswith("# default_policy.toml, version ")
    assert 'name = "High-value checkout"' in output
    own = tmp_path / "own.toml"
    own.write_text('[teams.support]\n[[routes]]\nname = "Own"\nteam = "support"\n')
    command.config["CHECKOUT_CASE_POLICY"] = str(own)
    _, output = command.run("policy", "show")
    assert 'name = "Own"' in output


def test_policy_explain_says_which_route_and_why(command: Command, tmp_path: Path) -> None:
    told = {
        "signal": "payment_failed",
        "provider": "stripe",
        "decline_code": "insufficient_funds",
        "checkout": {"value": "4800.00 USD", "step": "payment"},
    }
    path = tmp_path / "event.json"
    path.write_text(json.dumps(told))
    code, output = command.run("policy", "explain", str(path))
    assert code == 0
    assert "category payment_declined, failure class funds" in output
    assert "not: High-value checkout" in output
    assert "when total_over = 5000 USD: didn't hold, it is 4800.00 USD (-200.00 USD)" in output
    assert "matches: Payment declined" in output
    assert "team payments, priority high" in output
    assert "service level payment: first response within 15m, resolution within 4h" in output


@pytest.mark.parametrize(
    ("told", "team"),
    [
        ('{"category": "address_change"}', "team fulfilment"),
        ('{"signal": "stock_short"}', "team support"),
        ('{"text": "My card was declined, why?"}', "team payments"),
        ('{"signal": "hesitation", "checkout": {"value": "9000 USD"}}', "protocol white-glove"),
    ],
)
def test_policy_explain_takes_words_and_messages_too(
    command: Command, told: str, team: str
) -> None:
    code, output = command.run("policy", "explain", "-", given=told)
    assert code == 0, output
    assert team in output


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ("{", "expected JSON"),
        ("[]", "expected a JSON object"),
        ("{}", "expected `signal`"),
        ('{"category": "frud"}', "expected one of payment_declined"),
        ('{"signal": "payment_failed", "failure_class": "cancelled"}', "opens no case"),
        (
            '{"category": "other", "checkout": {"value": "12"}}',
            "checkout.value: expected an amount",
        ),
    ],
)
def test_policy_explain_names_what_it_cannot_read(command: Command, told: str, says: str) -> None:
    code, output = command.run("policy", "explain", "-", given=told)
    assert code == 1
    assert says in output
    assert "Traceback" not in output


# --- work ----------------------------------------------------------------------------------------


def high(ref: str) -> Checkout:
    return checkout(ref, "5200.00")


def test_sweep_looks_at_what_is_due(shop: Shop, command: Command) -> None:
    send(shop, "checkout_started", utc_now() - 11 * MINUTE, checkout=high("c-1"))
    send(shop, "checkout_started", utc_now() - 9 * MINUTE, checkout=high("c-2"))
    code, output = command.run("sweep")
    assert (code, output) == (0, "0 case(s), 1 checkout(s)\n")
    (case,) = cases(shop)
    assert case.checkout_ref == "c-1"


def test_drain_says_how_much_it_found(shop: Shop, command: Command) -> None:
    assert command.run("drain") == (0, "0 event(s) inserted\n")


def test_worker_once_does_everything_once(shop: Shop, command: Command, smtp: Mailbox) -> None:
    decline(shop, utc_now() - timedelta(hours=1))
    command.config["CHECKOUT_CASE_MAIL_URL"] = smtp.url
    command.config["CHECKOUT_CASE_MAIL_SENDER"] = "help@example.com"
    code, output = command.run("worker", "--once")
    assert code == 0, output
    assert len(smtp.wait_for(1)) == 1


def test_worker_once_fails_when_a_job_does(command: Command) -> None:
    code, output = command.run("worker", "--once")
    assert code == 1
    assert "sweep waits for the database" in output
    assert "Traceback" not in output


@pytest.fixture
def worker(shop: Shop, command: Command, smtp: Mailbox) -> Iterator[subprocess.Popen[str]]:
    command.config["CHECKOUT_CASE_MAIL_URL"] = smtp.url
    command.config["CHECKOUT_CASE_MAIL_SENDER"] = "help@example.com"
    process = command.popen("worker")
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_worker_works_until_it_is_told_to_stop(
    shop: Shop, worker: subprocess.Popen[str], smtp: Mailbox, number: signal.Signals
) -> None:
    decline(shop, utc_now() - timedelta(hours=1))
    send(shop, "checkout_started", utc_now() - 11 * MINUTE, checkout=high("c-9"))
    smtp.wait_for(1, seconds=40)
    wait_until(lambda: cases(shop, category="hesitation"), seconds=40, what="a concierge case")
    worker.send_signal(number)
    output, _ = worker.communicate(timeout=30)
    assert worker.returncode == 0, output
    assert "the worker stops" in output
    assert "Traceback" not in output


def test_init_app_starts_no_worker(shop: Shop) -> None:
    assert not [one for one in threading.enumerate() if "APScheduler" in one.name]


def test_the_base_currency_of_the_configuration_is_the_policys(
    command: Command, tmp_path: Path
) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        '[teams.a]\n[hesitation]\nover = "5000 EUR"\n'
        '[[routes]]\nname = "Dear"\nteam = "a"\nwhen = { total_over = "10 EUR" }\n'
        '[[routes]]\nname = "Rest"\nteam = "a"\n'
    )
    command.config["CHECKOUT_CASE_POLICY"] = str(own)
    command.config["CHECKOUT_CASE_BASE_CURRENCY"] = "EUR"
    told = '{"category": "other", "checkout": {"value": "11 EUR"}}'
    code, output = command.run("policy", "explain", "-", given=told)
    assert code == 0, output
    assert "matches: Dear" in output
