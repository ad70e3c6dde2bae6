"""Maison Corvane: a believable shop that shows ``flask_checkout_case`` at work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["create_app"]


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Make the shop; see :func:`example_store.app.create_app`."""
    # The local Stripe lives in this package too and needs nothing of the shop.
    from .app import create_app as make

    return make(config)
