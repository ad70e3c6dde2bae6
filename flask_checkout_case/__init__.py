"""Checkout cases for Flask shops: help at the moment of buying."""

from __future__ import annotations

from . import errors, signals
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
    "Checkout",
    "CheckoutCase",
    "Customer",
    "IncidentInfo",
    "Line",
    "Money",
    "Order",
    "PaymentAttempt",
    "errors",
    "signals",
)
__version__ = "0.1.0"
