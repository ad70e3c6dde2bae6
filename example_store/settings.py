"""The shop's configuration: defaults for a demonstration on one machine.

Every key can be set by an environment variable with the prefix ``EXAMPLE_STORE_``. To charge with
Stripe itself, set the two keys and the webhook secrets of your Stripe account, clear
``STRIPE_API_BASE`` and set the addresses of Stripe's script and the three CSP lists.
"""

from __future__ import annotations

from typing import Any, Final

LOCAL_STRIPE: Final = "http://127.0.0.1:5081"

DEFAULTS: Final[dict[str, Any]] = {
    "SECRET_KEY": "a demonstration keeps no secrets",
    "SESSION_COOKIE_NAME": "corvane",
    "SESSION_COOKIE_SAMESITE": "Lax",
    "SQLALCHEMY_DATABASE_URI": "sqlite:///store.db",
    "STORE_NAME": "Maison Corvane",
    # On a decline, roll the open transaction back (True) or keep the attempt (False).
    "STORE_ROLLBACK_ON_DECLINE": False,
    "STRIPE_SECRET_KEY": "sk_test_local",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_local",
    "STRIPE_WEBHOOK_SECRET": "whsec_local_store",
    # None means Stripe itself.
    "STRIPE_API_BASE": LOCAL_STRIPE,
    "STRIPE_JS_URL": f"{LOCAL_STRIPE}/js.stripe.com/v3/",
    "STRIPE_CSP_SCRIPT": [LOCAL_STRIPE],
    "STRIPE_CSP_CONNECT": [LOCAL_STRIPE],
    "STRIPE_CSP_FRAME": [LOCAL_STRIPE],
    "CHECKOUT_CASE_SHOP_NAME": "Maison Corvane",
    "CHECKOUT_CASE_WIDGET_ENDPOINTS": ["checkout.*", "cart.*"],
    "CHECKOUT_CASE_POLICY_EDITABLE": True,
    "CHECKOUT_CASE_WEBHOOK_SECRETS": {"stripe": ["whsec_local_cases"]},
}


def local_stripe(origin: str) -> dict[str, Any]:
    """Return the configuration for a local Stripe at ``origin`` (``http://127.0.0.1:5081``)."""
    return {
        "STRIPE_API_BASE": origin,
        "STRIPE_JS_URL": f"{origin}/js.stripe.com/v3/",
        "STRIPE_CSP_SCRIPT": [origin],
        "STRIPE_CSP_CONNECT": [origin],
        "STRIPE_CSP_FRAME": [origin],
    }
