"""The written architecture is what the code says."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from aegis_project import documents, node
from aegis_project.kit import states
from tests.architecture import tree

LINK = re.compile(r"\]\((?P<target>[^)#\s]+)(?:#[^)]*)?\)")


def test_the_drawn_pages_are_current():
    assert documents.stale() == [], "Run: python -m aegis_project.documents"


def test_every_machine_is_drawn():
    text = documents.states_page()
    cores = [path for path in tree.modules() if path.parts[1] == "core"]
    machines = [module for path in cores if hasattr(module := imported(path), "TRANSITIONS")]

    assert len(machines) >= 2
    assert [one.__name__ for one in machines if states.mermaid(one.TRANSITIONS) not in text] == []


def imported(path: Path) -> ModuleType:
    return importlib.import_module(".".join(path.with_suffix("").parts))


def test_the_page_of_the_architecture_names_every_job_of_a_process():
    text = tree.text(Path("docs/architecture.md"))
    _, _, section = text.partition("## One process")
    table = section.partition("\n\n##")[0]
    named = re.findall(r"^\| (\w+) \|", table, re.MULTILINE)

    assert named[1:] == sorted(named[1:], key=list(node.build()._jobs).index)
    assert set(named[1:]) == set(node.build()._jobs)


def test_links_between_pages_lead_somewhere():
    pages = [path for path in tree.files() if path.suffix == ".md"]

    assert {str(page): list(dead_links(page)) for page in pages if any(dead_links(page))} == {}


def dead_links(page: Path) -> Iterator[str]:
    for found in LINK.finditer(tree.text(page)):
        target = found["target"]
        is_inside = "://" not in target and not target.startswith("mailto:")
        if is_inside and not (tree.ROOT / page.parent / target).exists():
            yield target


def test_writing_the_pages_makes_them_current_and_checking_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(documents, "DIRECTORY", tmp_path)

    checked = documents.main(["--check"])
    assert (checked, list(tmp_path.iterdir())) == (1, [])

    assert documents.main([]) == 0
    assert documents.main(["--check"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(documents.PAGES)
    assert capsys.readouterr().out.splitlines() == [
        *(f"Stale: docs/{name}" for name in documents.PAGES),
        *(f"Written: docs/{name}" for name in documents.PAGES),
    ]
