"""Static files, found once for all clients of a process."""

from typing import Any

from aegis_project.handler import Files


def install() -> None:
    """Each client makes the middleware anew, and each would look through all folders again."""
    find = Files.add_files_from_finders
    found: dict[str, Any] = {}

    def add(files: Files) -> None:
        if not found:
            find(files)
            found.update(files.files)
        files.files.update(found)

    Files.add_files_from_finders = add
