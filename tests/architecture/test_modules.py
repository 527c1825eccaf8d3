"""How modules are written, as far as no linter knows it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture import tree

MAX_LINES = 300
SENTENCE_END = re.compile(r"[.!?](?=\s|$)")
INLINE = re.compile(r"# noqa: PLC0415 -- (?P<reason>.+)$")
REASONS = {"app ready", "slow import", "optional dependency"}


def test_no_module_is_longer_than_one_can_read_at_once():
    lengths = {str(path): len(tree.text(path).splitlines()) for path in tree.modules()}

    assert {path: lines for path, lines in lengths.items() if lines > MAX_LINES} == {}


def test_every_module_says_in_one_sentence_what_it_is_for():
    assert [str(path) for path in tree.modules() if not says_what_it_is_for(path)] == []


def says_what_it_is_for(path: Path) -> bool:
    module = tree.parsed(path)
    if not module.body:
        return path.name == "__init__.py"
    sentence = " ".join((ast.get_docstring(module) or "").split("\n\n")[0].split())
    return sentence.endswith((".", "!", "?", "``.")) and len(SENTENCE_END.findall(sentence)) == 1


def test_imports_inside_functions_have_a_reason_of_the_list():
    assert [place for path in tree.modules() for place in unexplained(path)] == []


def unexplained(path: Path) -> Iterator[str]:
    lines = tree.text(path).splitlines()
    for node in ast.walk(tree.parsed(path)):
        if isinstance(node, ast.Import | ast.ImportFrom) and node.col_offset:
            line = lines[node.lineno - 1]
            reason = INLINE.search(line)
            is_explained = reason is not None and reason["reason"] in REASONS
            if not is_explained and not stands_at_the_top(node, tree.parsed(path)):
                yield f"{path}:{node.lineno}: {line.strip()}"


def stands_at_the_top(node: ast.Import | ast.ImportFrom, module: ast.Module) -> bool:
    """Whether an indented import only stands in an ``if`` or ``try`` of the module itself."""
    return any(
        inner.lineno == node.lineno
        for outer in module.body
        if isinstance(outer, ast.If | ast.Try)
        for inner in outer.body
    )
