"""The client's IP address behind trusted proxies, without a request of Django: the web server needs it before there is one."""

import ipaddress

from django.conf import settings

#: Bits of an IPv6 address that a provider assigns to one customer.
_IPV6_PREFIX = 64


def find_address(peer: str, forwarded_for: str) -> str | None:
    """The client's IP address: with N trusted proxies, the N-th entry of X-Forwarded-For from the right, else the peer's.

    None if the value is not an address (a forged header, a Unix socket).
    """
    proxies: int = settings.TRUSTED_PROXIES
    if proxies:
        hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
        if hops:
            peer = hops[-min(proxies, len(hops))]
    try:
        found = ipaddress.ip_address(peer)
    except ValueError:
        return None
    # A socket for both versions has IPv4 clients at such addresses, which are all in one network.
    return str(getattr(found, "ipv4_mapped", None) or found)


def network(address: str | None) -> str:
    """What limits count as one client: an IPv4 address, or the network of an IPv6 address; "" for None."""
    if address is None or ":" not in address:
        return address or ""
    return str(ipaddress.ip_network((address.partition("%")[0], _IPV6_PREFIX), strict=False).network_address)
