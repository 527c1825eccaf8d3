"""The page of faults names a test for each, and the tests are there."""

import re
from fnmatch import fnmatch
from pathlib import Path

from tests.architecture import tree

NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+\*?)`")


def rows():
    lines = tree.text(Path("docs/faults.md")).splitlines()
    return [line for line in lines if line.startswith("| ")][1:]


def names_in(path):
    return re.findall(r"^(?:async )?def (test_\w+)\(", tree.text(Path(path)), re.MULTILINE)


def test_every_fault_has_a_test():
    assert [row for row in rows() if not NAMED.search(row)] == []
    assert len(rows()) >= 25


def test_every_test_that_the_page_names_is_there():
    named = [found for row in rows() for found in NAMED.findall(row)]

    assert [
        name for path, name in named if not any(fnmatch(one, name) for one in names_in(path))
    ] == []
