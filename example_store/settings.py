"""The shop's configuration: defaults for a demonstration on one machine.

Every key can be set by an environment variable with the prefix ``EXAMPLE_STORE_``. To charge with
Stripe itself, set the two keys and the webhook secrets of your Stripe account, clear
``STRIPE_API_BASE`` and set the addresses of Stripe's script and the three CSP lists. Klarna is
offered through Adyen in the same way.
"""

from __future__ import annotations

from typing import Any, Final

LOCAL_STRIPE: Final = "http://127.0.0.1:5081"
LOCAL_ADYEN: Final = "http://127.0.0.1:5084"

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
    # None means that Klarna isn't offered.
    "ADYEN_API_KEY": "a key of the local Adyen",
    "ADYEN_MERCHANT": "MaisonCorvane",
    # None means Adyen's test environment.
    "ADYEN_API_BASE": LOCAL_ADYEN,
    # Where Klarna's page may lie, after the form that leads there.
    "ADYEN_CSP_FORM": [LOCAL_ADYEN],
    "CHECKOUT_CASE_SHOP_NAME": "Maison Corvane",
    "CHECKOUT_CASE_WIDGET_ENDPOINTS": ["checkout.*", "cart.*"],
    "CHECKOUT_CASE_POLICY_EDITABLE": True,
    "CHECKOUT_CASE_WEBHOOK_SECRETS": {
        "stripe": ["whsec_local_cases"],
        "adyen": ["6C6F63616C206164796E206B6579206F66207468652073686F70206F6E6C7921"],
    },
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


def local_adyen(origin: str) -> dict[str, Any]:
    """Return the configuration for a local Adyen at ``origin`` (``http://127.0.0.1:5084``)."""
    return {"ADYEN_API_BASE": origin, "ADYEN_CSP_FORM": [origin]}
