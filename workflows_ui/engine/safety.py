"""The addresses that the console may connect to: protection against server-side request forgery.

Three kinds of address:

- never: link-local, cloud metadata, multicast, unspecified, reserved. No setting opens them.
- inside: loopback, private, shared and documentation ranges. Open if `allowed_networks` lists them.
- all others: open.

An IPv4 address embedded in an IPv6 one (mapped, translated, compatible, 6to4, NAT64, Teredo, ISATAP) is checked too.
The networks are listed here because Python's definition of private addresses differs between its releases.
"""

import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import requests

from .errors import AddressRefused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


_NEVER = _networks(
    "0.0.0.0/8",
    "169.254.0.0/16",  # link-local; metadata of AWS, Azure, Google and most others
    "100.100.100.200/32",  # Alibaba's metadata
    "168.63.129.16/32",  # Azure's platform address
    "192.0.0.192/32",  # Oracle's metadata
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    "fd00:ec2::/32",  # AWS's metadata and pod identity over IPv6
    "fd20:ce::/32",  # Google's metadata over IPv6
)
_INSIDE = _networks(
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "2001::/23",
    "2001:db8::/32",
    "3fff::/20",
)
_OUTSIDE_V6 = _networks("2000::/3", "64:ff9b::/96", "::ffff:0:0/96", "::ffff:0:0:0/96")
_LAST_32_BITS = _networks("::ffff:0:0/96", "::ffff:0:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48")
_ISATAP = (0x00005EFE, 0x02005EFE)
_INSIDE_NAMES = ("localhost", "metadata.google.internal", "metadata")


@dataclass(frozen=True, init=False)
class AddressSafety:
    """The rules for addresses. Frozen and hashable: connections are pooled per object.

    `allowed_networks` are inside networks that are open, as text (`"10.1.0.0/16"`, `"127.0.0.1"`) or network objects. Raises ValueError
    for anything else.
    """

    allowed_networks: tuple[Network, ...]

    def __init__(self, allowed_networks: Iterable[str | IPv4Network | IPv6Network] = ()) -> None:
        networks = tuple(ip_network(network, strict=False) for network in allowed_networks)
        object.__setattr__(self, "allowed_networks", networks)

    def check_url(self, url: str) -> None:
        """Raise AddressRefused unless `url` is http(s), has a host, no user name, and no forbidden address as its host."""
        if any(ord(character) <= 32 or ord(character) == 127 or character == "\\" for character in url):
            raise AddressRefused("The address holds spaces or control characters.", code="BAD_ADDRESS", sent=False)
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise AddressRefused("The address cannot be read.", code="BAD_ADDRESS", sent=False) from None
        if parts.scheme not in ("http", "https"):
            raise AddressRefused("Only http and https addresses are used.", code="BAD_SCHEME", sent=False)
        if not host:
            raise AddressRefused("The address names no host.", code="BAD_ADDRESS", sent=False)
        if "@" in parts.netloc:
            raise AddressRefused("The address holds a user name or password.", code="USER_IN_ADDRESS", sent=False)
        for spelling in (host, _requested_host(url)):
            literal = _parse_address(spelling)
            if literal is not None:
                self._check(literal)

    def check_peer(self, address: str) -> None:
        """Raise AddressRefused if `address`, an IP address as sockets write it, is not open."""
        self._check(ip_address(address.partition("%")[0]))

    def check_host_behind_proxy(self, host: str) -> None:
        """Raise AddressRefused for a host that a proxy must not be requested to reach.

        With a proxy, the connected peer is the proxy, which resolves the name: only literal addresses and a few well-known inside
        names can be checked here. The proxy has to restrict the addresses of all other names.
        """
        literal = _parse_address(host)
        if literal is not None:
            self._check(literal)
            return
        name = host.rstrip(".").lower()
        if name in _INSIDE_NAMES[1:] or (
            (name == _INSIDE_NAMES[0] or name.endswith(".localhost")) and not self._is_allowed(IPv4Address("127.0.0.1"))
        ):
            raise _refusal(name)

    def _check(self, address: Address) -> None:
        forms = [address, *_embedded_ipv4(address)]
        if any(form in network for form in forms for network in _NEVER):
            raise _refusal(str(address))
        if self._is_allowed(address):
            return
        if any(_is_inside(form) and not self._is_allowed(form) for form in forms):
            raise _refusal(str(address))

    def _is_allowed(self, address: Address) -> bool:
        return any(address in network for network in self.allowed_networks)


def _refusal(host: str) -> AddressRefused:
    return AddressRefused(
        f"The console does not connect to {host}: it is an inside or reserved address.",
        code="ADDRESS_REFUSED",
        sent=False,
        technical=host,
    )


def _is_inside(address: Address) -> bool:
    if any(address in network for network in _INSIDE):
        return True
    return isinstance(address, IPv6Address) and not any(address in network for network in _OUTSIDE_V6)


def _embedded_ipv4(address: Address) -> Iterator[IPv4Address]:
    if not isinstance(address, IPv6Address):
        return
    number = int(address)
    if address == IPv6Address("::1"):
        return
    if any(address in network for network in _LAST_32_BITS) or (number >> 32) & 0xFFFFFFFF in _ISATAP:
        yield IPv4Address(number & 0xFFFFFFFF)
    if address in IPv6Network("64:ff9b:1::/48"):
        yield IPv4Address((number >> 64 & 0xFFFF) << 16 | (number >> 40 & 0xFFFF))
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo


def _requested_host(url: str) -> str:
    """The host as the HTTP library will request it, with other scripts in ASCII. Raises AddressRefused if it refuses the URL."""
    prepared = requests.PreparedRequest()
    try:
        prepared.prepare_url(url, None)
        return urlsplit(str(prepared.url)).hostname or ""
    except (requests.RequestException, ValueError):
        raise AddressRefused("The address names no host.", code="BAD_ADDRESS", sent=False) from None


def _parse_address(host: str) -> Address | None:
    """`host` as an address, also in the old spellings that the system accepts (`0x7f.1`, `2130706433`); None for a name."""
    text = host.strip("[]").partition("%")[0]
    try:
        return ip_address(text)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(text.rstrip(".")))
    except (OSError, UnicodeError):
        return None
