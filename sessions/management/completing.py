"""
What may stand where somebody presses TAB: read from a cache, without Django, in milliseconds.

A program of its own, started by the shell: ``completing.py CACHE REFRESH WORD... CURRENT``, where
REFRESH is the command that makes the cache anew. It never says anything but candidates.
"""

import json
import os
import sys
import time
from typing import Any

# After so many seconds what is known is still told, and made anew beside that.
FRESH_SECONDS = 30.0
# Whoever makes it anew is given so long before somebody else tries.
PATIENCE_SECONDS = 60.0

Command = dict[str, Any]


def candidates(cache: dict[str, Any], words: list[str], current: str) -> list[str]:
    """
    The words that may stand behind ``words`` and begin as ``current`` does, in their order.

    ``cache["commands"]`` holds for each noun its verbs, for a command its ``options`` (null for a
    flag, else what its value is) and ``arguments``; ``cache["values"]`` what there is of each kind.
    """
    node, rest = cache["commands"], list(words)
    while rest and "options" not in node:
        node = node.get(rest.pop(0))
        if node is None:
            return []
    found = _of_command(node, rest, current) if "options" in node else list(node)
    if isinstance(found, str):
        found = cache["values"].get(found, [])
    return [word for word in found if word.startswith(current)]


def _of_command(node: Command, words: list[str], current: str) -> list[str] | str:
    """The candidates of a command, or the kind of thing that is wanted."""
    options = node["options"]
    if words and options.get(words[-1]) is not None:
        kind: list[str] | str = options[words[-1]]
        return kind
    if current.startswith("-"):
        return [name for name in options if name.startswith("--") and name not in words]
    arguments = node["arguments"]
    place = _place(options, words)
    if place < len(arguments):
        return _kind(arguments[place])
    return _kind(arguments[-1]) if arguments and arguments[-1].get("many") else []


def _kind(argument: Command) -> list[str] | str:
    kind: list[str] | str = argument["kind"]
    return kind


def _place(options: Command, words: list[str]) -> int:
    """How many arguments there are among words."""
    is_value, count = False, 0
    for word in words:
        if not is_value and not word.startswith("-"):
            count += 1
        is_value = not is_value and options.get(word) is not None
    return count


def main(file: str, refresh: str, words: list[str]) -> None:
    """Print the candidates for the last of words; have the cache made anew if it is old."""
    age = _age(file)
    if age is None or age > FRESH_SECONDS:
        _refresh(file, refresh)
    if age is not None:
        with open(file) as text:
            sys.stdout.write("\n".join(candidates(json.load(text), words[:-1], words[-1])))


def _age(file: str) -> float | None:
    try:
        return time.time() - os.stat(file).st_mtime
    except OSError:
        return None


def _refresh(file: str, command: str) -> None:
    """Start what makes the cache anew, unless somebody just did."""
    begun = f"{file}.begun"
    age = _age(begun)
    if age is not None and age < PATIENCE_SECONDS:
        return
    with open(begun, "w"):
        pass
    words = json.loads(command)
    silent = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    os.posix_spawn(words[0], words, os.environ, file_actions=silent, setsid=True)


if __name__ == "__main__":
    # Whatever is wrong, somebody is in the middle of a line.
    try:
        main(sys.argv[1], sys.argv[2], sys.argv[3:])
    except Exception:  # noqa: BLE001 -- see above
        sys.exit(1)
