"""Is this app set up so that checkout cases work? What ``flask checkout-case check`` tells."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final
from urllib.parse import urlsplit

from flask import Flask
from limits.errors import ConfigurationError as LimitsError
from limits.storage import storage_from_string
from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError

from ..data import outbox
from ..data.base import Base
from ..data.claims import GAVE_UP
from ..egress import read_networks
from ..errors import CheckoutCaseError
from ..gateways import GATEWAYS
from ..services.policies import active
from ..services.runtime import Runtime
from .mail import mailer_of

log = logging.getLogger(__name__)

OK: Final = "ok"
WARNING: Final = "warning"
PROBLEM: Final = "problem"


@dataclass(frozen=True, slots=True)
class Found:
    """One line of the report. ``state`` is ``ok``, ``warning`` or ``problem``."""

    state: str
    about: str
    message: str


def check(app: Flask, runtime: Runtime) -> list[Found]:
    """Look at everything; a check that fails itself is a problem, and the others still run."""
    found: list[Found] = []
    for about, look in _CHECKS.items():
        try:
            told = list(look(app, runtime))
        except CheckoutCaseError as error:
            told = [(PROBLEM, str(error))]
        except Exception as error:
            log.exception("the check of %s failed", about)
            told = [(PROBLEM, f"{type(error).__name__}: {error}".partition("\n")[0])]
        found += [Found(state, about, message) for state, message in told]
    return found


Told = Iterator[tuple[str, str]]


def _configuration(app: Flask, runtime: Runtime) -> Told:
    settings = runtime.settings
    if not settings.enabled:
        yield WARNING, "CHECKOUT_CASE_ENABLED is False: nothing is captured, no page is mounted"
    runtime.secret_keys()
    read_networks(settings.egress_allow)
    yield OK, f"read; pages below {settings.url_prefix}: {', '.join(settings.parts)}"


def _hooks(app: Flask, runtime: Runtime) -> Told:
    hooks, settings = runtime.hooks, runtime.settings
    if hooks.checkout_loader is None and "widget" in settings.parts:
        yield WARNING, "no checkout_loader: the widget knows no checkout"
    if hooks.agent_loader is None and "agent" in settings.parts:
        yield WARNING, "no agent_loader: every page for agents is a 403"
    if hooks.checkout_loader is not None and hooks.agent_loader is not None:
        yield OK, "checkout_loader and agent_loader are set"


def _tables(app: Flask, runtime: Runtime) -> Told:
    try:
        inspector = inspect(runtime.database.engine)
        present = set(inspector.get_table_names())
        dialect = runtime.database.engine.dialect.name
    except SQLAlchemyError as error:
        yield PROBLEM, f"the database doesn't answer: {error}".partition("\n")[0]
        return
    if dialect not in {"sqlite", "postgresql"}:
        yield PROBLEM, f"the database is {dialect}; expected SQLite or PostgreSQL"
        return
    wrong = False
    for name, table in Base.metadata.tables.items():
        if name not in present:
            wrong = True
            yield PROBLEM, f"the table {name} is missing: run `flask db upgrade` or create_all()"
            continue
        columns = {str(column["name"]) for column in inspector.get_columns(name)}
        missing = sorted({column.name for column in table.columns} - columns)
        if missing:
            wrong = True
            yield PROBLEM, f"the table {name} lacks {', '.join(missing)}: migrate"
    if not wrong:
        yield OK, f"{len(Base.metadata.tables)} tables in {dialect}"


def _policy(app: Flask, runtime: Runtime) -> Told:
    policy = runtime.policy
    counts = f"{len(policy.teams)} teams, {len(policy.sla)} service levels"
    yield OK, f"{policy.source}, version {policy.version}: {counts}, {len(policy.routes)} routes"
    try:
        kept, _ = active(runtime)
    except SQLAlchemyError:
        # The tables' check tells of it.
        return
    if kept.version != policy.version:
        told = f"{kept.source}, version {kept.version}, was activated and can't be used"
        yield WARNING, f"{told}: the log says why; activate another one"


def _spool(app: Flask, runtime: Runtime) -> Told:
    if runtime.recorder is None:
        return
    health = runtime.recorder.health()
    told = ", ".join(f"{key} {value}" for key, value in health.items() if key != "ok")
    yield OK if health.get("ok") else PROBLEM, told


def _gateways(app: Flask, runtime: Runtime) -> Told:
    known = {*GATEWAYS, *runtime.hooks.gateways}
    for name in runtime.settings.webhook_secrets:
        if name in known:
            yield OK, f"webhooks of {name} are verified"
        else:
            yield PROBLEM, f"there is no gateway {name!r}; known are {', '.join(sorted(known))}"
    if "webhooks" in runtime.settings.parts and not runtime.settings.webhook_secrets:
        yield OK, "no webhook secret: no webhook is taken"


def _alerts(app: Flask, runtime: Runtime) -> Told:
    urls, secrets = runtime.settings.alert_urls, runtime.settings.alert_secrets
    steps = [step for sla in runtime.policy.sla.values() for step in sla.escalate]
    if any("webhook" in step.notify for step in steps) and not urls:
        yield PROBLEM, "the policy notifies a webhook, and CHECKOUT_CASE_ALERT_URLS is empty"
    if urls and not secrets:
        yield PROBLEM, "CHECKOUT_CASE_ALERT_SECRETS is empty: receivers can't tell who posts"
    for url in urls if secrets else ():
        yield OK, f"escalations are posted to {urlsplit(url).hostname}"


def _mail(app: Flask, runtime: Runtime) -> Told:
    if mailer_of(runtime) is None:
        yield WARNING, "no CHECKOUT_CASE_MAIL_URL and no mailer: no mail is sent"
        return
    if runtime.settings.public_url is None:
        yield WARNING, "no CHECKOUT_CASE_PUBLIC_URL: mails carry no link to the checkout"
    how = "the shop's mailer" if runtime.hooks.mailer else "the configured mail server"
    yield OK, f"sent through {how} by `flask checkout-case worker`"
    try:
        with runtime.read() as session:
            given_up = outbox.count_by_state(session).get(GAVE_UP, 0)
    except SQLAlchemyError:
        # The tables' check tells of it.
        return
    if given_up:
        yield WARNING, f"{given_up} message(s) were given up; see checkout_case_outbox.last_error"


def _widget(app: Flask, runtime: Runtime) -> Told:
    settings = runtime.settings
    if "widget" not in settings.parts or settings.widget != "auto":
        return
    endpoints = [rule.endpoint for rule in app.url_map.iter_rules()]
    for glob in settings.widget_endpoints:
        matching = sum(1 for endpoint in endpoints if fnmatchcase(endpoint, glob))
        if matching:
            yield OK, f"{glob} matches {matching} endpoint(s)"
        else:
            yield WARNING, f"{glob} matches no endpoint: the widget isn't added there"


def _rate_limits(app: Flask, runtime: Runtime) -> Told:
    address = runtime.settings.rate_limit_storage
    try:
        storage = storage_from_string(address)
    except (LimitsError, ValueError) as error:
        yield PROBLEM, f"CHECKOUT_CASE_RATE_LIMIT_STORAGE: {error}"
        return
    if not storage.check():
        yield PROBLEM, "the storage of the rate limits doesn't answer"
    else:
        yield OK, "counted in this process" if address == "memory://" else "counted in common"


_CHECKS: Final[Mapping[str, Callable[[Flask, Runtime], Told]]] = {
    "configuration": _configuration,
    "hooks": _hooks,
    "tables": _tables,
    "policy": _policy,
    "spool": _spool,
    "gateways": _gateways,
    "mail": _mail,
    "alerts": _alerts,
    "widget": _widget,
    "rate limits": _rate_limits,
}
