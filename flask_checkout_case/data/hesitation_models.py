"""The rows of who was spoken to without having asked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import BIG_ID, OWNER, PREFIX, Base, UTCDateTime


class ContactRow(Base):
    """One time that a customer was spoken to who hadn't asked: what budgets are counted by.

    ``how``: ``hint``, ``offer``, or ``agent`` for a conversation that one of them began.
    """

    __tablename__ = PREFIX + "contact"
    __table_args__ = (
        Index("ix_checkout_case_contact_checkout", "checkout_ref", "at"),
        Index("ix_checkout_case_contact_customer", "customer_ref", "at"),
        {"info": {"owner": OWNER}},
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    checkout_ref: Mapped[str] = mapped_column(String(255))
    customer_ref: Mapped[str | None] = mapped_column(String(255))
    how: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    dismissed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
