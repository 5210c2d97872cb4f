"""Addresses of providers: one spelling for one server, and where we may call."""

import re
import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from models_registry.providers.reach import Reach, carried, is_metadata_name, reach_of

DEFAULT_PORTS = {"http": 80, "https": 443}
# What no URL holds (RFC 3986); blanks and controls among it are dropped or sent on, depending on who reads it.
STRANGE = re.compile(r"""[\s\x00-\x1f\x7f"<>\\^`{|}]""")


def server_key(url: str) -> str:
    """`host:port/path` in one spelling, so that two ways to write a server's URL are found equal."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower().rstrip(".")
    host = _as_address(host)
    host = {"localhost": "127.0.0.1", "::1": "127.0.0.1"}.get(host, host)
    return f"{host}:{parts.port or DEFAULT_PORTS.get(parts.scheme, 0)}{parts.path.rstrip('/')}"


def _as_address(host: str) -> str:
    """An IP address in its usual form, also where it is written short or as one number; a name as it is."""
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeError):
        pass
    try:
        return str(carried(ip_address(host)))
    except ValueError:
        return host


def problem_with(url: str, *, allow_private_network: bool) -> str:
    """Why we may not call `url`, or "".

    Link-local and other cloud metadata addresses are refused always, and what is not public unless allowed.
    """
    try:
        parts = urlsplit(url)
        port_ok = parts.port is None or 0 < parts.port < 65536
    except ValueError:
        return _("This is not a URL.")
    if STRANGE.search(url):
        return _("This is not a URL.")
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or not port_ok:
        return _("Give a URL that starts with http:// or https:// and names a host.")
    if parts.username or parts.password or parts.query or parts.fragment:
        return _("Leave user names, passwords, queries and fragments out of the URL.")
    reaches = _reaches(parts.hostname)
    if Reach.FORBIDDEN in reaches:
        return _("Link-local, metadata, multicast and unspecified addresses are never called.")
    if Reach.PRIVATE in reaches and not allow_private_network:
        return _("This is a private address: allow it with “may be on a private network”.")
    return ""


def _reaches(host: str) -> set[Reach]:
    """What kinds of places `host` stands for; empty where it does not resolve (a check will tell)."""
    if is_metadata_name(host):
        return {Reach.FORBIDDEN}
    try:
        found = socket.getaddrinfo(host.rstrip("."), None, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError):
        return set()
    return {reach_of(str(entry[4][0])) for entry in found}
