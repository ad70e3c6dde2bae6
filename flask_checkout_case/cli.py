"""``flask checkout-case …``. Reads the command line and writes what the rest returns."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, Final

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from .errors import InvalidInputError, PolicyError
from .jobs import check as checks
from .jobs.drain import drain
from .jobs.runner import Worker
from .jobs.sweep import sweep
from .rules.policy import load_policy
from .rules.policy_calendars import zone_of
from .rules.replay import PER_HOUR
from .services.explain import explain
from .services.policies import active
from .services.replay import replay, told
from .services.runtime import Runtime

group = AppGroup("checkout-case", help="Checkout cases: help at the moment of buying.")

_MARKS: Final = {checks.OK: "green", checks.WARNING: "yellow", checks.PROBLEM: "red"}


@group.command("check")
def check_command() -> None:
    """Say whether everything is set up; exit with 1 if anything is wrong."""
    found = checks.check(_app(), _runtime())
    for one in found:
        mark = click.style(f"{one.state:<8}", fg=_MARKS[one.state])
        click.echo(f"{mark} {one.about}: {one.message}")
    if any(one.state == checks.PROBLEM for one in found):
        raise SystemExit(1)


@group.command("worker")
@click.option("--once", is_flag=True, help="Run each job once and return.")
def worker_command(once: bool) -> None:
    """Do beside the requests what is due: clocks, hesitation, mail, the spool."""
    _log_to_stderr()
    worker = Worker(_app(), _runtime())
    if not once:
        worker.run()
    elif not worker.run_once():
        raise SystemExit(1)


@group.command("drain")
def drain_command() -> None:
    """Bring this host's spool into the database."""
    click.echo(f"{drain(_runtime())} event(s) inserted")


@group.command("sweep")
def sweep_command() -> None:
    """Look once at everything that is due by now."""
    swept = sweep(_runtime())
    click.echo(f"{swept.cases} case(s), {swept.checkouts} checkout(s)")


@group.group("policy")
def policy_group() -> None:
    """The policy: teams, service levels, routes."""


@policy_group.command("show")
def policy_show_command() -> None:
    """Print the policy in force."""
    runtime = _runtime()
    version, text = active(runtime)
    click.echo(f"# {version.source}, version {version.version}")
    click.echo(text, nl=False)


@policy_group.command("explain")
@click.argument("event", type=click.File("r", encoding="utf-8"))
def policy_explain_command(event: Any) -> None:
    """Say which route EVENT (a JSON file, or - for the standard input) would take, and why."""
    runtime = _runtime()
    try:
        told = json.load(event)
        for line in explain(runtime.policy, told, runtime.clock()):
            click.echo(line)
    except json.JSONDecodeError as error:
        raise click.ClickException(f"expected JSON: {error}") from error
    except InvalidInputError as error:
        raise click.ClickException(str(error)) from error


@policy_group.command("replay")
@click.argument("draft", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 3650))
@click.option("--per-hour", default=PER_HOUR, show_default=True, type=click.IntRange(1, 1000))
@click.option("--timezone", default="UTC", show_default=True, help="In which weeks are counted.")
def policy_replay_command(draft: Path, days: int, per_hour: int, timezone: str) -> None:
    """Compare the policy in force with DRAFT by the cases of the last days. Changes nothing.

    PER-HOUR is how many cases one person takes on in an hour.
    """
    runtime = _runtime()
    zone = zone_of(timezone)
    if zone is None:
        raise click.BadParameter(f"{timezone!r}: expected a name such as Europe/Berlin")
    try:
        policy = load_policy(draft, base_currency=runtime.settings.base_currency)
    except PolicyError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{runtime.policy.source} {runtime.policy.version}", nl=False)
    click.echo(f" -> {policy.source} {policy.version}, {days} days")
    for line in told(replay(runtime, policy, days=days, zone=zone), per_hour):
        click.echo(line)


def _app() -> Flask:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    return app


def _runtime() -> Runtime:
    runtime: Runtime = _app().extensions["checkout_case"]
    return runtime


def _log_to_stderr() -> None:
    """Show what the worker does, unless the shop has set logging up itself."""
    if not logging.getLogger().handlers:
        logging.basicConfig(
            level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
