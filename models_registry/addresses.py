"""Addresses of providers: one spelling for one server, and where we may call."""

import ipaddress
import socket
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

DEFAULT_PORTS = {"http": 80, "https": 443}


def server_key(url: str) -> str:
    """`host:port/path` in one spelling, so that two ways to write a server's URL are found equal."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower().rstrip(".")
    host = {"localhost": "127.0.0.1", "::1": "127.0.0.1"}.get(host, host)
    return f"{host}:{parts.port or DEFAULT_PORTS.get(parts.scheme, 0)}{parts.path.rstrip('/')}"


def problem_with(url: str, *, allow_private_network: bool) -> str:
    """Why we may not call `url`, or "".

    Link-local addresses (cloud metadata) are refused always, loopback and private ranges unless allowed.
    """
    try:
        parts = urlsplit(url)
        port_ok = parts.port is None or 0 < parts.port < 65536
    except ValueError:
        return _("This is not a URL.")
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or not port_ok:
        return _("Give a URL that starts with http:// or https:// and names a host.")
    if parts.username or parts.password or parts.query or parts.fragment:
        return _("Leave user names, passwords, queries and fragments out of the URL.")
    for address in _addresses(parts.hostname):
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            return _("Link-local, multicast and unspecified addresses are never called.")
        if (address.is_private or address.is_loopback) and not allow_private_network:
            return _("This is a private address: allow it with “may be on a private network”.")
    return ""


def _addresses(host: str) -> set[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """What `host` stands for; empty where it does not resolve (a check will tell)."""
    try:
        found = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError):
        return set()
    addresses = {ipaddress.ip_address(entry[4][0]) for entry in found}
    return {getattr(address, "ipv4_mapped", None) or address for address in addresses}
