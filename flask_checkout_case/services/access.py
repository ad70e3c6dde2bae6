"""Which cases a customer may read: those of this browser's token, and those of this checkout.

A case is never reached by its reference alone. A token is bound to the browser that got it, to the
owner of the checkout at that time, to its purpose by its salt, to an age, and for each case to the
case's ``revocations``: raising that number ends every token for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from itsdangerous import BadSignature, URLSafeTimedSerializer

from ..rules import lifecycle
from ..types import Status

SALT: Final = "checkout-case-customer"
MOST_CASES: Final = 10


@dataclass(frozen=True, slots=True)
class Grant:
    """What a browser has been given.

    Args:
        nonce: the browser's random name.
        owner: the customer's ref when it was given, ``None`` for a guest.
        cases: reference → the case's ``revocations`` at that time, the oldest first.
    """

    nonce: str
    owner: str | None = None
    cases: Mapping[str, int] = field(default_factory=dict)

    def with_case(self, reference: str, revocations: int) -> Grant:
        """Return this grant and one case more; only the newest ten are kept."""
        kept = {name: count for name, count in self.cases.items() if name != reference}
        newest = [*kept.items(), (reference, revocations)][-MOST_CASES:]
        return Grant(self.nonce, self.owner, dict(newest))


class Guarded(Protocol):
    """What of a case decides who may read it."""

    @property
    def reference(self) -> str: ...
    @property
    def checkout_ref(self) -> str | None: ...
    @property
    def customer_ref(self) -> str | None: ...
    @property
    def revocations(self) -> int: ...
    @property
    def status(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Viewer:
    """The customer behind a request.

    Args:
        checkout: this request's checkout as plain JSON (see ``capture``), when there is one.
        grant: what this browser's token says, when it has a valid one.
        language: the tag in which the customer reads.
        person: the ref of the customer who is logged in, where the shop tells it apart from the
            checkout.
    """

    checkout: Mapping[str, Any] | None = None
    grant: Grant | None = None
    language: str | None = None
    person: str | None = None

    @property
    def checkout_ref(self) -> str | None:
        ref = (self.checkout or {}).get("ref")
        return str(ref) if ref is not None else None

    @property
    def customer(self) -> Mapping[str, Any]:
        found = (self.checkout or {}).get("customer")
        return found if isinstance(found, Mapping) else {}

    @property
    def owner(self) -> str | None:
        """The ref of whom the shop names: the checkout's customer, else who is logged in."""
        ref = self.customer.get("ref") if self.checkout is not None else self.person
        return str(ref) if ref is not None else None

    @property
    def references(self) -> Sequence[str]:
        """The cases to look up by the token; whether each may be read is :meth:`may_read`."""
        return tuple(self.grant.cases) if self.grant is not None and self._grant_holds else ()

    @property
    def _grant_holds(self) -> bool:
        # A guest's token stands for the browser, a customer's for the customer: where nobody says
        # who is there, it may be somebody else by now.
        return self.grant is not None and self.grant.owner in (None, self.owner)

    def may_read(self, case: Guarded) -> bool:
        """Whether this customer may read ``case``."""
        if case.customer_ref not in (None, self.owner):
            return False
        here = self.checkout_ref is not None and case.checkout_ref == self.checkout_ref
        if here and (case.customer_ref is not None or self._is_the_guest_of(case)):
            return True
        if self.grant is None or not self._grant_holds:
            return False
        return self.grant.cases.get(case.reference) == case.revocations

    def _is_the_guest_of(self, case: Guarded) -> bool:
        # A shop may give a guest's checkout to somebody else when that is over, or when somebody
        # signs in to it; the guest's own browser has the token.
        return self.owner is None and lifecycle.is_live(Status(case.status))

    @property
    def has_changed_owner(self) -> bool:
        """Whether the cart belongs to somebody else than when the token was given."""
        return (
            self.grant is not None
            and (self.checkout is not None or self.person is not None)
            and self.grant.owner != self.owner
        )

    def rotated(self, nonce: str, cases: Iterable[Guarded]) -> Grant:
        """Return the grant of the new owner, who keeps what they may read."""
        grant = Grant(nonce, self.owner)
        for case in cases:
            if case.reference in self.references and self.may_read(case):
                grant = grant.with_case(case.reference, case.revocations)
        return grant


def seal(keys: Sequence[str], grant: Grant) -> str:
    """Return the signed token of a grant.

    Args:
        keys: the oldest first, the one that signs last.
    """
    body = {"n": grant.nonce, "o": grant.owner, "c": dict(grant.cases)}
    return str(URLSafeTimedSerializer(list(keys), salt=SALT).dumps(body))


def unseal(
    keys: Sequence[str], token: str | None, *, nonce: str | None, max_age: int
) -> Grant | None:
    """Read a token back; ``None`` when it is forged, too old, or another browser's.

    Args:
        nonce: the name of the browser that sent it.
        max_age: in seconds.
    """
    if not token or nonce is None:
        return None
    try:
        body = URLSafeTimedSerializer(list(keys), salt=SALT).loads(token, max_age=max_age)
    except BadSignature:
        return None
    if not isinstance(body, dict) or body.get("n") != nonce:
        return None
    owner, cases = body.get("o"), body.get("c")
    if not isinstance(cases, dict) or not (owner is None or isinstance(owner, str)):
        return None
    return Grant(nonce, owner, {str(name): int(count) for name, count in cases.items()})
