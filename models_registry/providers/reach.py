"""Where a provider may be: never at a cloud's metadata, on a private network only where that is allowed.

A name is looked up when a provider is saved, and again for each new connection: it may stand for another
address by then.
"""

import ipaddress
from collections.abc import Iterable
from enum import Enum, auto
from typing import Any

from models_registry.providers.errors import ProviderUnavailable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Where clouds keep metadata and credentials outside the link-local range: AWS (all that is its instances' own),
# Google, Alibaba, Azure, Oracle.
METADATA = [
    ipaddress.ip_network(text)
    for text in ("fd00:ec2::/32", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
]
# What clouds call it. A proxy may know these names though we do not.
METADATA_NAMES = {
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
}
# IPv6 ranges whose last 32 bits are an IPv4 address: compatible, and translated (SIIT, NAT64 with both its prefixes).
CARRIERS = [ipaddress.IPv6Network(text) for text in ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")]


class Reach(Enum):
    """What kind of place an address is."""

    PUBLIC = auto()
    PRIVATE = auto()
    FORBIDDEN = auto()


def reach_of(text: str) -> Reach:
    """What kind of place an IP address is. Raises ValueError for what is none."""
    address = carried(ipaddress.ip_address(text))
    if address.is_link_local or address.is_multicast or address.is_unspecified or _is_metadata(address):
        return Reach.FORBIDDEN
    is_site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return Reach.PUBLIC if address.is_global and not is_site_local else Reach.PRIVATE


def _is_metadata(address: Address) -> bool:
    return any(address in network for network in METADATA)


def is_metadata_name(host: str) -> bool:
    """Whether a cloud's metadata service is called so."""
    return host.lower().rstrip(".") in METADATA_NAMES


def refuse_forbidden(addresses: Iterable[str], *, allow_private_network: bool) -> None:
    """Raise ProviderUnavailable when one of the IP addresses that a name stands for must not be called."""
    for address in addresses:
        reach = reach_of(address)
        if reach is Reach.FORBIDDEN or (reach is Reach.PRIVATE and not allow_private_network):
            raise ProviderUnavailable("its name leads to an address that must not be called")


def guarded(client: Any, *, allow_private_network: bool) -> Any:
    """A geventhttpclient that connects only where it may; raises ProviderUnavailable instead."""
    pool = client._connection_pool
    resolve = pool._resolve

    def resolve_and_check() -> Any:
        found = resolve()
        refuse_forbidden((place[0] for *_kind, place in found), allow_private_network=allow_private_network)
        return found

    pool._resolve = resolve_and_check
    return client


def carried(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to, where it does; else the address itself."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if any(address in carrier for carrier in CARRIERS) and not (address.is_loopback or address.is_unspecified):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
