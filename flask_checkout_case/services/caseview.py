"""Everything that the case page shows, read at one moment."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from ..data import queries_assignment, queries_change, queries_protocol, queries_queue
from ..data import queries_caseview as queries
from ..data.callback_models import CallbackRow
from ..data.change_models import ChangeRow, HandoverRow
from ..data.models import AgentRow, CaseRow, CheckoutRow, EntryRow, EventRow, TaskRow
from ..errors import NotFoundError
from ..rules import lifecycle
from ..rules import protocols as protocol_rules
from ..rules.assignment import AUTOMATIC, belongs
from ..rules.urgency import Standing, standing
from ..types import Agent, CaseInfo, Family, Order, Priority, Status
from . import watching
from .attempts import Payments, payments_of
from .due import Clock, running_clocks
from .permission import ACTIONS, may, require
from .protocols import Checklist, checklists
from .reading import info
from .runtime import Runtime
from .shop import Told, customer_of, order_of

ENTRIES: Final = 100
EVENTS: Final = 100
OTHERS: Final = 5
LOOKED_AT: Final = 20
"""Other cases are looked up to this many: some of them may not be this agent's to see."""


@dataclass(frozen=True, slots=True)
class Step:
    """What the customer did or met in the checkout; ``count`` times in a row."""

    name: str
    step: str | None
    data: Mapping[str, Any]
    at: datetime
    count: int = 1


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case with all that belongs to it.

    Args:
        before: the last line of the whole timeline that is *not* shown, if there are older ones.
        cart: the checkout as last heard of, or as it was when the case was opened.
        payments: what was tried to pay, and what is best done about it.
        order: as the shop tells it now, when it has an ``order_loader``.
        others: the newest other cases of the customer that the agent may see.
        customer: who it is as the shop tells it now, else as the checkout did; by the names of
            :class:`~flask_checkout_case.Customer`.
        customer_failed: the shop could not tell who it is now.
        changes: of the order, that the case is about; ``handovers``: what became of each.
        call: the call that the customer has asked for, while the case is live.
        allowed: the actions that this agent may take.
        may_decline: whether the case was given to this agent automatically.
        colleagues: known agents to whom the case can be given.
        checklists: the protocols that the case follows.
        standing: why a live case stands where it stands in the queue.
    """

    case: CaseInfo
    row: CaseRow
    checkout: CheckoutRow | None
    cart: Mapping[str, Any]
    clocks: tuple[Clock, ...]
    entries: tuple[EntryRow, ...]
    before: int | None
    steps: tuple[Step, ...]
    payments: Payments
    others: tuple[CaseInfo, ...]
    order: Order | None
    customer: Mapping[str, Any]
    customer_failed: bool
    agents: tuple[AgentRow, ...]
    colleagues: tuple[AgentRow, ...]
    checklists: tuple[Checklist, ...]
    call: CallbackRow | None
    changes: tuple[ChangeRow, ...]
    handovers: tuple[HandoverRow, ...]
    standing: Standing | None
    allowed: frozenset[str]
    may_decline: bool
    mark: str
    now: datetime

    @property
    def held_by(self) -> list[TaskRow]:
        """The tasks for which ending the case needs a reason."""
        return protocol_rules.holding(task for one in self.checklists for task in one.tasks)

    def name_of(self, agent_ref: str | None) -> str | None:
        """Return how an agent is called, by what the shop last said."""
        return next((agent.name for agent in self.agents if agent.ref == agent_ref), agent_ref)


def view(runtime: Runtime, reference: str, agent: Agent, *, before: int | None = None) -> CaseView:
    """Return the case as this agent may see it.

    Args:
        before: show the timeline's lines before this one instead of the newest.

    Raises:
        NotFoundError: there is no such case, or it isn't this agent's to see.
    """
    with runtime.read() as session:
        found = queries.case_and_checkout(session, reference)
        if found is None:
            raise NotFoundError(f"there is no case {reference}")
        row, checkout, call = found
        case = info(row)
        require(runtime, agent, "view", case)
        entries = queries.newest_entries(session, row.id, ENTRIES + 1, before)
        events = queries.events_of(session, row.checkout_ref, EVENTS) if row.checkout_ref else []
        others = [info(other) for other in queries.other_cases(session, row, LOOKED_AT)]
        agents = queries_queue.agents(session)
        may_decline = _may_decline(session, row, agent)
        tasks = queries_protocol.tasks_of(session, row.id)
        changes, handovers = _changes(session, row)
    allowed = frozenset(action for action in ACTIONS if may(runtime, agent, action, case))
    shown, now = entries[-ENTRIES:], runtime.clock()
    cart = _cart(row, checkout)
    theirs = [other for other in others if may(runtime, agent, "view", other)]
    told = customer_of(runtime, row.customer_ref) if "customer" in allowed else Told()
    return CaseView(
        case=case,
        row=row,
        checkout=checkout,
        cart=cart,
        clocks=tuple(running_clocks(runtime.policy, row)),
        entries=tuple(shown),
        before=shown[0].id if len(entries) > ENTRIES else None,
        steps=tuple(_steps(events)),
        payments=payments_of(row, events, codes="codes" in allowed),
        order=order_of(runtime, row.order_ref),
        customer={**_customer(cart), **told.facts},
        customer_failed=told.failed,
        others=tuple(theirs[:OTHERS]),
        agents=tuple(agents),
        colleagues=tuple(_colleagues(runtime, row, agents)),
        checklists=tuple(checklists(runtime.policy, tasks)),
        changes=changes,
        handovers=handovers,
        call=call if _is_live(row) else None,
        standing=_standing(runtime, row, case),
        allowed=allowed,
        may_decline=may_decline,
        mark=_mark(
            row, checkout.seen_at if checkout else None, shown[-1].id if shown else 0, allowed
        ),
        now=now,
    )


def _changes(
    session: Session, row: CaseRow
) -> tuple[tuple[ChangeRow, ...], tuple[HandoverRow, ...]]:
    # Most cases are about no change, and cost no statement.
    if row.family != Family.CHANGE:
        return (), ()
    changes = tuple(queries_change.changes_of_case(session, row.id))
    return changes, tuple(queries_change.handovers_of(session, [one.id for one in changes]))


def _colleagues(runtime: Runtime, row: CaseRow, agents: Sequence[AgentRow]) -> Iterator[AgentRow]:
    policy = runtime.policy
    for one in agents:
        if one.role == "supervisor" or belongs(policy, row.team, one.ref, one.teams):
            yield one


def _is_live(row: CaseRow) -> bool:
    return lifecycle.is_live(Status(row.status))


def _standing(runtime: Runtime, row: CaseRow, case: CaseInfo) -> Standing | None:
    if not _is_live(row):
        return None
    value = runtime.policy.in_base(case.value)
    return standing(row.due_at, row.opened_at, value, case.failure_class, Priority(row.priority))


def _may_decline(session: Session, row: CaseRow, agent: Agent) -> bool:
    if row.assignee_ref != str(agent.ref):
        return False
    given = queries_assignment.open_assignment(session, row.id)
    return given is not None and given.how in AUTOMATIC


def mark(runtime: Runtime, reference: str, agent: Agent) -> str:
    """Return a text that changes whenever what :func:`view` returns does.

    Raises:
        NotFoundError: there is no such case, or it isn't this agent's to see.
    """
    with runtime.read() as session:
        found = queries.case_mark(session, reference)
    if found is None:
        raise NotFoundError(f"there is no case {reference}")
    row, seen_at, newest = found
    case = info(row)
    require(runtime, agent, "view", case)
    allowed = frozenset(action for action in ACTIONS if may(runtime, agent, action, case))
    return _mark(row, seen_at, newest, allowed)


def _mark(row: CaseRow, seen_at: datetime | None, newest: int, allowed: frozenset[str]) -> str:
    written = repr((row.id, row.version, seen_at, newest, sorted(allowed)))
    return hashlib.sha256(written.encode()).hexdigest()[:24]


def _cart(row: CaseRow, checkout: CheckoutRow | None) -> Mapping[str, Any]:
    if checkout is not None and checkout.snapshot:
        return checkout.snapshot
    kept = (row.snapshot or {}).get("checkout")
    return kept if isinstance(kept, Mapping) else {}


def _customer(cart: Mapping[str, Any]) -> Mapping[str, Any]:
    told = cart.get("customer")
    return told if isinstance(told, Mapping) else {}


def _steps(events: Sequence[EventRow]) -> list[Step]:
    found: list[Step] = []
    for event in events:
        if event.name == watching.SEEN or watching.is_unattended(event):
            continue
        last = found[-1] if found else None
        if last and (last.name, last.step) == (event.name, event.step) and last.data == event.data:
            found[-1] = Step(event.name, event.step, event.data, event.at, last.count + 1)
        else:
            found.append(Step(event.name, event.step, event.data, event.at))
    return found
