"""The agents' workspace: the queue and the case page."""

from __future__ import annotations

from . import case_views, incident_views, policy_views, queue_views, replay_views, team_views
from .blueprint import blueprint

__all__ = (
    "blueprint",
    "case_views",
    "incident_views",
    "policy_views",
    "queue_views",
    "replay_views",
    "team_views",
)
