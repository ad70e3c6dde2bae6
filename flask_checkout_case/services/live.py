"""Checkouts that are going on, for agents: who wavers, why, and what help is on the way.

Nobody is watched who hasn't consented, and an agent sees what would become a case of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from ..data import queries_hesitation, queries_live
from ..data.models import CaseRow, CheckoutRow
from ..errors import CheckoutCaseError, NotFoundError, PermissionDeniedError
from ..rules import prompts
from ..rules.folding import minor_over
from ..rules.hesitation import TOLD
from ..rules.lifecycle import after_agent_reply
from ..rules.routing import decide
from ..types import Agent, CaseInfo, EntryKind, Money, Origin, Status
from . import proactive, watching
from .cases import clean_text
from .opening import facts_of, open_or_join
from .permission import may
from .reading import info
from .runtime import Runtime
from .work import Work

SEEN_WITHIN: Final = timedelta(minutes=30)
MOST: Final = 50
MOST_COUNTED: Final = 99


class TooOftenError(CheckoutCaseError):
    """This customer has been spoken to as often as the policy allows."""

    code = "too_often"
    status = 409


class NotNowError(CheckoutCaseError):
    """The customer can't be spoken to first: paying, gone, held out, or with a case already."""

    code = "not_now"
    status = 409


@dataclass(frozen=True, slots=True)
class Visit:
    """One checkout that is going on.

    Args:
        reasons: what weighs most, as :class:`..rules.hesitation.Contribution` in plain JSON.
        case: its live case, where there is one that this agent may see.
        is_helped: somebody else's case is open.
        prompt: what the launcher offers.
        is_paying: a payment is under way.
        is_held_out: nobody speaks first to this customer.
    """

    ref: str
    name: str | None
    email: str | None
    value: Money | None
    pieces: int
    step: str | None
    seen_at: datetime
    started_at: datetime
    score: int
    reasons: tuple[Mapping[str, Any], ...]
    case: CaseInfo | None
    is_helped: bool
    prompt: str | None
    is_paying: bool
    is_held_out: bool

    @property
    def may_be_spoken_to(self) -> bool:
        return not (self.case or self.is_helped or self.is_paying or self.is_held_out)


@dataclass(frozen=True, slots=True)
class LiveView:
    """What an agent sees of the checkouts that are going on.

    Args:
        over: only strictly above this amount.
        unwatched: how many more there are whose customers haven't consented, at most 99.
        can_watch: whether the shop asks for consent at all.
    """

    visits: tuple[Visit, ...]
    over: Money
    unwatched: int
    can_watch: bool
    now: datetime


def live_view(runtime: Runtime, agent: Agent) -> LiveView:
    """Return the checkouts that are going on, the most wavering first."""
    now, policy = runtime.clock(), runtime.policy
    over = policy.hesitation.watch_over
    limits = minor_over(policy, over)
    with runtime.read() as session:
        rows = queries_live.going_on(session, now - SEEN_WITHIN, limits, MOST)
        unwatched = queries_live.count_unwatched(session, now - SEEN_WITHIN, limits, MOST_COUNTED)
        cases = queries_live.live_cases(session, [row.ref for row in rows])
    by_ref: dict[str | None, list[CaseRow]] = {}
    for case in cases:
        by_ref.setdefault(case.checkout_ref, []).append(case)
    visits = tuple(
        _visit(runtime, agent, row, by_ref.get(row.ref, []), now)
        for row in rows
        if may_watch(runtime, agent, row, now)
    )
    # What was stored as the score has faded since.
    visits = tuple(sorted(visits, key=lambda visit: -visit.score))
    can_watch = runtime.hooks.consent_loader is not None
    return LiveView(visits, over, unwatched, can_watch, now)


def may_watch(runtime: Runtime, agent: Agent, row: CheckoutRow, now: datetime) -> bool:
    """Whether an agent may see a checkout: a case of its hesitation would be theirs."""
    if runtime.hooks.permission is not None:
        return may(runtime, agent, "watch", None)
    return agent.is_supervisor or _team_of(runtime, row, now) in agent.teams


def _team_of(runtime: Runtime, row: CheckoutRow, now: datetime) -> str:
    return decide(runtime.policy, facts_of(proactive.draft(row, Origin.AGENT, now, {}))).team


def _visit(
    runtime: Runtime, agent: Agent, row: CheckoutRow, cases: Sequence[CaseRow], now: datetime
) -> Visit:
    snapshot = row.snapshot or {}
    customer = snapshot.get("customer") or {}
    seen = [found for case in cases if may(runtime, agent, "view", found := info(case))]
    prompt = proactive.shown(row, now)
    verdict = watching.judge(runtime.policy, row, row.signs or {}, now)
    return Visit(
        ref=row.ref,
        name=customer.get("name"),
        email=customer.get("email"),
        value=watching.value_of(row),
        pieces=sum(int(line.get("quantity") or 0) for line in snapshot.get("lines") or []),
        step=row.step,
        seen_at=row.seen_at,
        started_at=row.started_at,
        score=verdict.score,
        reasons=tuple(one.as_json() for one in verdict.contributions[:TOLD]),
        case=seen[0] if seen else None,
        is_helped=bool(cases) and not seen,
        prompt=prompt.act if prompt is not None else None,
        is_paying=prompts.is_paying(row.paying_at, now),
        is_held_out=row.arm == prompts.HELD_OUT,
    )


def start(runtime: Runtime, agent: Agent, ref: str, text: str) -> CaseInfo:
    """Begin a conversation with somebody who hasn't asked: a message in the launcher, no pop-up.

    Raises:
        NotFoundError: there is no such checkout, or it isn't this agent's to see.
        NotNowError: paying, bought, part of the held-out share, or there is a case already.
        TooOftenError: spoken to as often as the policy allows.
        InvalidInputError: the text is empty or too long.
        PermissionDeniedError: the agent may not answer such cases.
    """
    kept = clean_text(text)
    with runtime.write() as unit:
        found = queries_hesitation.lock_checkouts(unit.session, [ref])
        row = found[0] if found else None
        if row is None or row.consented_at is None or not may_watch(runtime, agent, row, unit.now):
            raise NotFoundError("there is no such checkout")
        is_over = row.paid_at is not None or row.ordered_at is not None
        if is_over or prompts.is_paying(row.paying_at, unit.now):
            raise NotNowError("the customer is paying, or has bought")
        if queries_live.live_cases(unit.session, [ref]):
            raise NotNowError("there is a case already")
        if not proactive.is_treated(unit, row, proactive.AGENT):
            raise NotNowError("this customer belongs to the held-out share")
        if not proactive.within_budget(unit, row):
            raise TooOftenError("this customer has been spoken to as often as the policy allows")
        proactive.note_contact(unit, row, proactive.AGENT)
        told = {"score": row.score, "reasons": (row.score_reasons or [])[:TOLD]}
        case, _opened = open_or_join(unit, proactive.draft(row, Origin.AGENT, unit.now, told))
        if not may(runtime, agent, "reply", info(case)):
            raise PermissionDeniedError("you may not answer this case")
        work = Work(unit, case, unit.now)
        _post(work, agent, kept)
        return work.result


def _post(work: Work, agent: Agent, text: str) -> None:
    values = {
        "unanswered_since": None,
        "first_response_at": work.row.first_response_at or work.now,
        "assignee_ref": work.row.assignee_ref or str(agent.ref),
    }
    work.change(values, status=after_agent_reply(Status(work.row.status)))
    work.append(EntryKind.MESSAGE, agent=agent, public=True, text=text)
    work.unit.emit("message_posted", case=info(work.row), author="agent", text=text)
