"""The order changes that customers have asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import BIG_ID, OWNER, PLAIN_JSON, PREFIX, Base, UTCDateTime

_STATES = "state IN ('requested', 'priced', 'awaiting_payment', 'approved', 'sent', 'acknowledged')"
_FIRST = text(f"{_STATES} AND NOT waits")
_NEXT = text(f"{_STATES} AND waits")
_REF = String(255)


class ChangeRow(Base):
    """One change; of one order or checkout (``subject``) one is open, and at most one waits for it.

    ``public_id`` is what fulfilment and the shop know it by, ``content`` the hash of what it is
    now, ``approved`` of what was agreed to; ``wake_at``: when the sweep has to look at it;
    ``promoted_at``: since when it no longer waits and has not been looked at anew.
    """

    __tablename__ = PREFIX + "change"
    __table_args__ = (
        Index(
            "uq_checkout_case_change_open",
            "subject",
            unique=True,
            postgresql_where=_FIRST,
            sqlite_where=_FIRST,
        ),
        Index(
            "uq_checkout_case_change_next",
            "subject",
            unique=True,
            postgresql_where=_NEXT,
            sqlite_where=_NEXT,
        ),
        Index("ix_checkout_case_change_subject", "subject", "id"),
        Index(
            "ix_checkout_case_change_wake",
            "wake_at",
            postgresql_where=text("wake_at IS NOT NULL"),
            sqlite_where=text("wake_at IS NOT NULL"),
        ),
        Index(
            "ix_checkout_case_change_promoted",
            "promoted_at",
            postgresql_where=text("promoted_at IS NOT NULL"),
            sqlite_where=text("promoted_at IS NOT NULL"),
        ),
        {"info": {"owner": OWNER}},
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    subject: Mapped[str] = mapped_column(String(300))
    case_id: Mapped[int] = mapped_column(BIG_ID, ForeignKey(PREFIX + "case.id"), index=True)
    order_ref: Mapped[str | None] = mapped_column(_REF)
    checkout_ref: Mapped[str | None] = mapped_column(_REF)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(20))
    waits: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    stage: Mapped[str] = mapped_column(String(16))
    base_version: Mapped[str | None] = mapped_column(_REF)
    asked: Mapped[dict[str, Any]] = mapped_column(PLAIN_JSON)
    before: Mapped[dict[str, Any]] = mapped_column(PLAIN_JSON)
    delta_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
    leave: Mapped[str] = mapped_column(String(16))
    must_pay: Mapped[bool] = mapped_column(Boolean)
    content: Mapped[str] = mapped_column(String(64))
    approved: Mapped[str | None] = mapped_column(String(64))
    approved_by: Mapped[str | None] = mapped_column(_REF)
    approved_by_name: Mapped[str | None] = mapped_column(String(255))
    approved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    paid_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    payment_id: Mapped[str | None] = mapped_column(_REF)
    cut_off_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    requested_at: Mapped[datetime] = mapped_column(UTCDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str | None] = mapped_column(String(32))
    reason_text: Mapped[str | None] = mapped_column(Text)
    wake_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    promoted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")


class HandoverRow(Base):
    """One try to hand a change over, or one answer to it."""

    __tablename__ = PREFIX + "handover"
    __table_args__ = (
        Index("ix_checkout_case_handover_change", "change_id", "id"),
        {"info": {"owner": OWNER}},
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    change_id: Mapped[int] = mapped_column(BIG_ID, ForeignKey(PREFIX + "change.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    what: Mapped[str] = mapped_column(String(20))
    outcome: Mapped[str] = mapped_column(String(255))
