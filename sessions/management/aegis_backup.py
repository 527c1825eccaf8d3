"""`aegis backup|restore`: the whole instance as one file."""

from pathlib import Path
from typing import Annotated

import typer

from sessions.files.backups import Reader
from sessions.management import files, output, preparation, progress, verbs
from sessions.management.output import How, Misused
from sessions.management.verbs import As, Json, Quiet, verb
from sessions.services import backups


@verb
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to.")],
    *,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Write everything that this instance holds into one file, while it goes on.

    Examples: aegis backup /var/backups/aegis.backup; aegis backup nightly.aegis --json
    """
    principal, tells = verbs.acting(as_user), progress.told()
    try:
        with files.whole(file) as made:
            manifest = backups.write(principal=principal, file=made, progress=tells)
            size = made.tell()
    except OSError as error:
        raise Misused(f"{error.strerror}: {file}") from None
    held = sum(name.startswith("files/") for name in manifest.members)
    output.show_one(
        How(is_json, is_quiet),
        "backup",
        {"file": str(file), "digest": manifest.digest, "size": size, "files": held},
        identity=manifest.digest,
        sentence=f"{file}  {size} bytes  {held} files  {manifest.digest}",
    )


@verb
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")],
    *,
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Make an empty instance, on SQLite or PostgreSQL, the one of a backup.

    Examples: aegis restore /var/backups/aegis.backup; aegis restore nightly.aegis --json
    """
    try:
        opened = file.open("rb")
    except OSError as error:
        raise Misused(f"{error.strerror}: {file}") from None
    with opened:
        reader = Reader(opened, progress=progress.told())
        output.say(preparation.migrate())
        done = backups.restore(principal=verbs.acting(), reader=reader, progress=progress.told())
    if not done.can_unseal:
        output.say("The secrets in it were sealed with another AEGIS_SECRET_KEY: set that one.")
    digest = done.manifest.digest
    output.show_one(
        How(is_json, is_quiet),
        "restore",
        {"digest": digest, "rows": done.rows, "files": done.files, "unseals": done.can_unseal},
        identity=digest,
        sentence=f"{done.rows} rows  {done.files} files  {digest}",
    )
