"""``CheckoutCase``: binds everything to an app. The object itself keeps no app."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from blinker import Signal
from flask import Flask, current_app

from . import capture, cli, signals
from .assembly import make_runtime
from .change_types import Change
from .config import read_settings
from .data.base import copy_tables
from .errors import ConfigurationError, InvalidInputError
from .services import cases, changes, incidents, opening, reading
from .services.runtime import Hooks, Runtime
from .services.staff import remember_agent
from .types import (
    Agent,
    CaseInfo,
    Category,
    Checkout,
    Family,
    IncidentInfo,
    Order,
    Origin,
    Ref,
    make_ref,
)
from .web.mount import mount

if TYPE_CHECKING:
    from flask_sqlalchemy import SQLAlchemy

    from .data.models import CaseRow
    from .rules.conditions.own import Parameters

KEY: Final = "checkout_case"
Hook = TypeVar("Hook", bound=Callable[..., Any])


class CheckoutCase:
    """Checkout cases for a Flask shop.

    Args:
        app, db: when both are given, :meth:`init_app` is called with them.

    The decorators (``checkout_loader``, ``agent_loader``, …) may be used before or after
    ``init_app``; one object may serve several apps.
    """

    def __init__(self, app: Flask | None = None, db: SQLAlchemy | None = None) -> None:
        self._hooks = Hooks()
        if app is not None and db is not None:
            self.init_app(app, db)
        elif app is not None or db is not None:
            raise TypeError("CheckoutCase takes both the app and the database, or neither")

    def init_app(self, app: Flask, db: SQLAlchemy) -> None:
        """Bind to an app whose database has been initialised.

        Raises:
            ConfigurationError: a key, the policy or the tables are wrong; the message says which.
            RuntimeError: this app has the extension already, or the database isn't initialised.
        """
        if KEY in app.extensions:
            raise RuntimeError("this app has a CheckoutCase already")
        if "sqlalchemy" not in app.extensions:
            raise RuntimeError("call db.init_app(app) before CheckoutCase.init_app(app, db)")
        settings = read_settings(app.config)
        runtime = make_runtime(app, db, settings, self._hooks)
        copy_tables(db.metadata)
        app.extensions[KEY] = runtime
        app.cli.add_command(cli.group)
        if settings.enabled:
            capture.connect_signals()
            runtime.recorder = capture.install(app, runtime, db)
            mount(app, runtime)

    def checkout_loader(self, function: Hook) -> Hook:
        """Set the function that returns this request's :class:`Checkout`, or ``None``."""
        return self._set("checkout_loader", function)

    def agent_loader(self, function: Hook) -> Hook:
        """Set the function that returns the :class:`Agent` behind this request, or ``None``.

        Without it every page for agents is a 403.
        """
        return self._set("agent_loader", function)

    def customer_loader(self, function: Hook) -> Hook:
        """Set the function that returns the :class:`Customer` of a ref, or of this request.

        ``def load_customer(ref=None)`` serves both. Told who is logged in, the widget lets
        customers come back to their conversation when they have no checkout.
        """
        return self._set("customer_loader", function)

    def order_loader(self, function: Hook) -> Hook:
        """Set the function that returns the :class:`Order` of an ``order_ref``."""
        return self._set("order_loader", function)

    def order_for_checkout(self, function: Hook) -> Hook:
        """Set the function that returns the :class:`Order` made of a ``checkout_ref``."""
        return self._set("order_for_checkout", function)

    def permission(self, function: Hook) -> Hook:
        """Set ``permission(agent, action, case) -> bool``, which replaces the built-in rules."""
        return self._set("permission", function)

    def checkout_restorer(self, function: Hook) -> Hook:
        """Set the function that restores a checkout and returns the path to go on at."""
        return self._set("checkout_restorer", function)

    def login_url(self, function: Hook) -> Hook:
        """Set the function that returns where an agent who isn't logged in should go."""
        return self._set("login_url", function)

    def locale_loader(self, function: Hook) -> Hook:
        """Set the function that returns this request's language tag, or ``None``."""
        return self._set("locale_loader", function)

    def consent_loader(self, function: Hook) -> Hook:
        """Set the function that says whether this customer has consented."""
        return self._set("consent_loader", function)

    def mailer(self, function: Hook) -> Hook:
        """Set the function that sends each :class:`.jobs.mail.Mail`, instead of SMTP."""
        return self._set("mailer", function)

    def inventory_loader(self, function: Hook) -> Hook:
        """Set the function that returns how many pieces of an SKU are there, or ``None``."""
        return self._set("inventory_loader", function)

    def price_change(self, function: Hook) -> Hook:
        """Set ``price_change(change) -> Money | None``: what the customer pays more, or less."""
        return self._set("price_change", function)

    def change_payment(self, function: Hook) -> Hook:
        """Set ``change_payment(change) -> str``: where the customer pays what a change costs."""
        return self._set("change_payment", function)

    def change_refund(self, function: Hook) -> Hook:
        """Set ``change_refund(change)``, which gives back what was paid for a change.

        It is called in a worker when a change with a ``payment_id`` has ended without being made,
        again until it raises nothing: give back once for each id.
        """
        return self._set("change_refund", function)

    def change_applier(self, function: Hook) -> Hook:
        """Set ``change_applier(change)``, which changes the shop's order, once for each id.

        It is called in a worker, without a request, after fulfilment has taken the change; what it
        raises is logged and it is called again later.
        """
        return self._set("change_applier", function)

    def checkout_applier(self, function: Hook) -> Hook:
        """Set ``checkout_applier(change)``, which changes what is about to be bought.

        It is called while the customer waits, in an app context of its own; what it raises is
        logged, and the customer reads that it could not be done. Without it nothing can be
        changed in the checkout.
        """
        return self._set("checkout_applier", function)

    def reconcile(self, function: Hook) -> Hook:
        """Set ``reconcile(payment)``, which asks the gateway what became of a payment.

        It gets a :class:`PaymentAttempt` and returns ``None`` while nobody knows, else what the
        gateway's own SDK returned, or the name of a signal about payments and its arguments.
        """
        return self._set("reconcile", function)

    def gateway(self, name: str) -> Callable[[Hook], Hook]:
        """Decorate ``reader(raw_body, headers)`` of the webhook ``…/webhooks/<name>``.

        It verifies the signature (raise ``SignatureError`` otherwise) and returns pairs of a
        signal's name and its arguments.
        """

        def decorate(function: Hook) -> Hook:
            self._hooks.gateways[name] = function
            return function

        return decorate

    def condition(self, name: str, *, schema: Parameters = None) -> Callable[[Hook], Hook]:
        """Decorate an own routing condition ``(facts, expected) -> bool``, used as ``name = …``.

        Policies are checked at ``init_app``: declare conditions before it.

        Args:
            schema: a marshmallow ``Schema`` when the policy gives a table, a field when it gives
                one value. ``expected`` is what it has loaded; what it refuses stops the start.
        """

        def decorate(function: Hook) -> Hook:
            from .rules.conditions import register

            register(name, function, schema)
            return function

        return decorate

    def _set(self, name: str, function: Hook) -> Hook:
        setattr(self._hooks, name, function)
        return function

    def payment(
        self, checkout: Checkout | None = None, *, provider: str | None = None, **details: Any
    ) -> capture.Payment:
        """Watch one payment attempt: a context manager, or without ``checkout`` a decorator.

        An exception is reported as ``payment_failed`` and raised again as it was. Leaving without
        one reports nothing: call ``attempt.returned(…)`` with what the gateway's SDK returned, or
        ``attempt.failed(…)`` or ``attempt.succeeded(…)``. A decorated function's own result is
        reported where it is the SDK's.

        Args:
            checkout: snapshotted now; the ``checkout_loader``'s when a decorated function starts.
            provider: the gateway, such as ``"stripe"``.
            details: further arguments of the signal, and ``failed=`` for the decorator: a function
                that says whether a returned value means failure, in place of the SDK's own words.
        """
        return capture.Payment(self._hooks, checkout, provider=provider, **details)

    def payment_failed(self, checkout: Checkout | None = None, **arguments: Any) -> None:
        """Report a failed payment from anywhere: a cancel URL, a webhook of the shop's own."""
        signals.payment_failed.send(None, checkout=checkout, **arguments)

    def listen(
        self,
        signal: Signal,
        *,
        as_: str,
        map: Callable[..., Mapping[str, Any] | None] | None = None,  # noqa: A002
    ) -> None:
        """Take one of the shop's own signals for one of ours.

        Args:
            as_: the name of our signal, such as ``"order_completed"``.
            map: gets what the signal's receivers get and returns our arguments; ``None`` from it
                ignores this sending. Without it the arguments are taken as they are.

        Raises:
            ConfigurationError: we have no signal of that name.
        """
        if as_ not in signals.FROM_SHOP:
            raise ConfigurationError(f"there is no signal {as_!r} to listen as")
        capture.listen(signal, signals.FROM_SHOP[as_], map)

    def get(self, reference: str) -> CaseInfo:
        """Return a case; raises ``NotFoundError``."""
        return reading.get(_runtime(), reference)

    def find(
        self,
        *,
        checkout_ref: Ref | None = None,
        order_ref: Ref | None = None,
        customer_ref: Ref | None = None,
        status: str | Iterable[str] | None = None,
        team: str | None = None,
        category: str | None = None,
        limit: int = 50,
    ) -> list[CaseInfo]:
        """Return the newest cases that fit everything given, at most ``limit`` (1 to 1,000).

        Raises:
            InvalidInputError: for a status or limit that can't be.
        """
        return reading.find(
            _runtime(),
            checkout_ref=checkout_ref,
            order_ref=order_ref,
            customer_ref=customer_ref,
            status=status,
            team=team,
            category=category,
            limit=limit,
        )

    def open(
        self,
        *,
        subject: str,
        category: str = "other",
        text: str | None = None,
        checkout: Checkout | None = None,
        checkout_ref: Ref | None = None,
        order_ref: Ref | None = None,
        customer_ref: Ref | None = None,
        at: datetime | None = None,
    ) -> CaseInfo:
        """Open a case from code, or join the live one about the same.

        Args:
            subject: what agents read in the queue.
            text: a customer's message to begin with.
            at: when it happened, aware UTC; now when ``None``.

        Raises:
            InvalidInputError: the category is none, or the subject or the text can't be taken; no
                case is opened then.
        """
        runtime = _runtime()
        kept = cases.clean_text(text) if text is not None else None
        snapshot = capture.snapshot_of(checkout) if checkout is not None else None
        draft = opening.CaseDraft(
            family=Family.MESSAGE,
            category=_category(category),
            origin=Origin.API,
            at=at or runtime.clock(),
            checkout_ref=make_ref(checkout.ref if checkout is not None else checkout_ref),
            order_ref=make_ref(order_ref),
            customer_ref=make_ref(customer_ref),
            snapshot=snapshot,
            subject=cases.clean_text(subject),
            text=kept,
        )
        with runtime.write() as unit:
            row, _ = opening.open_apart(
                unit, draft, lambda taken: _is_theirs(taken, draft), draft.fresh_key
            )
            reference = row.reference
        if kept is not None:
            return cases.customer_message(runtime, reference, kept, at=at)
        return reading.get(runtime, reference)

    def reply(self, reference: str, text: str, *, agent: Agent, **more: Any) -> CaseInfo:
        """Answer the customer as ``agent``; see :func:`.services.cases.reply`."""
        return cases.reply(_runtime_with(agent), reference, text, agent=agent, **more)

    def customer_message(self, reference: str, text: str, **more: Any) -> CaseInfo:
        """Post a customer's message from code, such as one that came by e-mail.

        See :func:`.services.cases.customer_message`.
        """
        return cases.customer_message(_runtime(), reference, text, **more)

    def note(self, reference: str, text: str, *, agent: Agent, **more: Any) -> CaseInfo:
        """Write an internal note as ``agent``."""
        return cases.note(_runtime_with(agent), reference, text, agent=agent, **more)

    def solve(self, reference: str, *, agent: Agent | None = None, **more: Any) -> CaseInfo:
        """Solve a case; see :func:`.services.cases.solve`."""
        return cases.solve(_runtime_with(agent), reference, agent=agent, **more)

    def open_incidents(self) -> list[IncidentInfo]:
        """Return the outages that are open now, so that the shop can hide what doesn't work.

        In any process, known for two seconds at most; nothing is raised when the database is away.
        """
        return incidents.open_incidents(_runtime())

    def get_change(self, change_id: str) -> Change:
        """Return an order change; raises ``NotFoundError``."""
        return changes.get(_runtime(), change_id)

    def changes_of(self, order_ref: Ref) -> list[Change]:
        """Return the newest changes of an order, newest first."""
        return changes.of_subject(_runtime(), Order(ref=order_ref))

    def change_paid(self, change_id: str, payment_id: str | None = None) -> Change:
        """Tell that the customer has paid what a change costs; twice is as once.

        Raises:
            NotFoundError: there is no such change.
            InvalidTransitionError: it no longer waits for a payment: give the money back.
        """
        return changes.paid(_runtime(), change_id, payment_id)

    def flush(self) -> int:
        """Make what this process has captured durable now; returns how many events that were."""
        recorder = _runtime().recorder
        return recorder.flush() if recorder is not None else 0


def _runtime() -> Runtime:
    found: Runtime | None = current_app.extensions.get(KEY)
    if found is None:
        raise RuntimeError("this app has no CheckoutCase; call init_app(app, db)")
    return found


def _runtime_with(agent: Agent | None) -> Runtime:
    """Return the runtime, which knows the agent's name from now on."""
    found = _runtime()
    if agent is not None:
        remember_agent(found, agent)
    return found


def _is_theirs(taken: CaseRow, draft: opening.CaseDraft) -> bool:
    """Whether a case opened from code may join a live one: it names the same customer, or none."""
    customer_ref = draft.customer_ref or draft.customer.get("ref")
    return customer_ref is None or taken.customer_ref == customer_ref


def _category(word: str) -> Category:
    try:
        return Category(word)
    except ValueError as error:
        raise InvalidInputError(f"{word!r} is not a category", field="category") from error
