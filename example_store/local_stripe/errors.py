"""Stripe's error bodies."""

from __future__ import annotations

from typing import Any


class StripeError(Exception):
    """An answer that is not a success.

    Args:
        status: HTTP status, which decides the class of the SDK's exception.
        kind: Stripe's ``type`` (``card_error``, ``invalid_request_error`` …).
        message: Stripe's sentence.
        details: further members of the ``error`` object.
    """

    def __init__(self, status: int, kind: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.details = details

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the answer."""
        code = self.details.get("code")
        error = {"message": self.message, "type": self.kind, **self.details}
        if code:
            slug = str(code).replace("_", "-")
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{slug}"
        return {"error": error}


def invalid(message: str, *, code: str | None = None, param: str | None = None) -> StripeError:
    """Make the error for a request that makes no sense (HTTP 400)."""
    details = {name: value for name, value in (("code", code), ("param", param)) if value}
    return StripeError(400, "invalid_request_error", message, **details)


def missing(what: str, ident: str, param: str = "id") -> StripeError:
    """Make the error for an object that does not exist (HTTP 404)."""
    return StripeError(
        404,
        "invalid_request_error",
        f"No such {what}: '{ident}'",
        code="resource_missing",
        param=param,
    )
