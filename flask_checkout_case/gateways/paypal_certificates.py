"""The certificates that PayPal signs its webhooks with: fetched from PayPal alone, and kept.

Where a certificate lies is told by the webhook itself, so anybody may tell it. It is asked for at
PayPal's own two hosts and in one folder, through the one way out, without following a redirect:
that the answer is PayPal's is proved by the TLS of that connection.
"""

from __future__ import annotations

import logging
import re
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import Final, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID

from .. import egress
from ..errors import SignatureError, UnavailableError

log = logging.getLogger(__name__)

Fetch: TypeAlias = Callable[[str], bytes]

TIMEOUT: Final = 5.0
"""Seconds for each step of fetching, and for waiting until somebody else has fetched."""
MOST_KEPT: Final = 32
MOST_FETCHES: Final = 20
"""In a minute: whoever forges webhooks chooses how often we would ask."""

_PLACE: Final = re.compile(
    r"https://api\.(?:sandbox\.)?paypal\.com/v1/notifications/certs/[A-Za-z0-9-]{1,128}"
)


def fetch(url: str) -> bytes:
    """Fetch a certificate from PayPal."""
    answer = egress.request("GET", url, timeout=TIMEOUT)
    if answer.status != 200:
        raise UnavailableError(f"PayPal answered {answer.status} for its certificate")
    return answer.body


class Certificates:
    """The certificates of one process, by their address.

    Args:
        fetch: gives the PEM text at an address; it is asked for PayPal's own addresses alone.
    """

    def __init__(self, fetch: Fetch = fetch) -> None:
        self.fetch = fetch
        self._kept: OrderedDict[str, x509.Certificate] = OrderedDict()
        self._fetches: deque[float] = deque(maxlen=MOST_FETCHES)
        self._lock = Lock()

    def key(self, url: str, now: datetime) -> RSAPublicKey:
        """Return the key of the certificate that lies there.

        Raises:
            SignatureError: it isn't PayPal's, or isn't valid now.
            UnavailableError: it can't be had at present.
        """
        if not _PLACE.fullmatch(url):
            raise SignatureError("the certificate's address is not PayPal's")
        certificate = self._kept.get(url)
        if certificate is None or certificate.not_valid_after_utc < now:
            certificate = self._fetched(url, now)
        return _key(certificate, now)

    def _fetched(self, url: str, now: datetime) -> x509.Certificate:
        if not self._lock.acquire(timeout=TIMEOUT):
            raise UnavailableError("PayPal's certificates take too long")
        try:
            kept = self._kept.get(url)
            if kept is not None and now <= kept.not_valid_after_utc:
                return kept
            certificate = self._read(url)
            _key(certificate, now)
            self._kept[url] = certificate
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return certificate
        finally:
            self._lock.release()

    def _read(self, url: str) -> x509.Certificate:
        began = time.monotonic()
        if len(self._fetches) == MOST_FETCHES and began - self._fetches[0] < 60:
            raise UnavailableError("too many certificates are asked for")
        self._fetches.append(began)
        try:
            return x509.load_pem_x509_certificates(self.fetch(url))[0]
        except Exception as error:
            log.warning("PayPal's certificate can't be had: %s", error)
            raise UnavailableError("PayPal's certificate can't be had at present") from error


def _key(certificate: x509.Certificate, now: datetime) -> RSAPublicKey:
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise SignatureError("the certificate is not valid now")
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not any(str(name.value).lower().endswith(".paypal.com") for name in names):
        raise SignatureError("the certificate is not made out to PayPal")
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise SignatureError("the certificate's key is no RSA key")
    return key


CERTIFICATES: Final = Certificates()
"""Those that webhooks are verified with; a shop without a way out sets its ``fetch``."""
