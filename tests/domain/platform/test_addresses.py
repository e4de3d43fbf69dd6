"""Whom an address stands for."""

import pytest

from domain.platform.addresses import network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unix", "unix"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_an_address_of_ipv6_stands_for_the_network_of_its_subscriber(
    address: str | None, network: str
) -> None:
    assert network_of(address) == network
