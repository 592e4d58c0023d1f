"""The client's address: a proxy that is trusted is believed about its peer, nobody else about anything."""

from __future__ import annotations

import pytest

from passerelle.surfaces import addresses

PROXIES = addresses.networks(("10.0.0.0/8", "::1", "not an address"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        ("192.0.2.7", [b"198.51.100.1"], "192.0.2.7"),  # says whoever calls directly
        ("10.0.0.1", [b"198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", [b"203.0.113.9, 198.51.100.1"], "198.51.100.1"),  # the first was written by the client
        ("10.0.0.1", [b"203.0.113.9", b"198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", [b"198.51.100.1:4711"], "198.51.100.1"),
        ("::1", [b'"[2001:db8::5]:80"'], "2001:db8::5"),
        ("::ffff:10.0.0.1", [b"198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", [b"unknown"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("", [b"198.51.100.1"], ""),
    ],
)
def test_the_address_of_a_client(peer, forwarded, client):
    assert addresses.client(peer, forwarded, PROXIES) == client


def test_without_trusted_proxies_the_socket_is_believed():
    assert addresses.client("10.0.0.1", [b"198.51.100.1"], ()) == "10.0.0.1"


@pytest.mark.parametrize(
    ("address", "listed"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.7", True),
        ("192.0.3.7", False),
        ("2001:db8::1", True),
        ("", False),
        ("x", False),
    ],
)
def test_lists_of_addresses(address, listed):
    assert addresses.is_listed(address, addresses.networks(("192.0.2.0/24", "2001:db8::/32"))) is listed
