"""The policy: teams, service levels, routes. Loaded whole, or refused with every mistake named."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from ..errors import PolicyError
from ..i18n import N_
from ..types import Money, Priority
from .calendars import ALWAYS, Calendar
from .conditions import Clause
from .policy_changes import Changes
from .policy_hesitation import HeldOut, Hesitation, Prompts
from .policy_toml import line_of, locate
from .policy_values import Rates
from .saying import say

DEFAULT_NAME: Final = "default_policy.toml"


@dataclass(frozen=True, slots=True)
class Burst:
    """At most ``cases`` are given to one agent within ``window``."""

    cases: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Team:
    """A team.

    Args:
        team_limit: open cases of all its members together.
        member_limit: open cases of one, unless the agent has a limit of their own.
        assignment: ``manual``, ``round_robin`` or ``balanced``.
        burst: how many cases one agent is given at a time.
        accept_within: a case that its new assignee hasn't touched goes on to another.
        members: refs of agents who belong to it, beside those whose ``agent_loader`` says so.
    """

    key: str
    name: str
    team_limit: int | None = None
    member_limit: int | None = None
    assignment: str = "manual"
    burst: Burst | None = None
    accept_within: timedelta | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an escalation: at ``percent`` of the way to the due time, or ``after`` it.

    Args:
        clock: ``first_response``, ``next_response`` or ``resolution``.
        notify: any of ``assignee``, ``team``, ``supervisors``, ``webhook``.
        priority, team, protocol: what the case gets.
    """

    clock: str = "first_response"
    percent: int | None = None
    after: timedelta | None = None
    notify: tuple[str, ...] = ()
    priority: Priority | None = None
    team: str | None = None
    protocol: str | None = None


@dataclass(frozen=True, slots=True)
class Sla:
    """A service level: how long until the first answer, each further one, the solution."""

    key: str
    calendar: str = ALWAYS
    first_response: timedelta | None = None
    next_response: timedelta | None = None
    resolution: timedelta | None = None
    escalate: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """A step of a protocol.

    Args:
        owner: ``assignee``, ``supervisors``, or a team's key.
        within: time allowed from the moment the protocol was added, by the case's calendar.
        required: the case isn't solved without it, or without a reason.
    """

    title: str
    owner: str = "assignee"
    within: timedelta | None = None
    required: bool = True


