"""Whether there is room where the data lies, and the key there is nobody else's."""

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import connection

from aegis_project.health import Finding, State, check, mend

FREE_BYTES = 1024**3


@check
def home() -> Iterator[Finding]:
    """Whether what holds files and rows has room, and the secret key is nobody else's."""
    free = {name: shutil.disk_usage(place).free for name, place in places().items()}
    full = {name: left for name, left in free.items() if left < FREE_BYTES}
    for name, left in full.items():
        said = f"{left // 1024**2} MiB are free in {name}."
        yield Finding("home", State.WARNING, said, "Make room, or move AEGIS_HOME.")
    key = settings.ENVIRONMENT.home / "secret_key"
    if key.exists() and stat.S_IMODE(key.stat().st_mode) & 0o077:
        said = "Others on this machine can read the secret key."
        yield Finding("home", State.ERROR, said, "chmod 600 the file secret_key in AEGIS_HOME.")
    elif not full:
        least = min(free.values())
        yield Finding("home", State.OK, f"{least // 1024**3} GiB are free.")


def places() -> dict[str, Path]:
    """Where files and rows are on this machine, one of each file system, by what it is called."""
    home = settings.ENVIRONMENT.home
    wanted = {home.name: home, "the folder of files": home / "storage"}
    if connection.vendor == "sqlite":
        wanted["the folder of the database"] = Path(connection.settings_dict["NAME"]).parent
    there = {name: place for name, place in wanted.items() if place.is_dir()}
    # The first of those that share one stands for it.
    first = {place.stat().st_dev: name for name, place in reversed(there.items())}
    return {name: place for name, place in there.items() if name in first.values()}


@mend("home")
def close_key() -> str:
    """Let nobody else read the secret key; room has to be made by somebody."""
    key = settings.ENVIRONMENT.home / "secret_key"
    if key.exists():
        key.chmod(0o600)
    return "The secret key is its owner's alone."
