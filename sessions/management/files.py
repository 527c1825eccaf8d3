"""Files that commands write."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def whole(file: Path) -> Iterator[IO[bytes]]:
    """
    A file to write that is there wholly or not at all, readable by its owner alone.

    A device or a pipe is written into, and stays what it is.
    """
    if file.exists() and not file.is_file():
        with file.open("wb") as opened:
            yield opened
        return
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as made:
        try:
            yield made
            made.flush()
            os.replace(made.name, file)
        except BaseException:
            Path(made.name).unlink(missing_ok=True)
            raise
