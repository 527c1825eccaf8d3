"""The process in which one file is analyzed: what goes wrong in it ends with it."""

import json
import resource
import sys

from sessions.files.analyzers import registry
from sessions.files.analyzers.base import Options

MAX_MEMORY = 1024 * 1024 * 1024
LIMITS = {
    resource.RLIMIT_AS: MAX_MEMORY,
    # It reads one file and answers one line: nothing is written anywhere.
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_CORE: 0,
}
TOO_MUCH = 3
"""How it ends when its memory is used up."""


def main() -> int:
    """
    Analyze what comes on standard input, beneath a line with what is wanted.

    The one argument is how many seconds of work there are, which waiting does not use up.
    """
    seconds = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    for name, most in LIMITS.items():
        resource.setrlimit(name, (most, most))
    source = sys.stdin.buffer
    try:
        options = Options(**json.loads(source.readline()))
        found = registry.analyze(source.read(), options)
        sys.stdout.write(json.dumps(found, allow_nan=False, default=str))
    except MemoryError:
        return TOO_MUCH
    return 0


if __name__ == "__main__":
    sys.exit(main())
