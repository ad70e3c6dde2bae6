"""The part of a policy about order changes: until when what may change, and who agrees to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from ..change_types import ChangeKind, Stage
from ..types import Money

EVERY: Final = frozenset(ChangeKind)
LATE: Final = frozenset({ChangeKind.ADDRESS, ChangeKind.INSTRUCTIONS, ChangeKind.CANCEL})
ALLOWED: Final[Mapping[Stage, frozenset[ChangeKind]]] = MappingProxyType(
    {
        Stage.CHECKOUT: EVERY - {ChangeKind.CANCEL},
        Stage.PLACED: EVERY,
        Stage.RELEASED: EVERY,
        Stage.PICKING: LATE,
        Stage.PACKED: LATE,
    }
)
"""At any other stage nothing can be changed any more."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Which changes of orders customers may ask for.

    Args:
        over: an address of an order strictly over this is changed by a supervisor's leave alone.
        grace: for how long after it was placed an order that the warehouse doesn't have yet
            changes without anybody's leave.
        secured_within: so long after a new password or e-mail address, whoever changes the
            address may be somebody else.
        pay_within: how long a customer has to pay what a change costs.
        decide_within: how long agents have to agree to a change.
        answer_within: how long the warehouse has to answer.
        mail: whether customers are written to about what has become of a change.
        kinds: what may be asked for at all.
    """

    over: Money
    enabled: bool = True
    grace: timedelta = timedelta(minutes=30)
    secured_within: timedelta = timedelta(hours=24)
    pay_within: timedelta = timedelta(hours=2)
    decide_within: timedelta = timedelta(days=2)
    answer_within: timedelta = timedelta(minutes=30)
    mail: bool = True
    kinds: frozenset[ChangeKind] = EVERY
    allowed: Mapping[Stage, frozenset[ChangeKind]] = field(default_factory=lambda: ALLOWED)
