"""Where the gateway may listen."""

from __future__ import annotations

import socket

import pytest

from plughost.errors import ConfigError
from plughost.gateway.address import Address, listen, parse_address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8420", "127.0.0.1", 8420),
        ("127.1.2.3:1", "127.1.2.3", 1),
        ("localhost:0", "localhost", 0),
        ("[::1]:65535", "::1", 65535),
    ],
)
def test_a_loopback_address_is_taken(text: str, host: str, port: int) -> None:
    address = parse_address(text)

    assert (address.host, address.port) == (host, port)
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["0.0.0.0:80", "[::]:80", "10.0.0.1:80", "example.com:80", ":80", "*:80", "[::2]:1"]
)
def test_an_address_that_others_could_reach_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not a loopback address") as refused:
        parse_address(text)

    assert "127.0.0.1" in refused.value.hint


@pytest.mark.parametrize(
    "text", ["", "8420", "localhost", "127.0.0.1:", "::1:80", "a:b", "h:99999"]
)
def test_what_is_no_address_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ConfigError, match="is not an address") as refused:
        parse_address(text)

    assert "HOST:PORT" in refused.value.hint


def test_a_port_in_use_is_an_error_that_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address("127.0.0.1", taken.getsockname()[1])

        with pytest.raises(ConfigError, match="Address already in use") as refused:
            listen(address)

    assert "another port" in refused.value.hint
