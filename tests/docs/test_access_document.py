"""docs/access.md names each scope, and what it lets somebody do."""

import re
from pathlib import Path

from components.core import scopes

DOCUMENT = (Path(__file__).parents[2] / "docs" / "access.md").read_text(encoding="utf-8")


def test_each_scope_stands_there_with_its_meaning():
    table = DOCUMENT.partition("| Scope | Lets somebody |")[2].partition("\n\n")[0]
    rows = dict(re.findall(r"^\| `(\w+:\w+)` \| (.*) \|$", table, re.MULTILINE))

    assert rows == scopes.MEANINGS
