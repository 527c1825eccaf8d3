"""Reading and writing backups; the same kind of file as a capsule, without its bounds."""

from collections.abc import Iterable
from typing import IO

from aegis_project.kit.progress import Progress, silent
from sessions.core import backup
from sessions.core.backup import Manifest
from sessions.files.capsules import Filling, Proven


class Writer(Filling):
    """A backup that is being written."""

    def close(self, *, at: str, migrations: Iterable[str], probe: str) -> Manifest:
        """Write what proves the members."""
        manifest = Manifest(
            format=backup.FORMAT,
            version=backup.VERSION,
            at=at,
            migrations=sorted(migrations),
            probe=probe,
            digest=backup.digest(self.members),
            members=dict(sorted(self.members.items())),
        )
        self.prove(manifest)
        return manifest


class Reader(Proven[Manifest]):
    """
    A backup that somebody restores.

    Who may restore one has this machine already: it may be as large as the instance was.
    """

    most_members = backup.MAX_MEMBERS
    max_manifest_bytes = backup.MAX_MANIFEST
    max_line_bytes = 512 * 1024 * 1024
    is_bounded = False

    def __init__(self, file: IO[bytes], *, progress: Progress = silent) -> None:
        super().__init__(file, backup.read, what="backup", progress=progress)
