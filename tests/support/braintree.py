"""Braintree as it posts webhooks and answers its SDK: XML, signed with keys of these tests."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit
from xml.sax.saxutils import escape

from braintree import BraintreeGateway, Configuration, Environment
from braintree.util.crypto import Crypto
from braintree.util.xml_util import XmlUtil

from tests.support.server import running_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
BRAINTREE_KEYS: Final = tuple(
    {
        "merchant_id": "atelier",
        "public_key": f"public_{age}",
        "private_key": f"private_{age}",
        "environment": "sandbox",
    }
    for age in ("new", "old")
)


def sdk(environment: Any = Environment.Sandbox, **options: Any) -> BraintreeGateway:
    keys = BRAINTREE_KEYS[0]
    return BraintreeGateway(
        Configuration(
            environment, keys["merchant_id"], keys["public_key"], keys["private_key"], **options
        )
    )


def tags(fields: Mapping[str, Any]) -> str:
    """Return XML as Braintree writes it, with hyphens in its names."""
    told = ((name.replace("_", "-"), value) for name, value in fields.items())
    return "".join(
        f"<{name}>{tags(value) if isinstance(value, Mapping) else escape(str(value))}</{name}>"
        for name, value in told
        if value is not None
    )


def payment(**changes: Any) -> dict[str, Any]:
    """Return a transaction of the checkout ``c-1`` that its processor has declined."""
    return {
        "id": "tx1",
        "type": "sale",
        "status": "processor_declined",
        "amount": "120.00",
        "currency_iso_code": "USD",
        "order_id": "c-1",
        "payment_instrument_type": "credit_card",
        "processor_response_code": "2001",
        "processor_response_text": "Insufficient Funds",
        **changes,
    }


def settlement(kind: str = "transaction_settlement_declined", **changes: Any) -> bytes:
    """Return the XML of a webhook about the settlement of :func:`payment`."""
    plain = payment(
        status=kind.removeprefix("transaction_"),
        processor_response_code="1000",
        processor_response_text="Approved",
    )
    return notification(kind, {"transaction": {**plain, **changes}})


def notification(kind: str, subject: Mapping[str, Any], at: datetime | None = None) -> bytes:
    stamp = (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    told = tags({"kind": kind, "subject": subject})
    dated = f'<timestamp type="datetime">{stamp}</timestamp>'
    return f"<notification>{dated}{told}</notification>".encode()


def sealed(xml: bytes, keys: Mapping[str, str] = BRAINTREE_KEYS[0]) -> dict[str, str]:
    """Return the fields of the form in which Braintree posts this."""
    payload = base64.encodebytes(xml).decode()
    digest = Crypto.sha1_hmac_hash(keys["private_key"], payload)
    return {"bt_signature": f"{keys['public_key']}|{digest}", "bt_payload": payload}


def posted(xml: bytes, keys: Mapping[str, str] = BRAINTREE_KEYS[0]) -> bytes:
    return urlencode(sealed(xml, keys)).encode()


def invalid_sale(number: str = "", amount: str = "") -> str:
    """Return the answer to a sale that became no transaction, with the codes of its errors."""

    def errors(code: str) -> str:
        told = f"<error><code>{code}</code><attribute>x</attribute><message>no</message></error>"
        return f'<errors type="array">{told if code else ""}</errors>'

    card = f"<credit-card>{errors(number)}</credit-card>"
    about = f"<errors>{errors('')}<transaction>{errors(amount)}{card}</transaction></errors>"
    return f"<api-error-response>{about}<message>It is invalid.</message></api-error-response>"


class LocalBraintree:
    """Answers sales and searches of the SDK.

    Args:
        answers: to a sale, by its nonce: the status and the XML.
    """

    def __init__(self, answers: Mapping[str, tuple[int, str]]) -> None:
        self.answers = answers
        self.sales: list[dict[str, Any]] = []
        self.searches: list[dict[str, Any]] = []
        self.found: list[dict[str, Any]] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        raw = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        asked = XmlUtil.dict_from_xml(raw)
        place = environ["PATH_INFO"].rpartition("/")[2]
        status, answer = getattr(self, f"_{place}")(next(iter(asked.values())))
        start_response(f"{status} told", [("Content-Type", "application/xml")])
        return [answer.encode()]

    def _transactions(self, sale: dict[str, Any]) -> tuple[int, str]:
        self.sales.append(sale)
        return self.answers[sale["payment_method_nonce"]]

    def _advanced_search_ids(self, wanted: dict[str, Any]) -> tuple[int, str]:
        self.searches.append(wanted)
        ids = "".join(f"<item>{one['id']}</item>" for one in self.found)
        size = '<page-size type="integer">50</page-size>'
        return 200, f'<search-results>{size}<ids type="array">{ids}</ids></search-results>'

    def _advanced_search(self, wanted: dict[str, Any]) -> tuple[int, str]:
        found = "".join(tags({"transaction": one}) for one in self.found)
        return 200, f"<credit-card-transactions>{found}</credit-card-transactions>"

    @contextmanager
    def running(self) -> Iterator[BraintreeGateway]:
        """Serve, and yield the SDK that asks here."""
        with running_server(self) as address:
            gateway = sdk(environment_at(urlsplit(address).port), timeout=5)
            try:
                yield gateway
            finally:
                # Older SDKs keep no connection open, and have nothing to close.
                getattr(gateway, "close", int)()


def environment_at(port: int | None) -> Environment:
    """Return the sandbox, as if it were at a port of this machine."""
    unused = ("http://auth.invalid", False, None, "graphql.invalid", "1")
    return Environment("sandbox", "127.0.0.1", str(port), *unused)
