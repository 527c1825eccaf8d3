"""What docs/security.md maps to tests is there."""

import re

from tests.architecture import tree

ROW = re.compile(r"^\| (?P<item>\d+\.\d+\.\d+) \| (?P<what>.+?) \| (?P<proof>.+) \|$", re.MULTILINE)
PATH = re.compile(r"tests/[\w/]+\.py")
# How many items of level 1 each chapter has, and the sections whose level 2 is mapped, too.
LEVEL_1 = {1: 8, 2: 4, 3: 8, 4: 2, 5: 4, 6: 13, 7: 6, 8: 4, 9: 4, 10: 5, 11: 3, 12: 3}
LEVEL_1 |= {13: 1, 14: 2, 15: 3}
LEVEL_2 = {4: 8, 5: 5, 6: 22, 8: 3}


def rows() -> list[re.Match[str]]:
    return list(ROW.finditer((tree.ROOT / "docs" / "security.md").read_text()))


def test_every_test_that_is_named_exists():
    named = {path for row in rows() for path in PATH.findall(row["proof"])}

    assert named
    assert {path for path in named if not (tree.ROOT / path).is_file()} == set()


def test_every_item_stands_there_once_with_a_test_or_a_reason():
    items = [row["item"] for row in rows()]
    chapters = [int(item.partition(".")[0]) for item in items]
    wanted = {number: LEVEL_1[number] + LEVEL_2.get(number, 0) for number in LEVEL_1}

    assert len(items) == len(set(items))
    assert {number: chapters.count(number) for number in wanted} == wanted
    assert all(len(row["proof"]) >= 8 for row in rows())
