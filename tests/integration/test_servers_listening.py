"""The socket that a server is given."""

import socket

import pytest

from sessions.management import listening
from sessions.management.listening import PortTaken

EVERYWHERE = "0.0.0.0"  # noqa: S104 -- nothing is bound to it here


def test_bound_socket_takes_connections_at_its_url():
    with listening.bind("127.0.0.1", 0) as listener:
        port = listening.port_of(listener)

        with socket.create_connection(("127.0.0.1", port)):
            assert listening.url_of(listener) == f"http://127.0.0.1:{port}"


def test_taken_port_is_refused():
    with listening.bind("127.0.0.1", 0) as first, pytest.raises(PortTaken):
        listening.bind("127.0.0.1", listening.port_of(first))


def test_near_a_taken_port_the_next_free_one_is_bound():
    with listening.bind("127.0.0.1", 0) as first:
        port = listening.port_of(first)

        with listening.bind_near("127.0.0.1", port) as second:
            assert port < listening.port_of(second) < port + listening.PORTS_TRIED


def test_address_of_another_machine_is_an_error_of_its_own():
    with pytest.raises(OSError, match="assign"):
        listening.bind("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("192.0.2.1", "http://192.0.2.1:80"),
        ("::1", "http://[::1]:80"),
        ("::", "http://[::1]:80"),
        (EVERYWHERE, "http://127.0.0.1:80"),
    ],
)
def test_url_is_the_one_that_this_machine_can_use(host, expected):
    assert listening.url(host, 80) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("localhost", True),
        ("::1", True),
        (EVERYWHERE, False),
        ("192.0.2.1", False),
        ("nowhere.invalid", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(host, expected):
    assert listening.is_loopback(host) is expected
