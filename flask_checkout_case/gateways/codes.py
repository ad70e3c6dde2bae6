"""The codes of one failed attempt, and the verdict on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..types import FailureClass


@dataclass(frozen=True, slots=True)
class Codes:
    """What a gateway said, from the vaguest to the most binding."""

    failure_code: str | None = None
    decline_code: str | None = None
    network_code: str | None = None
    advice_code: str | None = None
    error_type: str | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Codes:
        """Read the codes out of a signal's arguments; anything that is no short text is ignored."""
        return cls(
            failure_code=_code(data.get("failure_code") or data.get("code")),
            decline_code=_code(data.get("decline_code")),
            network_code=_code(data.get("network_code")),
            advice_code=_code(data.get("advice_code")),
            error_type=_code(data.get("error_type")),
        )

    @property
    def most_specific(self) -> str | None:
        return self.decline_code or self.failure_code or self.network_code or self.error_type


@dataclass(frozen=True, slots=True)
class Verdict:
    """A failure class and what limits it.

    Args:
        never_retry: the scheme or issuer forbids another try with this card.
        unknown_outcome: the money may have moved.
        unmapped: no table knows the code.
    """

    failure_class: FailureClass
    never_retry: bool = False
    unknown_outcome: bool = False
    unmapped: bool = False


def _code(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value.strip()[:64] if isinstance(value, str) and value.strip() else None
