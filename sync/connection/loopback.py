"""Whether a host is this machine itself."""

import ipaddress


def is_loopback(host: str) -> bool:
    """RFC 6761 section 6.3, RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
