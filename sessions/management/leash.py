"""
Run a program that ends with the process that started it, however that one ends.

``python -m sessions.management.leash program.py [argument …]``, with a pipe as standard input.
"""

import contextlib
import ctypes
import os
import runpy
import signal
import sys
import threading

# <linux/prctl.h>
PR_SET_PDEATHSIG = 1
PATIENCE_SECONDS = 5.0


def hold() -> None:
    """Have this process told to end as soon as standard input does, and see that it obeys."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    threading.Thread(target=_watch, name="leash", daemon=True).start()


def _watch() -> None:
    # The other end of the pipe is closed by the kernel when its process is gone.
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(PATIENCE_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    hold()
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
