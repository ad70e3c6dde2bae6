"""The rows we keep.

Refs to the shop's things are opaque strings: no foreign key leaves our tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Float, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import BIG_ID, OWNER, PLAIN_JSON, PREFIX, Base, UTCDateTime

_OURS = {"owner": OWNER}
_LIVE = text("status IN ('new', 'open', 'waiting')")
_QUEUED = text("status IN ('new', 'open', 'waiting') AND folded_into IS NULL")
_ENDED = text("ended_at IS NOT NULL")
_VALUABLE_ENDED = text("high_value AND ended_at IS NOT NULL")
_VALUABLE_QUEUED = text("high_value AND ended_at IS NULL")
_PAYMENT = text("name IN ('payment_failed', 'payment_succeeded')")
_GOING_ON = text("paid_at IS NULL AND ordered_at IS NULL")
_REF = String(255)


class CheckoutRow(Base):
    """A checkout as last heard of.

    ``wake_at`` is when the hesitation rule wants to look again, ``check_at`` when its payments have
    to be judged: money without an order, money twice, an outcome that nobody knows.
    ``steps``: those that were seen, each with a bar behind it; ``signs``: see ``rules.signs``;
    ``prompt``: what its customer is offered; ``paying_at``: since when a payment is under way;
    ``consented_at``: since when its customer lets the browser tell; ``arm``: ``treated`` or
    ``held_out``, since ``eligible_at`` and for what ``eligible_for`` says.
    """

    __tablename__ = PREFIX + "checkout"
    __table_args__ = (
        Index(
            "ix_checkout_case_checkout_wake",
            "wake_at",
            postgresql_where=text("wake_at IS NOT NULL"),
            sqlite_where=text("wake_at IS NOT NULL"),
        ),
        Index(
            "ix_checkout_case_checkout_check",
            "check_at",
            postgresql_where=text("check_at IS NOT NULL"),
            sqlite_where=text("check_at IS NOT NULL"),
        ),
        Index(
            "ix_checkout_case_checkout_live",
            "seen_at",
            postgresql_where=_GOING_ON,
            sqlite_where=_GOING_ON,
        ),
        Index("ix_checkout_case_checkout_customer", "customer_ref"),
        Index("ix_checkout_case_checkout_order", "order_ref"),
        {"info": _OURS},
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    ref: Mapped[str] = mapped_column(_REF, unique=True)
    customer_ref: Mapped[str | None] = mapped_column(_REF)
    order_ref: Mapped[str | None] = mapped_column(_REF)
    step: Mapped[str | None] = mapped_column(String(255))
    value_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
    snapshot: Mapped[dict[str, Any] | None] = mapped_column(PLAIN_JSON)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    progressed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    paid_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ordered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    hesitated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    wake_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    check_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    score: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    score_reasons: Mapped[list[Any] | None] = mapped_column(PLAIN_JSON)
    steps: Mapped[str | None] = mapped_column(Text)
    signs: Mapped[dict[str, Any] | None] = mapped_column(PLAIN_JSON)
    prompt: Mapped[dict[str, Any] | None] = mapped_column(PLAIN_JSON)
    paying_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    consented_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    arm: Mapped[str | None] = mapped_column(String(16))
    eligible_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    eligible_for: Mapped[str | None] = mapped_column(String(16))


class EventRow(Base):
    """A captured event, kept once: the checkout's history and the guard against counting twice.

    ``at`` is when it happened, ``stored_at`` when we came to know of it.
    """

    __tablename__ = PREFIX + "event"
    __table_args__ = (
        Index("ix_checkout_case_event_checkout", "checkout_ref", "at"),
        Index(
            "ix_checkout_case_event_payments",
            "stored_at",
            postgresql_where=_PAYMENT,
            sqlite_where=_PAYMENT,
        ),
        {"info": _OURS},
    )

    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    stored_at: Mapped[datetime] = mapped_column(UTCDateTime)
    checkout_ref: Mapped[str | None] = mapped_column(_REF)
    order_ref: Mapped[str | None] = mapped_column(_REF)
    customer_ref: Mapped[str | None] = mapped_column(_REF)
    step: Mapped[str | None] = mapped_column(String(255))
    data: Mapped[dict[str, Any]] = mapped_column(PLAIN_JSON)


class CaseRow(Base):
    """A case. ``version`` grows with every write; each write names the version it was based on.

    ``folded_into`` is the incident that stands for it in the queue; no foreign key, since the
    incident's own case is named there. ``high_value`` is whether its checkout's total is over the
    policy's amount.
    """

    __tablename__ = PREFIX + "case"
    __table_args__ = (
        Index(
            "uq_checkout_case_case_live_key",
            "dedupe_key",
            unique=True,
            postgresql_where=_LIVE,
            sqlite_where=_LIVE,
        ),
        Index(
            "ix_checkout_case_case_queue",
            "urgency_at",
            "id",
            postgresql_where=_QUEUED,
            sqlite_where=_QUEUED,
        ),
        Index(
            "ix_checkout_case_case_team_queue",
            "team",
            "urgency_at",
            "id",
            postgresql_where=_QUEUED,
            sqlite_where=_QUEUED,
        ),
        Index(
            "ix_checkout_case_case_assignee_queue",
            "assignee_ref",
            "urgency_at",
            "id",
            postgresql_where=_QUEUED,
            sqlite_where=_QUEUED,
        ),
        Index(
            "ix_checkout_case_case_valuable_queue",
            "urgency_at",
            "id",
            postgresql_where=_VALUABLE_QUEUED,
            sqlite_where=_VALUABLE_QUEUED,
        ),
        Index(
            "ix_checkout_case_case_valuable_team_queue",
            "team",
            "urgency_at",
            "id",
            postgresql_where=_VALUABLE_QUEUED,
            sqlite_where=_VALUABLE_QUEUED,
        ),
        Index(
            "ix_checkout_case_case_valuable_assignee_queue",
            "assignee_ref",
            "urgency_at",
            "id",
            postgresql_where=_VALUABLE_QUEUED,
            sqlite_where=_VALUABLE_QUEUED,
        ),
        Index(
            "ix_checkout_case_case_valuable_ended",
            "status",
            "ended_at",
            "id",
            postgresql_where=_VALUABLE_ENDED,
            sqlite_where=_VALUABLE_ENDED,
        ),
        Index(
            "ix_checkout_case_case_wake",
            "wake_at",
            postgresql_where=text("wake_at IS NOT NULL"),
            sqlite_where=text("wake_at IS NOT NULL"),
        ),
        Index("ix_checkout_case_case_checkout", "checkout_ref", "id"),
        Index("ix_checkout_case_case_order", "order_ref", "id"),
        Index("ix_checkout_case_case_customer", "customer_ref", "id"),
        Index("ix_checkout_case_case_opened", "opened_at"),
        Index(
            "ix_checkout_case_case_ended",
            "status",
            "ended_at",
            "id",
            postgresql_where=_ENDED,
            sqlite_where=_ENDED,
        ),
        Index(
            "ix_checkout_case_case_folded",
            "folded_into",
            "id",
            postgresql_where=text("folded_into IS NOT NULL"),
            sqlite_where=text("folded_into IS NOT NULL"),
        ),
        {"info": _OURS},
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    reference: Mapped[str] = mapped_column(String(32), unique=True)
    dedupe_key: Mapped[str] = mapped_column(String(512))
    family: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    category: Mapped[str] = mapped_column(String(32))
    second_category: Mapped[str | None] = mapped_column(String(32))
    confidence: Mapped[float | None] = mapped_column(Float)
    failure_class: Mapped[str | None] = mapped_column(String(16))
    unmapped: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    priority: Mapped[str] = mapped_column(String(8))
    origin: Mapped[str] = mapped_column(String(16))
    outcome: Mapped[str | None] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(255))
    team: Mapped[str] = mapped_column(String(64))
    assignee_ref: Mapped[str | None] = mapped_column(_REF)
    route: Mapped[str] = mapped_column(String(255))
    sla: Mapped[str | None] = mapped_column(String(64))
    protocol: Mapped[str | None] = mapped_column(String(64))
    reasons: Mapped[list[Any]] = mapped_column(PLAIN_JSON)
    policy_version: Mapped[str] = mapped_column(String(64))
    checkout_ref: Mapped[str | None] = mapped_column(_REF)
    order_ref: Mapped[str | None] = mapped_column(_REF)
    customer_ref: Mapped[str | None] = mapped_column(_REF)
    customer_name: Mapped[str | None] = mapped_column(String(255))
    customer_email: Mapped[str | None] = mapped_column(String(320))
    language: Mapped[str | None] = mapped_column(String(16))
    value_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
    high_value: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    snapshot: Mapped[dict[str, Any] | None] = mapped_column(PLAIN_JSON)
    attempt: Mapped[dict[str, Any] | None] = mapped_column(PLAIN_JSON)
    occurrences: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_failed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    assigned_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    touched_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    pauses: Mapped[list[list[str | None]]] = mapped_column(
        PLAIN_JSON, default=list, server_default=text("'[]'")
    )
    revision: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    checkout_due: Mapped[datetime | None] = mapped_column(UTCDateTime)
    first_response_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    unanswered_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    first_response_due: Mapped[datetime | None] = mapped_column(UTCDateTime)
    next_response_due: Mapped[datetime | None] = mapped_column(UTCDateTime)
    resolution_due: Mapped[datetime | None] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    urgency_at: Mapped[datetime] = mapped_column(UTCDateTime)
    wake_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    fired: Mapped[list[str]] = mapped_column(PLAIN_JSON)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revocations: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    rating: Mapped[int | None] = mapped_column(Integer)
    folded_into: Mapped[int | None] = mapped_column(BIG_ID)
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")


def with_values(row: CaseRow, values: Mapping[str, Any]) -> CaseRow:
    """Return a copy of ``row`` that belongs to no session, with ``values`` put in."""
    kept = {item.key: getattr(row, item.key) for item in CaseRow.__mapper__.column_attrs}
    return CaseRow(**{**kept, **values})


class EntryRow(Base):
    """One line of a case's append-only timeline; ``key`` makes a repeated post one entry."""

    __tablename__ = PREFIX + "entry"
    __table_args__ = (
        Index("ix_checkout_case_entry_case", "case_id", "id"),
        Index("uq_checkout_case_entry_key", "case_id", "key", unique=True),
        {"info": _OURS},
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    case_id: Mapped[int] = mapped_column(BIG_ID, ForeignKey(PREFIX + "case.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    kind: Mapped[str] = mapped_column(String(16))
    author: Mapped[str] = mapped_column(String(16))
    author_ref: Mapped[str | None] = mapped_column(_REF)
    author_name: Mapped[str | None] = mapped_column(String(255))
    public: Mapped[bool] = mapped_column(Boolean)
    text: Mapped[str | None] = mapped_column(Text)
    data: Mapped[dict[str, Any] | None] = mapped_column(PLAIN_JSON)
    case_version: Mapped[int] = mapped_column(Integer)
    key: Mapped[str | None] = mapped_column(String(64))


class AgentRow(Base):
    """An agent as last seen at a request, so that work beside the requests knows the staff."""

    __tablename__ = PREFIX + "agent"
    __table_args__ = ({"info": _OURS},)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    ref: Mapped[str] = mapped_column(_REF, unique=True)
    name: Mapped[str] = mapped_column(String(255))
    email: Mapped[str | None] = mapped_column(String(320))
    teams: Mapped[list[str]] = mapped_column(PLAIN_JSON)
    role: Mapped[str] = mapped_column(String(16))
    open_limit: Mapped[int | None] = mapped_column(Integer)
    presence: Mapped[str] = mapped_column(String(16))
    presence_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)


class AssignmentRow(Base):
    """A case in an agent's hands; while ``ended_at`` is empty it takes a place of their capacity.

    ``how``: ``taken``, ``assigned``, ``round_robin`` or ``balanced``; ``end``: ``solved``,
    ``declined``, ``timed_out``, ``moved`` or ``left``.
    """

    __tablename__ = PREFIX + "assignment"
    __table_args__ = (
        Index(
            "uq_checkout_case_assignment_case",
            "case_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
            sqlite_where=text("ended_at IS NULL"),
        ),
        Index("ix_checkout_case_assignment_agent", "agent_ref", "at"),
        Index("ix_checkout_case_assignment_team", "team", "at"),
        {"info": _OURS},
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    case_id: Mapped[int] = mapped_column(BIG_ID, ForeignKey(PREFIX + "case.id"))
    agent_ref: Mapped[str] = mapped_column(_REF)
    team: Mapped[str] = mapped_column(String(64))
    how: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    end: Mapped[str | None] = mapped_column(String(16))


class TaskRow(Base):
    """A step of a protocol that a case follows, in order of ``position``."""

    __tablename__ = PREFIX + "task"
    __table_args__ = (
        Index("uq_checkout_case_task", "case_id", "protocol", "position", unique=True),
        Index(
            "ix_checkout_case_task_due",
            "due_at",
            postgresql_where=text("due_at IS NOT NULL AND done_at IS NULL AND late_at IS NULL"),
            sqlite_where=text("due_at IS NOT NULL AND done_at IS NULL AND late_at IS NULL"),
        ),
        {"info": _OURS},
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    case_id: Mapped[int] = mapped_column(BIG_ID, ForeignKey(PREFIX + "case.id"))
    protocol: Mapped[str] = mapped_column(String(64))
    position: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(255))
    owner: Mapped[str] = mapped_column(String(64))
    required: Mapped[bool] = mapped_column(Boolean)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    late_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    done_by: Mapped[str | None] = mapped_column(_REF)
    done_by_name: Mapped[str | None] = mapped_column(String(255))


class PolicyRow(Base):
    """A version of the policy; at most one is active."""

    __tablename__ = PREFIX + "policy"
    __table_args__ = (
        Index(
            "uq_checkout_case_policy_active",
            "active",
            unique=True,
            postgresql_where=text("active"),
            sqlite_where=text("active"),
        ),
        {"info": _OURS},
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    version: Mapped[str] = mapped_column(String(64), index=True)
    source: Mapped[str] = mapped_column(String(255))
    text: Mapped[str] = mapped_column(Text)
    summary: Mapped[str | None] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(Boolean)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by: Mapped[str | None] = mapped_column(_REF)
    made_by_name: Mapped[str | None] = mapped_column(String(255))
    activated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    activated_by: Mapped[str | None] = mapped_column(_REF)
    activated_by_name: Mapped[str | None] = mapped_column(String(255))


class OutboxRow(Base):
    """Something to be sent, written in the transaction that decided it; ``key`` makes it once."""

    __tablename__ = PREFIX + "outbox"
    __table_args__ = (
        Index(
            "ix_checkout_case_outbox_due",
            "due_at",
            postgresql_where=text("state = 'due'"),
            sqlite_where=text("state = 'due'"),
        ),
        Index(
            "ix_checkout_case_outbox_given_up",
            "done_at",
            postgresql_where=text("state = 'gave_up'"),
            sqlite_where=text("state = 'gave_up'"),
        ),
        {"info": _OURS},
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    key: Mapped[str] = mapped_column(String(255), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    case_id: Mapped[int | None] = mapped_column(BIG_ID, ForeignKey(PREFIX + "case.id"), index=True)
    payload: Mapped[dict[str, Any]] = mapped_column(PLAIN_JSON)
    state: Mapped[str] = mapped_column(String(16))
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    leased_by: Mapped[str | None] = mapped_column(String(64))
    leased_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
