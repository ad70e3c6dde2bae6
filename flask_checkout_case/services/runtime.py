"""What one app's services work with. Built once by the extension, passed to every service."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from ..config import Settings
from ..types import Agent, Checkout, Customer, Emission, Event, Order, utc_now
from .incident_source import IncidentSource

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

    from ..rules.policy import Policy
    from .policy_source import PolicySource
    from .unit import Database


@dataclass
class Hooks:
    """The shop's callables, each optional; ``None`` means the documented behaviour without."""

    checkout_loader: Callable[[], Checkout | None] | None = None
    agent_loader: Callable[[], Agent | None] | None = None
    customer_loader: Callable[..., Customer | None] | None = None
    order_loader: Callable[[str], Order | None] | None = None
    order_for_checkout: Callable[[str], Order | None] | None = None
    permission: Callable[[Agent, str, Any], bool] | None = None
    checkout_restorer: Callable[[str], str | None] | None = None
    login_url: Callable[[], str] | None = None
    locale_loader: Callable[[], str | None] | None = None
    mailer: Callable[[Any], None] | None = None
    consent_loader: Callable[..., bool] | None = None
    inventory_loader: Callable[[str], int | None] | None = None
    price_change: Callable[..., Any] | None = None
    change_applier: Callable[..., Any] | None = None
    checkout_applier: Callable[..., Any] | None = None
    change_payment: Callable[..., str] | None = None
    change_refund: Callable[..., Any] | None = None
    reconcile: Callable[..., Any] | None = None
    gateways: dict[str, Callable[..., Any]] = field(default_factory=dict)


class Recorder(Protocol):
    """What captures events for an app (see ``capture``)."""

    def capture(self, event: Event) -> None:
        """Keep the event; never raises, never touches the shop's session."""

    def flush(self) -> int:
        """Make what this process has captured durable in the database now; the number of events."""

    def drain(self) -> int:
        """Insert what no process has acknowledged, also of dead ones; the number of events."""

    def close(self) -> None:
        """Close the connections; what was captured stays where it is."""

    def health(self) -> dict[str, Any]:
        """``{"ok": bool, …}`` with figures for the health page."""


@dataclass
class Runtime:
    """One app's state, at ``app.extensions["checkout_case"]``.

    Args:
        policies: gives the policy in force.
        clock: gives now, aware UTC.
        emit: sends one of our signals, isolating receivers' exceptions.
        incidents: knows what is open.
        apart: an app context of its own for a hook of the shop's: the session that the hook reads
            with ends with it, and holds no lock that our own write would wait for.
    """

    name: str
    settings: Settings
    policies: PolicySource
    database: Database
    hooks: Hooks
    emit: Callable[[Emission], None]
    secret_keys: Callable[[], Sequence[str]]
    clock: Callable[[], datetime] = utc_now
    recorder: Recorder | None = None
    extras: dict[str, Any] = field(default_factory=dict)
    incidents: IncidentSource = field(default_factory=IncidentSource)
    apart: Callable[[], AbstractContextManager[Any]] = nullcontext

    @property
    def policy(self) -> Policy:
        """The policy in force; one and the same inside of :meth:`read` and :meth:`write`."""
        return self.policies.current(self.database)

    @property
    def shop_name(self) -> str:
        return self.settings.shop_name or self.name

    def close(self) -> None:
        """Close every connection; the next use opens new ones."""
        self.database.dispose()
        if self.recorder is not None:
            self.recorder.close()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; it is rolled back at the end."""
        with self.policies.held(self.database), self.database.reading() as session:
            yield session

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """A connection for one statement that reads; no transaction holds two together."""
        with self.policies.held(self.database), self.database.glancing() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Unit]:
        """A unit of work: commits at the end, then emits what was noted in it.

        An exception rolls everything back and nothing is emitted.
        """
        unit = Unit.begin(self)
        with self.policies.held(self.database), self.database.writing() as session:
            unit.session = session
            yield unit
        for emission in unit.emissions:
            self.emit(emission)


@dataclass
class Unit:
    """One transaction in progress, and the signals to send when it has been committed."""

    runtime: Runtime
    now: datetime
    emissions: list[Emission] = field(default_factory=list)
    _session: Session | None = None

    @classmethod
    def begin(cls, runtime: Runtime, now: datetime | None = None) -> Unit:
        return cls(runtime=runtime, now=now or runtime.clock())

    @property
    def session(self) -> Session:
        if self._session is None:
            raise RuntimeError("the unit of work has no session yet")
        return self._session

    @session.setter
    def session(self, session: Session) -> None:
        self._session = session

    def emit(self, signal: str, **payload: Any) -> None:
        """Send ``signal`` after the commit."""
        self.emissions.append(Emission(signal, payload))