@dataclass(frozen=True, slots=True)
class Protocol:
    """What is done, in this order, about a case of a kind."""

    key: str
    name: str
    tasks: tuple[Task, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """Where cases go of which all of ``when`` and none of ``unless`` hold."""

    name: str
    team: str
    when: tuple[Clause, ...] = ()
    unless: tuple[Clause, ...] = ()
    sla: Sla | None = None
    priority: Priority = Priority.NORMAL
    protocol: str | None = None


@dataclass(frozen=True, slots=True)
class Outreach:
    """A declined payment that isn't retried within ``after`` gets one service e-mail.

    Args:
        link_for: so long its link leads back to the checkout, once.
    """

    after: timedelta
    enabled: bool = True
    link_for: timedelta = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Payments:
    """How long payments have before somebody is asked to look.

    Args:
        recovers_within: a plain decline is given to no agent before; customers mostly pay by then.
        order_within: an order follows the money by then, where the shop tells of orders.
        action_within: the customer has confirmed by then what the bank asked for.
    """

    recovers_within: timedelta = timedelta(minutes=2)
    order_within: timedelta = timedelta(minutes=10)
    action_within: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class CardTesting:
    """Whether attempts of somebody who tries cards become one case."""

    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Customers with a checkout strictly ``over`` an amount may ask to be called.

    Args:
        calendar: whose hours they are; those of the case's service level when ``None``.
        slot: how long one call may take.
        lead: nobody is called earlier than this after asking.
        days: on how many days with hours calls are offered.
        per_slot: how many calls are promised for one time.
        phone: a number that customers may call themselves.
        timezone: in which times are shown to customers whose own is unknown; the calendar's when
            ``None``.
    """

    over: Money
    enabled: bool = True
    calendar: str | None = None
    slot: timedelta = timedelta(minutes=30)
    lead: timedelta = timedelta(hours=1)
    days: int = 3
    per_slot: int = 2
    phone: str | None = None
    timezone: ZoneInfo | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A checked policy.

    Args:
        currency: the base currency, in which amounts of several currencies are compared.
        rates: what one major unit of another currency is worth in the base currency.
        version: changes with the text: the first 12 hexadecimal digits of its SHA-256.
        source: the file's name, as it is shown to people.
    """

    currency: str
    rates: Mapping[str, Decimal]
    teams: Mapping[str, Team]
    sla: Mapping[str, Sla]
    routes: tuple[Route, ...]
    hesitation: Hesitation
    outreach: Outreach
    callbacks: Callbacks
    changes: Changes
    version: str
    source: str
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    protocols: Mapping[str, Protocol] = field(default_factory=dict)
    payments: Payments = Payments()
    card_testing: CardTesting = CardTesting()
    prompts: Prompts = field(default_factory=Prompts)
    held_out: HeldOut = field(default_factory=HeldOut)

    @property
    def exchange(self) -> Rates:
        """What other currencies are worth in the base currency."""
        return Rates(self.currency, self.rates)

    def in_base(self, money: Money | None) -> Decimal | None:
        """Return the amount in major units of the base currency; ``None`` without a rate."""
        return self.exchange.in_base(money)

    def is_over(self, money: Money | None, limit: Money) -> bool:
        """Whether an amount is strictly more than ``limit``; without a rate it is not."""
        amount, most = self.in_base(money), self.in_base(limit)
        return amount is not None and most is not None and amount > most


def load_policy(path: Path | None, *, base_currency: str | None = None) -> Policy:
    """Read and check a policy; ``None`` is the one that is shipped.

    Args:
        base_currency: overrides the policy's ``currency``.

    Raises:
        PolicyError: with one line a mistake: ``file:line: key: expected …; did you mean …``.
    """
    text, name = read_policy_text(path)
    return parse_policy(text, name, base_currency=base_currency)


def read_policy_text(path: Path | None) -> tuple[str, str]:
    """Return the text of a policy and its file's name.

    Raises:
        PolicyError: the file can't be read or isn't UTF-8.
    """
    if path is None:
        return files(__package__).joinpath(DEFAULT_NAME).read_text(encoding="utf-8"), DEFAULT_NAME
    try:
        # Some editors begin a file with a byte order mark, which is no TOML.
        return path.read_text(encoding="utf-8-sig"), path.name
    except OSError as error:
        raise PolicyError(f"{path}: the policy can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path.name}: expected text in UTF-8") from error


def parse_policy(text: str, source: str, *, base_currency: str | None = None) -> Policy:
    """Read and check the text of a policy.

    Args:
        source: the file's name, for messages.
        base_currency: overrides the policy's ``currency``.

    Raises:
        PolicyError: see :func:`load_policy`.
    """
    try:
        return _checked(text, source, base_currency)
    except RecursionError as error:
        raise _refused(source, [(1, "", say(N_("expected fewer values within values")))]) from error


def _checked(text: str, source: str, base_currency: str | None) -> Policy:
    from .policy_check import build

    raw = _parsed(text, source)
    if base_currency is not None:
        raw = {**raw, "currency": base_currency}
    policy, mistakes = build(raw, version=version_of(text), source=source)
    if policy is None:
        lines = locate(text)
        told = sorted((line_of(lines, one.path), one.key, one.message) for one in mistakes)
        raise _refused(source, told)
    return policy


def _refused(source: str, mistakes: Sequence[tuple[int, str, str]]) -> PolicyError:
    told = [f"{source}:{line}: {key}{key and ': '}{says}" for line, key, says in mistakes]
    return PolicyError("\n".join(told), mistakes)


def version_of(text: str) -> str:
    """Return what tells a policy's text from every other."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _parsed(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except ValueError as error:  # a number of too many digits is no TOMLDecodeError
        # "… (at line 3, column 7)", or "(at end of document)"
        message, _, place = str(error).rpartition(" (at ")
        line = place.removeprefix("line ").split(",")[0].rstrip(")")
        number = int(line) if line.isdigit() else text.count("\n") + 1
        says = say(N_("expected TOML: %(problem)s"), problem=message)
        raise _refused(source, [(number, "", says)]) from error
