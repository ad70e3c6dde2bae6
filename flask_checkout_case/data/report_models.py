"""What reports are made of: cases counted by the day on which they were opened."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import BIG_ID, OWNER, PREFIX, Base, UTCDateTime


class TallyRow(Base):
    """How many cases of a kind one day has brought, and what became of them until now.

    A page that adds these up costs the same however many cases there are. ``band`` is the value of
    the checkout in steps; ``state`` how they ended, or that they haven't; ``value_minor`` counts
    each checkout once.
    """

    __tablename__ = PREFIX + "tally"
    __table_args__ = (
        Index("ix_checkout_case_tally_day", "day"),
        {"info": {"owner": OWNER}},
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    day: Mapped[str] = mapped_column(String(10))
    team: Mapped[str] = mapped_column(String(64))
    category: Mapped[str] = mapped_column(String(32))
    failure_class: Mapped[str | None] = mapped_column(String(16))
    provider: Mapped[str | None] = mapped_column(String(64))
    band: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    cases: Mapped[int] = mapped_column(Integer)
    value_minor: Mapped[int] = mapped_column(BigInteger)
    due: Mapped[int] = mapped_column(Integer)
    in_time: Mapped[int] = mapped_column(Integer)
    answered: Mapped[int] = mapped_column(Integer)
    answer_seconds: Mapped[int] = mapped_column(BigInteger)


class TallyDayRow(Base):
    """When a day was last counted; days are counted anew while their cases still change."""

    __tablename__ = PREFIX + "tally_day"
    __table_args__ = ({"info": {"owner": OWNER}},)

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    counted_at: Mapped[datetime] = mapped_column(UTCDateTime)
