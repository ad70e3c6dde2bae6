"""Maison Corvane: a believable shop that shows ``flask_checkout_case`` at work."""

from .app import create_app

__all__ = ["create_app"]
