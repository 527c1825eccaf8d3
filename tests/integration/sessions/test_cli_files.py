"""Files that commands write: whole or not at all, and nothing else is put in the place of a device."""

import os
import stat
from pathlib import Path

import pytest

from sessions.management import files


def test_a_file_is_there_when_it_is_whole(tmp_path: Path):
    wanted = tmp_path / "a"
    wanted.write_bytes(b"before")

    with files.whole(wanted) as made:
        made.write(b"after")
        assert wanted.read_bytes() == b"before"

    assert wanted.read_bytes() == b"after"
    assert stat.S_IMODE(wanted.stat().st_mode) == 0o600


def test_nothing_is_left_of_a_file_that_failed(tmp_path: Path):
    with pytest.raises(ZeroDivisionError), files.whole(tmp_path / "a") as made:
        made.write(bytes(1 // made.tell()))

    assert list(tmp_path.iterdir()) == []


def test_a_pipe_is_written_into_and_stays_a_pipe(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    with files.whole(pipe) as made:
        made.write(b"through")

    assert os.read(reader, 100) == b"through"
    assert pipe.is_fifo()
    os.close(reader)
