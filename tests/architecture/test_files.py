"""What no file of the repository may hold."""

import re
from pathlib import Path

from tests.architecture import tree

# A place on somebody's machine, or a server that packages come from.
FORBIDDEN = re.compile(
    r"/(?:home|root|Users|work|mnt)/[\w.-]+"
    r"|[A-Z]:\\\\"
    r"|\b(?:[\w-]+\.)*(?:pypi\.(?:org|python\.org)|pythonhosted\.org|npmjs\.(?:org|com))\b"
    r"|--(?:extra-)?index-url[ =]https?:"
)


def test_no_file_names_a_place_on_a_machine_or_a_package_host():
    found = [f"{path}: {word}" for path in texts() for word in FORBIDDEN.findall(read(path))]

    assert found == []


def texts() -> list[Path]:
    # This file names them to look for them.
    return [path for path in tree.files() if path != Path(__file__).relative_to(tree.ROOT)]


def read(path: Path) -> str:
    try:
        return tree.text(path)
    except UnicodeDecodeError:
        return ""


def test_there_is_no_lock_that_names_hosts():
    assert [path for path in tree.files() if path.name in {"uv.lock", "poetry.lock"}] == []
