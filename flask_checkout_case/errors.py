"""One tree of errors. Each carries a stable ``code`` and the HTTP ``status`` to answer with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class CheckoutCaseError(Exception):
    """Base of everything this extension raises on purpose."""

    code = "error"
    status = 500


class ConfigurationError(CheckoutCaseError):
    """A configuration key or value is wrong; the message names the key and what was expected."""

    code = "configuration"


class PolicyError(ConfigurationError):
    """The policy is wrong; the message names file, line, key and what was expected.

    Args:
        mistakes: the same one by one: line, key (empty for the whole text), what was expected.
    """

    code = "policy"

    def __init__(self, message: str, mistakes: Sequence[tuple[int, str, str]] = ()) -> None:
        super().__init__(message)
        self.mistakes = tuple(mistakes)


class TableConflictError(ConfigurationError):
    """The shop's metadata holds a table of one of our names that is not ours, or has a schema."""

    code = "table_conflict"


class MissingExtraError(ConfigurationError):
    """An optional dependency is not installed; the message names the extra that brings it."""

    code = "missing_extra"


class InvalidInputError(CheckoutCaseError):
    """What the caller sent can't be taken.

    Args:
        message: says what was expected.
        field: the name of the offending field, when there is one.
    """

    code = "invalid"
    status = 400

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class SignatureError(InvalidInputError):
    """A signed body, token or webhook does not verify."""

    code = "signature"


class PermissionDeniedError(CheckoutCaseError):
    """The agent or customer has not been given this action."""

    code = "forbidden"
    status = 403


class NotFoundError(CheckoutCaseError):
    """There is no such case, or it belongs to somebody else; the two are not told apart."""

    code = "not_found"
    status = 404


class InvalidTransitionError(CheckoutCaseError):
    """The lifecycle does not allow this move from the case's present status."""

    code = "transition"
    status = 409


class StaleVersionError(CheckoutCaseError):
    """The case changed after the version on which this write was based; nothing was written.

    Args:
        current: the version now stored.
        changes: what happened since, oldest first, as plain dictionaries
            ``{"at", "kind", "author", "text", "data"}``.
    """

    code = "stale"
    status = 409

    def __init__(self, current: int, changes: tuple[dict[str, Any], ...] = ()) -> None:
        super().__init__(f"the case is at version {current} now")
        self.current = current
        self.changes = changes


class PolicyChangedError(CheckoutCaseError):
    """Another version of the policy was activated meanwhile; nothing was changed.

    Args:
        current: what is in force now: ``{"id", "version", "name", "at", "changes"}``.
    """

    code = "policy_changed"
    status = 409

    def __init__(self, current: dict[str, Any]) -> None:
        super().__init__("another version of the policy is in force by now")
        self.current = current


class VersionRequiredError(CheckoutCaseError):
    """A write did not say on which version it is based."""

    code = "version_required"
    status = 428


class EgressRefusedError(CheckoutCaseError):
    """An outgoing connection leads to an address that is not allowed."""

    code = "egress_refused"
    status = 502


class UnavailableError(CheckoutCaseError):
    """What is needed to answer can't be had at present; whoever asked should ask again."""

    code = "unavailable"
    status = 503
