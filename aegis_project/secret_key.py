"""The secret key of an installation that was given none."""

import contextlib
import os
import secrets
from pathlib import Path


def kept(home: Path) -> str:
    """The key that was made once and is kept in this folder."""
    path = home / "secret_key"
    if not path.exists():
        _make(path)
    return path.read_text().strip()


def _make(path: Path) -> None:
    # Linked when it is whole: of several processes that start together, one makes the key.
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with open(draft, "w", opener=_private) as file:
        file.write(secrets.token_urlsafe(50))
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
