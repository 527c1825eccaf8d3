"""How a server tells its machine where it is, and is alone on its home."""

import os
import stat
import subprocess
import sys

import pytest

from sessions.management import address
from sessions.management.address import Address, HomeTaken


def test_address_is_private_and_read_back(tmp_path):
    written = Address(url="http://127.0.0.1:8000", pid=os.getpid(), token="secret")

    address.write(tmp_path, written)

    assert stat.S_IMODE((tmp_path / "server.json").stat().st_mode) == 0o600
    assert address.read(tmp_path) == written
    assert [file.name for file in tmp_path.iterdir()] == ["server.json"]


def test_address_of_a_dead_process_is_left_behind_and_not_read(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    written = Address(url="http://127.0.0.1:8000", pid=gone.pid, token="secret")

    address.write(tmp_path, written)

    assert address.read(tmp_path) is None
    assert address.left_behind(tmp_path) == written


@pytest.mark.parametrize("content", ["", "{", "[]", '{"url": "x"}'])
def test_address_file_that_says_nothing_is_no_address(tmp_path, content):
    (tmp_path / "server.json").write_text(content)

    assert address.read(tmp_path) is None


def test_removed_address_is_gone_and_removing_it_twice_is_fine(tmp_path):
    address.write(tmp_path, Address(url="", pid=os.getpid(), token=""))

    address.remove(tmp_path)
    address.remove(tmp_path)

    assert address.left_behind(tmp_path) is None


def test_home_is_held_by_one_at_a_time(tmp_path):
    with address.held(tmp_path), pytest.raises(HomeTaken), address.held(tmp_path):
        pass

    with address.held(tmp_path):
        pass
