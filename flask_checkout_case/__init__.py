"""Checkout cases for Flask shops: help at the moment of buying."""

from __future__ import annotations

from . import errors, signals
from .change_types import Change, ChangeKind, ChangeState, Stage
from .extension import CheckoutCase
from .types import (
    Agent,
    CaseInfo,
    Checkout,
    Customer,
    IncidentInfo,
    Line,
    Money,
    Order,
    PaymentAttempt,
)

__all__ = (
    "Agent",
    "CaseInfo",
    "Change",
    "ChangeKind",
    "ChangeState",
    "Checkout",
    "CheckoutCase",
    "Customer",
    "IncidentInfo",
    "Line",
    "Money",
    "Order",
    "PaymentAttempt",
    "Stage",
    "errors",
    "signals",
)
__version__ = "0.1.0"
