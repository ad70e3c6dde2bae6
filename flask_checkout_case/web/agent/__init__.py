"""The agents' workspace."""

from __future__ import annotations

from . import (
    case_views,
    change_views,
    incident_views,
    letter_views,
    live_views,
    policy_views,
    queue_views,
    replay_views,
    report_views,
    team_views,
)
from .blueprint import blueprint

__all__ = (
    "blueprint",
    "case_views",
    "change_views",
    "incident_views",
    "letter_views",
    "live_views",
    "policy_views",
    "queue_views",
    "replay_views",
    "report_views",
    "team_views",
)
