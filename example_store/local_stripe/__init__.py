"""A local stand-in for Stripe, for a shop's demonstration and tests: no money, no network.

It speaks enough of Stripe's API for the unpatched ``stripe`` SDK and a page that uses Stripe.js:
payment methods, payment intents, charges, refunds, events, signed webhooks. Customers, products
and whatever else Stripe has is answered by the PyPI package ``localstripe`` running behind it.
"""

from .app import create_app
from .settings import Endpoint, Settings

__all__ = ["Endpoint", "Settings", "create_app"]
