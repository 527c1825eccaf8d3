"""How a keeper is started, and what a program is given to live with."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings

from components.services.launches import Held
from components.services.processes import Order

# All that a program gets of the launcher's own environment; nothing of it is a secret.
HARMLESS = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ", "USER")
LINE_BYTES = 8192
LINES_PER_SECOND = 200
BUFFER_LINES = 2000


def folder() -> Path:
    """Where keepers leave their sockets and notes; nobody else may look into it."""
    path: Path = settings.ENVIRONMENT.home / "launches"
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def spawn(held: Held, order: Order, *, url: str) -> subprocess.Popen[bytes]:
    """Start a keeper, which starts the program unless a later order was carried out."""
    said = json.dumps(_said(held, order, url=url)).encode()
    with (folder() / f"{held.id.hex}.log").open("wb") as log:
        keeper = subprocess.Popen(  # noqa: S603 -- the command is ours
            [sys.executable, "-S", "-m", "components.launcher.keeper", folder(), held.id.hex],
            cwd=settings.BASE_DIR,
            env=harmless(),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            # It is to live on when the launcher is ended with all of its own group.
            start_new_session=True,
        )
    assert keeper.stdin is not None  # noqa: S101 -- asked for above
    try:
        keeper.stdin.write(said)
        keeper.stdin.close()
    except BrokenPipeError:
        # It did not come far; whoever looks for its socket finds none.
        return keeper
    return keeper


def _said(held: Held, order: Order, *, url: str) -> dict[str, Any]:
    told = {
        "AEGIS_URL": url,
        "AEGIS_SESSION_TOKEN": order.token,
        "AEGIS_COMPONENT_ID": held.component_id,
    }
    return {
        "attempt": order.attempt,
        "argv": order.argv,
        "directory": order.directory or str(settings.BASE_DIR),
        "environment": {**harmless(), **order.environment, **told},
        "secrets": [order.token],
        "grace_seconds": held.grace_seconds,
        "patience_seconds": settings.ENVIRONMENT.launcher_patience_seconds,
        "line_bytes": LINE_BYTES,
        "lines_per_second": LINES_PER_SECOND,
        "buffer_lines": BUFFER_LINES,
    }


def harmless() -> dict[str, str]:
    """The few variables that programs count on, without the settings and secrets of Aegis."""
    return {name: os.environ[name] for name in HARMLESS if name in os.environ}
