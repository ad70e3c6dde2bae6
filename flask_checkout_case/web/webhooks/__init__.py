"""Signed webhooks: of gateways, and what fulfilment answers."""

from __future__ import annotations

from . import fulfilment, gateways
from .blueprint import blueprint

# They put their views on the blueprint.
__all__ = ("blueprint", "fulfilment", "gateways")
