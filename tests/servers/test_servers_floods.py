"""Clients that send too much or too slowly cost a server little, and it goes on to answer."""

import pytest

from benchmarks import floods
from tests.serving import start_server

pytestmark = pytest.mark.timeout(150)


def test_floods_leave_the_server_small_and_answering():
    with start_server() as running:
        pid = running.process.pid

        found = [
            floods.run(one, url=running.url, pid=pid, clients=100, seconds=0.7)
            for one in floods.FLOODS
        ]

        assert all(result.asked == result.answered > 0 for result in found)
        assert all(result.grown <= floods.MOST_GROWN for result in found)
