"""Whether an address is a public one, wherever a gateway may take it: an IPv6 address can carry an IPv4 one."""

import ipaddress
from ipaddress import IPv4Address, IPv6Address, IPv6Network

# IANA allocates unicast addresses from here alone (IPv6 Address Space).
UNICAST = IPv6Network("2000::/3")
# For documentation, not in Python's table yet (RFC 9637).
DOCUMENTATION = IPv6Network("3fff::/20")
# Prefix, and how many bits follow the IPv4 address that it is before. Teredo (2001::/32) and the local prefix of NAT64
# (64:ff9b:1::/48) are no public addresses, whatever they carry.
CARRIERS = (
    (IPv6Network("::ffff:0:0/96"), 0),  # mapped (RFC 4291 section 2.5.5.2)
    (IPv6Network("::/96"), 0),  # compatible (section 2.5.5.1)
    (IPv6Network("::ffff:0:0:0/96"), 0),  # translated (RFC 2765 section 2.1)
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64 (RFC 6052 section 2.1)
    (IPv6Network("2002::/16"), 80),  # 6to4 (RFC 3056 section 2)
)
# Of ISATAP (RFC 5214 section 6.1): the interface's id, without its bit of universality, before an IPv4 address.
ISATAP, UNIVERSAL = 0x00005EFE, 0x02000000


def is_public(address: str) -> bool:
    """By IANA's registries of special-purpose addresses; an IPv4 address within an IPv6 one counts as itself. Raises ValueError."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, IPv4Address):
        return found.is_global and not found.is_multicast
    for network, bits in CARRIERS:
        if found in network:
            return is_public(_ipv4(int(found) >> bits))
    of_everybody = found in UNICAST and found not in DOCUMENTATION and found.is_global
    return of_everybody and (not _is_isatap(found) or is_public(_ipv4(int(found))))


def _ipv4(number: int) -> str:
    """Of its last 32 bits."""
    return str(IPv4Address(number & 0xFFFFFFFF))


def _is_isatap(address: IPv6Address) -> bool:
    return int(address) >> 32 & 0xFFFFFFFF & ~UNIVERSAL == ISATAP
