"""Every test that docs/acceptance.md names is there, and it names those that carry their number."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "acceptance.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([A-Z]{1,2}\d+) \| .* \| (`.*`) \|$", DOCUMENT, re.MULTILINE)
NUMBERED = re.compile(r"def (test_((?:[a-z]{1,2}\d+_)+)\w+)")
KNOWN = {number for number, _ in ROWS}


@pytest.mark.parametrize(("number", "names"), ROWS, ids=[number for number, _ in ROWS])
def test_each_test_that_is_named_is_there(number: str, names: str):
    for name in re.findall(r"`([^`]+)`", names):
        path, _, function = name.partition("::")
        function = function or r"test_\w+"
        assert re.search(
            rf"^(?:async )?def {function}\(", (ROOT / path).read_text(), re.MULTILINE
        ), name


def test_each_number_stands_once():
    assert len(KNOWN) == len(ROWS)


def test_each_browser_test_with_a_number_of_the_list_is_named():
    named = set(re.findall(r"::(\w+)", DOCUMENT))
    lost = [
        function
        for path in (ROOT / "tests" / "browser").glob("test_*.py")
        for function, numbers in NUMBERED.findall(path.read_text())
        if {one.upper() for one in numbers.strip("_").split("_")} & KNOWN and function not in named
    ]

    assert lost == []
