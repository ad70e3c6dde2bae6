"""The one way out: every connection that we open to somebody else's address goes through here.

A name is resolved at the moment of sending, every address it has must be a public one, and the
connection goes to the address that was checked: a name that resolves differently a moment later
changes nothing. No redirect is followed.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from .errors import ConfigurationError, EgressRefusedError

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver: TypeAlias = Callable[[str, int], Iterable[str]]

TIMEOUT: Final = 10.0
"""Seconds for each step of a connection."""
ANSWER_LIMIT: Final = 64 * 1024
"""Bytes read of an answer."""

_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMBER: Final = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)", re.ASCII)
# Addresses in which another one is written: what they lead to is the network's to decide.
_WRAPPED: Final[tuple[ipaddress.IPv6Network, ...]] = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64, local use
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
    )
)
_ISATAP: Final = frozenset({0x00005EFE, 0x02005EFE})


@dataclass(frozen=True, slots=True)
class Target:
    """A checked destination: ``address`` is where to connect, ``host`` who is meant to be there."""

    host: str
    port: int
    address: str

    def connect(self, timeout: float = TIMEOUT) -> socket.socket:
        """Open a connection to the checked address."""
        return socket.create_connection((self.address, self.port), timeout)


def read_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Read ``CHECKOUT_CASE_EGRESS_ALLOW``.

    Raises:
        ConfigurationError: names the text that is no network.
    """
    found: list[Network] = []
    for text in texts:
        try:
            found.append(ipaddress.ip_network(text))
        except ValueError as error:
            message = (
                f"CHECKOUT_CASE_EGRESS_ALLOW: expected a network such as '10.0.0.0/8': {error}"
            )
            raise ConfigurationError(message) from error
    return tuple(found)


def look_up(host: str, port: int) -> Iterable[str]:
    """Ask the system's resolver for a host's addresses."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return dict.fromkeys(str(item[4][0]) for item in found)


def resolve(
    host: str,
    port: int,
    *,
    allow: Sequence[Network] = (),
    named_by_operator: bool = False,
    resolver: Resolver = look_up,
) -> Target:
    """Check a destination and pin its address.

    Args:
        allow: private networks that may be reached.
        named_by_operator: the host stands in the shop's own configuration, so that it may lie in
            the shop's own network; what disguises an address is refused all the same.

    Raises:
        EgressRefusedError: the host is no plain name or address, it can't be resolved, or one of
            its addresses is not allowed.
    """
    name = plain_host(host)
    literal = _literal(name)
    try:
        texts = [str(literal)] if literal is not None else list(resolver(name, port))
    except (OSError, UnicodeError) as error:
        raise EgressRefusedError(f"{name} can't be resolved: {error}") from error
    if not texts:
        raise EgressRefusedError(f"{name} has no address")
    for text in texts:
        refused = why_refused(_address(text), allow, named_by_operator=named_by_operator)
        if refused:
            raise EgressRefusedError(f"{name} leads to {text}: {refused}")
    return Target(name, port, texts[0])


def plain_host(host: str) -> str:
    """Return a host in its one plain spelling: small letters, IDNA, no brackets, no final dot.

    Raises:
        EgressRefusedError: for what is neither a name nor a canonical address (``127.1``,
            ``0x7f000001``, ``2130706433``, percent signs, a scope).
    """
    text = unicodedata.normalize("NFKC", host).strip().lower()
    text = text[1:-1] if text.startswith("[") and text.endswith("]") else text.removesuffix(".")
    if _literal(text) is not None:
        return text
    try:
        ascii_text = text if text.isascii() else text.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise EgressRefusedError(f"{host!r} is no host name") from error
    labels = ascii_text.split(".")
    if len(ascii_text) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise EgressRefusedError(f"{host!r} is no host name")
    if _NUMBER.fullmatch(labels[-1]):
        raise EgressRefusedError(f"{host!r} disguises an address")
    return ascii_text


def why_refused(
    address: IPAddress, allow: Sequence[Network] = (), *, named_by_operator: bool = False
) -> str | None:
    """Return why an address may not be connected to; ``None`` when it may."""
    if _wraps_another(address):
        return "it wraps another address"
    if address.is_unspecified or address.is_multicast:
        return "nobody in particular is there"
    allowed = any(address in network for network in allow if network.version == address.version)
    if allowed or named_by_operator or _is_public(address):
        return None
    return "it isn't public, and not in CHECKOUT_CASE_EGRESS_ALLOW"


def _wraps_another(address: IPAddress) -> bool:
    # ::1 and :: are the only ones of ::/96 that mean what they say.
    if address.version == 4 or address.is_loopback or address.is_unspecified:
        return False
    in_prefix = any(address in network for network in _WRAPPED)
    return in_prefix or (int(address) >> 32) & 0xFFFFFFFF in _ISATAP


def _is_public(address: IPAddress) -> bool:
    if address.is_reserved or (address.version == 6 and address.is_site_local):
        # Python calls deprecated private addresses global.
        return False
    return address.is_global


def _literal(text: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(text) if "%" not in text else None
    except ValueError:
        return None


def _address(text: str) -> IPAddress:
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise EgressRefusedError(f"{text!r} is no address") from error


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; ``body`` is its first 64 KiB. A redirect is an answer like any other."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _PinnedHTTP(http.client.HTTPConnection):
    """Connects to the checked address; the Host header names the host."""

    def __init__(self, target: Target, timeout: float) -> None:
        super().__init__(_bracketed(target.host), target.port, timeout=timeout)
        self._target = target

    def connect(self) -> None:
        self.sock = self._target.connect(TIMEOUT if self.timeout is None else self.timeout)


class _PinnedHTTPS(_PinnedHTTP):
    """The same with TLS: certificate and SNI are the host's, not the address's."""

    default_port = http.client.HTTPS_PORT

    def __init__(self, target: Target, timeout: float, context: ssl.SSLContext) -> None:
        super().__init__(target, timeout)
        self._context = context

    def connect(self) -> None:
        super().connect()
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self._target.host)


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    allow: Sequence[Network] = (),
    timeout: float = TIMEOUT,
    context: ssl.SSLContext | None = None,
    resolver: Resolver = look_up,
) -> Response:
    """Send one HTTP request to a public address. Redirects aren't followed, proxies not used.

    Args:
        allow: private networks that may be reached, and reached without TLS.
        timeout: seconds for each step.

    Raises:
        EgressRefusedError: the URL or where it leads to is not allowed.
        OSError, http.client.HTTPException: it could not be sent or answered.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise EgressRefusedError("the URL can't be read") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise EgressRefusedError("expected https://host/path without a user")
    secure = parts.scheme == "https"
    target = resolve(
        parts.hostname, port or (443 if secure else 80), allow=allow, resolver=resolver
    )
    if not secure and not _is_in(target.address, allow):
        raise EgressRefusedError("without TLS only networks of CHECKOUT_CASE_EGRESS_ALLOW")
    connection = (
        _PinnedHTTPS(target, timeout, context or ssl.create_default_context())
        if secure
        else _PinnedHTTP(target, timeout)
    )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        answer = connection.getresponse()
        return Response(answer.status, dict(answer.getheaders()), answer.read(ANSWER_LIMIT))
    finally:
        connection.close()


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    parsed: Any = ipaddress.ip_address(address)
    return any(parsed in network for network in networks if network.version == parsed.version)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
