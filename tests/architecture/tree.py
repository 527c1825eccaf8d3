"""The files of the repository, as the tests of its shape see them."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("aegis_project", "components", "sessions", "streaming")
# Beside git, a checkout holds what nobody wrote.
UNWRITTEN = {".git", ".venv", ".aegis", "__pycache__", "node_modules"}


@cache
def files() -> list[Path]:
    """Every file that is part of the project, relative to its root."""
    if not (ROOT / ".git").exists():
        return sorted(
            path.relative_to(ROOT)
            for path in ROOT.rglob("*")
            if path.is_file() and not UNWRITTEN & set(path.relative_to(ROOT).parts)
        )
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 -- whichever git there is
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return sorted(Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file())


def modules() -> list[Path]:
    """The modules of the product; migrations are generated and left alone."""
    return [
        path
        for path in files()
        if path.suffix == ".py" and path.parts[0] in PACKAGES and "migrations" not in path.parts
    ]


def text(path: Path) -> str:
    return (ROOT / path).read_text()


def parsed(path: Path) -> ast.Module:
    return ast.parse(text(path))
