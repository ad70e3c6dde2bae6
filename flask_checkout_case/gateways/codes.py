"""The codes of one failed attempt, how they are looked up, and the verdict on them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from ..types import FailureClass

NEVER: Final = frozenset({"do_not_try_again"})
"""Advice that forbids another try. A scheme's own (Mastercard's 03 and 21) is shown to agents, and
not believed: what it means differs by scheme and year."""

_NETWORK_WORDS: Final[Mapping[FailureClass, str]] = {
    FailureClass.SOFT: "01 02 05",
    FailureClass.HARD: "12 46 52 53 57 58 78 93 R0 R1 R3",
    FailureClass.FUNDS: "51",
    FailureClass.LIMIT: "61 65 75",
    FailureClass.AUTH: "1A 55 70 86",
    FailureClass.FRAUD: "04 07 34 41 43 59 62 63",
    FailureClass.CARD_DATA: "14 15 82 N7",
    FailureClass.EXPIRED: "33 54",
    FailureClass.PROCESSING: "06 19 96",
    FailureClass.NETWORK: "91 92",
    FailureClass.CONFIG: "03 13 30",
    FailureClass.DUPLICATE: "94",
}
_FLAGS: Final = {"soft_declined": FailureClass.SOFT, "hard_declined": FailureClass.HARD}
# With these an advice never to retry changes nothing: another card is asked for, or none helps.
_UNMOVED: Final = frozenset(
    {
        FailureClass.FRAUD,
        FailureClass.CARD_DATA,
        FailureClass.EXPIRED,
        FailureClass.NETWORK,
        FailureClass.CONFIG,
        FailureClass.DUPLICATE,
        FailureClass.CANCELLED,
    }
)


@dataclass(frozen=True, slots=True)
class Codes:
    """What a gateway said, from the vaguest to the most binding.

    Args:
        network_code: the card network's response code (ISO 8583), ``51`` or ``51 : Funds``.
        error_type: the kind of error, or the gateway's flag ``soft_declined``, ``hard_declined``.
    """

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
        fixer: who can mend it, where that isn't whom the class names.
    """

    failure_class: FailureClass
    never_retry: bool = False
    unknown_outcome: bool = False
    unmapped: bool = False
    fixer: str | None = None


class Vocabulary:
    """A gateway's codes.

    Args:
        words: each class with its codes, separated by spaces.
        vague: codes that say no more than that it was declined; a network's code says more.
        unknown: codes after which the money may have moved all the same.
        faulty: codes of a fault at the gateway, whatever their class.
        families: each class with a pattern of codes that no list names one by one. They are asked
            last, as vague codes are.
    """

    def __init__(
        self,
        words: Mapping[FailureClass, str],
        *,
        vague: str = "",
        unknown: str = "",
        faulty: str = "",
        families: Mapping[FailureClass, str] = MappingProxyType({}),
    ) -> None:
        self.classes: Final = _by_code(words)
        self._vague = frozenset(vague.split())
        self._unknown = frozenset(unknown.split())
        self._faulty = frozenset(faulty.split())
        self._families = {cls: re.compile(pattern) for cls, pattern in families.items()}

    def classify(self, codes: Codes) -> Verdict | None:
        """Judge by the first code that is known: advice never to retry, then decline code, error
        code, the network's code, the gateway's flag; ``None`` when none is."""
        never = codes.advice_code in NEVER
        code, found = self._first(codes)
        if found is None:
            return Verdict(FailureClass.HARD, never_retry=True, unmapped=True) if never else None
        return Verdict(
            FailureClass.HARD if never and found not in _UNMOVED else found,
            never_retry=never,
            unknown_outcome=code in self._unknown,
            fixer="gateway" if code in self._faulty else None,
        )

    def _first(self, codes: Codes) -> tuple[str | None, FailureClass | None]:
        told = [code for code in (codes.decline_code, codes.failure_code) if code is not None]
        for code in told:
            if code in self.classes and code not in self._vague:
                return code, self.classes[code]
        network = (codes.network_code or "").partition(":")[0].strip().upper()
        if network in NETWORK_CLASSES:
            return network, NETWORK_CLASSES[network]
        if codes.error_type in _FLAGS:
            return codes.error_type, _FLAGS[codes.error_type]
        for code in (*told, codes.error_type or ""):
            found = self._listed(code)
            if found is not None and self._may_speak_for(code, told):
                return code, found
        return None, None

    def _listed(self, code: str) -> FailureClass | None:
        """Return the class of a code, or that of the family it belongs to."""
        if code in self.classes:
            return self.classes[code]
        return next((cls for cls, one in self._families.items() if one.fullmatch(code)), None)

    def _may_speak_for(self, code: str, told: Iterable[str]) -> bool:
        # "It was declined" beside a code that nobody knows doesn't make that code known.
        return code not in self._vague or all(other in self.classes for other in told)


def _by_code(words: Mapping[FailureClass, str]) -> dict[str, FailureClass]:
    return {code: cls for cls, codes in words.items() for code in codes.split()}


NETWORK_CLASSES: Final[Mapping[str, FailureClass]] = _by_code(_NETWORK_WORDS)


def _code(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value.strip()[:64] if isinstance(value, str) and value.strip() else None
