"""The agents' workspace."""

from __future__ import annotations

from . import (
    case_views,
    incident_views,
    live_views,
    policy_views,
    queue_views,
    replay_views,
    team_views,
)
from .blueprint import blueprint

__all__ = (
    "blueprint",
    "case_views",
    "incident_views",
    "live_views",
    "policy_views",
    "queue_views",
    "replay_views",
    "team_views",
)
