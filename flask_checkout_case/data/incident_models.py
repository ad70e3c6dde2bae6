"""The rows of incidents: how payments go, what broke, and whom it hit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import BIG_ID, OWNER, PLAIN_JSON, PREFIX, Base, UTCDateTime

_OURS = {"owner": OWNER}


class StreamRow(Base):
    """How payments go at one gateway by one method: what outages are told by."""

    __tablename__ = PREFIX + "stream"
    __table_args__ = (
        Index("uq_checkout_case_stream", "gateway", "method", unique=True),
        {"info": _OURS},
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    gateway: Mapped[str] = mapped_column(String(64))
    method: Mapped[str] = mapped_column(String(64))
    state: Mapped[dict[str, Any]] = mapped_column(PLAIN_JSON)
    read_until: Mapped[datetime] = mapped_column(UTCDateTime)


class IncidentRow(Base):
    """Many failures of one cause, told once; at most one is open for a fingerprint.

    ``kind``: ``outage``, ``silence`` or ``card_testing``; ``case_id``: its one case in the queue;
    ``members``: how many checkouts it holds; ``quiet_since``: since when all has been well again;
    ``finished_at``: since when there is nothing left to do for its members either.
    """

    __tablename__ = PREFIX + "incident"
    __table_args__ = (
        Index(
            "uq_checkout_case_incident_open",
            "fingerprint",
            unique=True,
            postgresql_where=text("resolved_at IS NULL"),
            sqlite_where=text("resolved_at IS NULL"),
        ),
        Index(
            "ix_checkout_case_incident_unfinished",
            "id",
            postgresql_where=text("finished_at IS NULL"),
            sqlite_where=text("finished_at IS NULL"),
        ),
        Index("ix_checkout_case_incident_resolved", "resolved_at"),
        Index("ix_checkout_case_incident_case", "case_id"),
        {"info": _OURS},
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    fingerprint: Mapped[str] = mapped_column(String(255))
    gateway: Mapped[str | None] = mapped_column(String(64))
    method: Mapped[str | None] = mapped_column(String(64))
    class_group: Mapped[str | None] = mapped_column(String(16))
    case_id: Mapped[int | None] = mapped_column(BIG_ID, ForeignKey(PREFIX + "case.id"))
    members: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    evidence: Mapped[dict[str, Any]] = mapped_column(PLAIN_JSON)
    began_at: Mapped[datetime] = mapped_column(UTCDateTime)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    failed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    quiet_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class MemberRow(Base):
    """A checkout that an incident holds, once; ``case_id`` is its own case."""

    __tablename__ = PREFIX + "incident_member"
    __table_args__ = (
        Index("uq_checkout_case_incident_member", "incident_id", "checkout_ref", unique=True),
        Index("ix_checkout_case_incident_member_case", "case_id"),
        {"info": _OURS},
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    incident_id: Mapped[int] = mapped_column(BIG_ID, ForeignKey(PREFIX + "incident.id"))
    checkout_ref: Mapped[str] = mapped_column(String(255))
    case_id: Mapped[int | None] = mapped_column(BIG_ID, ForeignKey(PREFIX + "case.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    invited_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
