"""A process that answers as Adyen does to a payment with Klarna, from recorded answers."""

from .app import create_app
from .payments import Endpoint, Payments

__all__ = ["Endpoint", "Payments", "create_app"]
