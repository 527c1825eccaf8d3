"""Every test that docs/acceptance.md names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "acceptance.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([A-Z]{1,2}\d+) \| .* \| (`.*`) \|$", DOCUMENT, re.MULTILINE)


@pytest.mark.parametrize(("number", "names"), ROWS, ids=[number for number, _ in ROWS])
def test_each_test_that_is_named_is_there(number: str, names: str):
    for name in re.findall(r"`([^`]+)`", names):
        path, _, function = name.partition("::")
        function = function or r"test_\w+"
        assert re.search(
            rf"^(?:async )?def {function}\(", (ROOT / path).read_text(), re.MULTILINE
        ), name


def test_each_number_stands_once():
    assert len({number for number, _ in ROWS}) == len(ROWS)
