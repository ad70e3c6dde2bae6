"""The one way out: who may be connected to."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.egress import (
    Resolver,
    plain_host,
    read_networks,
    request,
    resolve,
    why_refused,
)
from flask_checkout_case.errors import ConfigurationError, EgressRefusedError


def answering(*addresses: str) -> Resolver:
    return lambda _host, _port: addresses


def failing(_host: str, _port: int) -> Iterable[str]:
    raise OSError("no such host")


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_a_public_address_is_pinned(address: str) -> None:
    target = resolve("Example.COM.", 443, resolver=answering(address))
    assert (target.host, target.port, target.address) == ("example.com", 443, address)


REFUSED = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",  # noqa: S104
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fec0::1",
    "ff0e::1",
    "2001:db8::1",
    # Addresses in disguise; Python calls several of them global.
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:93.184.216.34",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2606:2800:220:1:0:5efe:7f00:1",
    "2606:2800:220:1:200:5efe:7f00:1",
]


@pytest.mark.parametrize("address", REFUSED)
def test_no_other_address_is(address: str) -> None:
    with pytest.raises(EgressRefusedError):
        resolve("example.com", 443, resolver=answering(address))
    with pytest.raises(EgressRefusedError):
        resolve(f"[{address}]" if ":" in address else address, 443)


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(EgressRefusedError, match=r"10\.0\.0\.1"):
        resolve("example.com", 443, resolver=answering("93.184.216.34", "10.0.0.1"))


@pytest.mark.parametrize(
    "host",
    [
        *("127.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.0.0.1.", "0x7f.1", "0"),
        *("１２７.１", "①②⑦.⓪.⓪.①", "127。0。0。1", "127.0.0.1%25", "::1%lo", "[::1%lo]"),
        *("", ".", "a..b", "-a.example", "a_b c.example", "exa mple.com", "user@example.com"),
        *("example.com/x", "example.com:80", "a" * 64 + ".example", "1.2.3.4.5", "example.0x1"),
    ],
)
def test_what_disguises_an_address_is_refused_unresolved(host: str) -> None:
    def never(_host: str, _port: int) -> Iterable[str]:
        raise AssertionError("it must not get as far as the resolver")

    with pytest.raises(EgressRefusedError):
        resolve(host, 443, resolver=never)
    with pytest.raises(EgressRefusedError):
        resolve(host, 443, resolver=never, allow=read_networks(["0.0.0.0/0", "::/0"])[:0])


def test_names_of_other_scripts_are_written_plainly() -> None:
    assert plain_host("Bücher.example") == "xn--bcher-kva.example"


def test_a_name_that_cannot_be_resolved_is_refused() -> None:
    with pytest.raises(EgressRefusedError, match="can't be resolved"):
        resolve("nowhere.example", 443, resolver=failing)
    with pytest.raises(EgressRefusedError, match="has no address"):
        resolve("nowhere.example", 443, resolver=answering())


def test_a_private_network_can_be_allowed() -> None:
    allow = read_networks(["10.0.0.0/8", "fd00::/8"])
    assert resolve("in.example", 25, allow=allow, resolver=answering("10.1.1.1")).port == 25
    assert resolve("fd00::5", 25, allow=allow).address == "fd00::5"
    for address in ("192.168.1.1", "127.0.0.1", "::ffff:10.1.1.1", "64:ff9b::a01:101"):
        with pytest.raises(EgressRefusedError):
            resolve("in.example", 25, allow=allow, resolver=answering(address))


def test_what_the_operator_named_may_be_private_but_not_disguised() -> None:
    local = resolve("localhost", 25, named_by_operator=True, resolver=answering("127.0.0.1"))
    assert local.address == "127.0.0.1"
    assert resolve("::1", 25, named_by_operator=True).address == "::1"
    for address in ("::", "224.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"):
        with pytest.raises(EgressRefusedError):
            resolve("mail.example", 25, named_by_operator=True, resolver=answering(address))
    with pytest.raises(EgressRefusedError):
        resolve("127.1", 25, named_by_operator=True)


@given(st.ip_addresses())
def test_only_global_addresses_pass(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if why_refused(address) is None:
        assert address.is_global
        assert not address.is_multicast
        assert not (address.version == 6 and address.sixtofour)


def test_networks_are_checked() -> None:
    with pytest.raises(ConfigurationError, match="CHECKOUT_CASE_EGRESS_ALLOW"):
        read_networks(["10.0.0.0/8", "10.0.0.1/8"])


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "https:///path",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://example.com:99999/",
        "https://[::1/",
        "gopher://example.com",
        "//example.com",
        "",
    ],
)
def test_a_url_has_to_be_plain(url: str) -> None:
    with pytest.raises(EgressRefusedError):
        request("POST", url, resolver=answering("93.184.216.34"))


def test_without_tls_nothing_goes_to_a_public_address() -> None:
    with pytest.raises(EgressRefusedError, match="without TLS"):
        request("POST", "http://example.com/", resolver=answering("93.184.216.34"))
