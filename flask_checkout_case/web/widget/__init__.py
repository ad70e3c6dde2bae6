"""The customer's widget: a link that works everywhere, and a panel where scripts run."""

from __future__ import annotations

from . import call_views, change_views, launcher, rescue_views, views
from .blueprint import blueprint
from .inject import install

__all__ = (
    "blueprint",
    "call_views",
    "change_views",
    "install",
    "launcher",
    "rescue_views",
    "views",
)
