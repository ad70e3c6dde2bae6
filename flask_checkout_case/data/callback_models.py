"""The calls that customers have asked for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import BIG_ID, OWNER, PREFIX, Base, UTCDateTime

_OPEN = text("done_at IS NULL AND cancelled_at IS NULL")
_UNTOLD = text("done_at IS NULL AND cancelled_at IS NULL AND told_at IS NULL")


class CallbackRow(Base):
    """A call from ``start_at`` on, open until it is done or cancelled; a case has at most one.

    ``place`` counts the calls of one time, so that no more are promised than the policy allows.
    ``told_at`` is when its agents were told that it is due.
    """

    __tablename__ = PREFIX + "callback"
    __table_args__ = (
        Index(
            "uq_checkout_case_callback_case",
            "case_id",
            unique=True,
            postgresql_where=_OPEN,
            sqlite_where=_OPEN,
        ),
        Index(
            "uq_checkout_case_callback_place",
            "start_at",
            "place",
            unique=True,
            postgresql_where=_OPEN,
            sqlite_where=_OPEN,
        ),
        Index(
            "ix_checkout_case_callback_due",
            "start_at",
            postgresql_where=_UNTOLD,
            sqlite_where=_UNTOLD,
        ),
        {"info": {"owner": OWNER}},
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    case_id: Mapped[int] = mapped_column(BIG_ID, ForeignKey(PREFIX + "case.id"))
    start_at: Mapped[datetime] = mapped_column(UTCDateTime)
    end_at: Mapped[datetime] = mapped_column(UTCDateTime)
    place: Mapped[int] = mapped_column(Integer)
    zone: Mapped[str] = mapped_column(String(64))
    phone: Mapped[str] = mapped_column(String(32))
    name: Mapped[str | None] = mapped_column(String(255))
    about: Mapped[str | None] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reached: Mapped[bool | None] = mapped_column(Boolean)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    done_by: Mapped[str | None] = mapped_column(String(255))
    done_by_name: Mapped[str | None] = mapped_column(String(255))
    cancelled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
