"""Which team, service level and priority a case gets, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..types import Priority
from .conditions import Clause, Facts, Finding
from .policy import Policy, Route, Sla
from .policy_values import Rates

__all__ = ["Check", "Decision", "Facts", "Reason", "decide"]


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of a route, and how it came out. ``part`` is ``when`` or ``unless``."""

    part: str
    condition: str
    expected: Any
    finding: Finding

    @property
    def favours(self) -> bool:
        """Whether the route may still match after this."""
        return self.finding.error is None and self.finding.held == (self.part == "when")

    def as_json(self) -> dict[str, Any]:
        found = self.finding
        told = {
            "part": self.part,
            "condition": self.condition,
            "expected": self.expected,
            "actual": found.actual,
            "held": found.held,
        }
        told |= {"by": found.by} if found.by is not None else {}
        return told | ({"error": found.error} if found.error is not None else {})


@dataclass(frozen=True, slots=True)
class Reason:
    """A route that was tried, in order; the last one tried is the one that matched."""

    route: str
    matched: bool
    checks: tuple[Check, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return ``{"route", "matched", "checks": [{"part", "condition", "expected", …}]}``."""
        return {
            "route": self.route,
            "matched": self.matched,
            "checks": [check.as_json() for check in self.checks],
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What the first matching route says; ``reasons`` has each route tried."""

    route: str
    team: str
    sla: Sla | None
    priority: Priority
    protocol: str | None
    reasons: tuple[Reason, ...]


def decide(policy: Policy, facts: Facts) -> Decision:
    """Try the routes in order and return what the first that matches says.

    Never fails: the policy's last route has no conditions.
    """
    reasons: list[Reason] = []
    for route in policy.routes:
        checks = _checks(route, facts, policy.exchange)
        matched = all(check.favours for check in checks)
        reasons.append(Reason(route.name, matched, checks))
        if matched:
            return Decision(
                route=route.name,
                team=route.team,
                sla=route.sla,
                priority=route.priority,
                protocol=route.protocol,
                reasons=tuple(reasons),
            )
    raise AssertionError("a policy without a last route is refused when it is loaded")


def _checks(route: Route, facts: Facts, rates: Rates) -> tuple[Check, ...]:
    # All are asked, also after the first that fails: the reasons say by how much each did.
    parts: tuple[tuple[str, tuple[Clause, ...]], ...] = (
        ("when", route.when),
        ("unless", route.unless),
    )
    return tuple(
        Check(part, clause.condition.name, clause.given, clause.ask(facts, rates))
        for part, clauses in parts
        for clause in clauses
    )
