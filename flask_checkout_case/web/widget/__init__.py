"""The customer's widget: a link that works everywhere, and a panel where scripts run."""

from __future__ import annotations

from . import launcher, views
from .blueprint import blueprint
from .inject import install

__all__ = ("blueprint", "install", "launcher", "views")
