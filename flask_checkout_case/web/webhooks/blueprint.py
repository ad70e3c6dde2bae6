"""The blueprint of what other systems post to us."""

from __future__ import annotations

from flask import Blueprint

from ..guard import protect

blueprint = Blueprint("checkout_case_webhooks", __name__)
protect(blueprint, csp="default-src 'none'")
