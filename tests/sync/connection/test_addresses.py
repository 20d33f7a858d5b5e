"""Which addresses are public, in every form in which an IPv6 address can carry an IPv4 one."""

import ipaddress

import pytest

from sync.connection.addresses import is_public

pytestmark = pytest.mark.pure


def within(address: str) -> dict[str, str]:
    """The IPv6 addresses that carry it, written from the RFCs."""
    number = int(ipaddress.IPv4Address(address))
    high, low = f"{number >> 16:x}", f"{number & 0xFFFF:x}"
    return {
        "mapped": f"::ffff:{address}",
        "compatible": f"::{address}",
        "translated": f"::ffff:0:{address}",
        "NAT64": f"64:ff9b::{address}",
        "6to4": f"2002:{high}:{low}::1",
        "ISATAP": f"2606:4700::5efe:{address}",
        "ISATAP, universal": f"2606:4700::200:5efe:{address}",
    }


@pytest.mark.parametrize("form", within("8.8.8.8"))
@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"],
)
def test_a_private_address_is_private_in_whatever_carries_it(form: str, address: str) -> None:
    assert not is_public(address)
    assert not is_public(within(address)[form])


@pytest.mark.parametrize("form", within("8.8.8.8"))
def test_a_public_address_is_public_in_whatever_carries_it(form: str) -> None:
    assert is_public("8.8.8.8")
    assert is_public(within("8.8.8.8")[form])


@pytest.mark.parametrize("address", ["2606:4700::1111", "2a00:1450:4001::1", "2606:4700::5eff:a00:1"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fe80::5efe:8.8.8.8%eth0", "fd00::1", "fec0::1", "ff02::1", "100::1"),
        *("2001:db8::1", "3fff::1", "5f00::1", "4000::1", "64:ff9b:1::808:808"),
        # Teredo, with a server and a client that are public.
        "2001:0:808:808:8000:63bf:f7f7:f7f7",
    ],
)
def test_what_is_not_unicast_for_everybody_is_not_public(address: str) -> None:
    """Link-local ISATAP carries a public address, and is reached on the link alone."""
    assert not is_public(address)


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "::g"])
def test_what_is_no_address_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="does not appear"):
        is_public(text)
