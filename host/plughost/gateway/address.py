"""Where may the gateway listen, and which ``Host`` may a request name?

Without a token only this machine may speak to it: it listens on loopback
addresses, and refuses a request whose ``Host`` is another name, because a web
page can point a name of its own at 127.0.0.1 (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import Final

import attrs

from plughost.errors import ConfigError

__all__ = ["Address", "is_loopback_host", "is_same_origin", "listen", "parse_address"]

_MAX_PORT: Final = 65535  # RFC 793: 16 bits

# Requests that may wait to be accepted: the kernel's own bound since Linux 5.4.
_BACKLOG: Final = 4096

_FORM: Final = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<name>[^:\[\]]*)):(?P<port>[0-9]{1,5})")


@attrs.frozen
class Address:
    """A loopback address and a port; port 0 lets the kernel choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Return the address that *text* names.

    Raises:
        ConfigError: It is not HOST:PORT, or other machines could reach it.
    """
    found = _FORM.fullmatch(text)
    if found is None or int(found["port"]) > _MAX_PORT:
        raise ConfigError(
            f"{text!r} is not an address to listen on",
            hint="Write HOST:PORT, such as 127.0.0.1:8420 or [::1]:8420.",
        )
    host = found["six"] or found["name"] or ""
    if not _is_loopback(host):
        raise ConfigError(
            f"{text!r} is not a loopback address, and there is no token to keep others out",
            hint="Listen on 127.0.0.1, localhost or [::1]; "
            "let a reverse proxy with authentication face the network.",
        )
    return Address(host, int(found["port"]))


def listen(address: Address) -> socket.socket:
    """Return a socket that listens on *address*.

    Raises:
        ConfigError: Another program has it, or it cannot be had.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A restart must not wait for the old connections' TIME_WAIT.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as wrong:
        listener.close()
        raise ConfigError(
            f"cannot listen on {address}: {wrong.strerror or wrong}",
            hint="Choose another port with --listen, or 0 for any that is free.",
            errno=wrong.errno,
        ) from wrong
    return listener


def is_loopback_host(header: str) -> bool:
    """Tell whether a ``Host`` header names this machine, with or without a port."""
    found = re.fullmatch(r"(?:\[(?P<six>[^\]]*)\]|(?P<name>[^:\[\]]*))(?::[0-9]{1,5})?", header)
    return found is not None and _is_loopback(found["six"] or found["name"] or "")


def is_same_origin(origin: str, host_header: str) -> bool:
    """Tell whether a page of *origin* may ask for what it gets under *host_header*."""
    return origin.lower() == f"http://{host_header.lower()}"


def _is_loopback(host: str) -> bool:
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
