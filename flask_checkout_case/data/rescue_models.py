"""The links that lead customers back to where their checkout failed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import BIG_ID, OWNER, PREFIX, Base, UTCDateTime


class RescueRow(Base):
    """One link. ``made_by`` is the agent's ref, or nothing where the policy sends it.

    ``used_at``: it has led somebody back, and leads nobody else any more.
    """

    __tablename__ = PREFIX + "rescue"
    __table_args__ = (
        Index("ix_checkout_case_rescue_case", "case_id", "used_at"),
        {"info": {"owner": OWNER}},
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(48), unique=True)
    case_id: Mapped[int] = mapped_column(BIG_ID, ForeignKey(PREFIX + "case.id"))
    checkout_ref: Mapped[str] = mapped_column(String(255))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by: Mapped[str | None] = mapped_column(String(255))
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
