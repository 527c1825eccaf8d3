"""Analyzing a file in a process of its own, within memory and time that are fixed."""

import json
import logging
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aegis_project.kit.errors import ServiceUnavailable
from sessions.files.analyzers.base import Options

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-P", "-m", "sessions.files.analyzers.child")
WORK_SECONDS = 10
SECONDS = 120.0
"""From beginning to end, on a machine that has much else to do."""
WAIT_SECONDS = 30.0
AT_ONCE = 2
"""Files of one process of ours that are analyzed at the same time."""
TOO_MUCH = {
    "code": "PAYLOAD_TOO_LARGE",
    "message": "To analyze it takes more memory or time than there is for one file.",
}

_slots = threading.BoundedSemaphore(AT_ONCE)


def analyze(
    content: bytes, options: Options, *, work_seconds: int = WORK_SECONDS
) -> dict[str, Any]:
    """
    What a file is and holds, as :func:`sessions.files.analyzers.registry.analyze` tells it.

    Whatever the file does to those who read it, the answer comes within 150 seconds;
    ``processing_time_ms`` says how long the work took.

    :raises ServiceUnavailable: if others are analyzed for too long
    """
    if not _slots.acquire(timeout=WAIT_SECONDS):
        raise ServiceUnavailable("Other files are being analyzed.")
    try:
        begun = time.perf_counter()
        found = _run(content, options, work_seconds)
        took = round((time.perf_counter() - begun) * 1000, 1)
        return {**found, "processing_time_ms": took}
    finally:
        _slots.release()


def _run(content: bytes, options: Options, work_seconds: int) -> dict[str, Any]:
    asked = json.dumps(asdict(options)).encode() + b"\n"
    try:
        done = subprocess.run(  # noqa: S603 -- the command is ours
            (*COMMAND, str(work_seconds)),
            input=asked + content,
            capture_output=True,
            timeout=SECONDS,
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            check=True,
        )
        found: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return _refused(len(content), options)
    except (subprocess.CalledProcessError, ValueError) as error:
        told = getattr(error, "stderr", b"") or b""
        logger.info("A file could not be analyzed: %s", told[-500:].decode(errors="replace"))
        return _refused(len(content), options)
    return found


def _refused(size: int, options: Options) -> dict[str, Any]:
    return {
        "success": False,
        "analysis_type": options.kind,
        "analyzer": "generic",
        "format": "",
        "content_type": "application/octet-stream",
        "supported": False,
        "size": size,
        "content": "",
        "data": {},
        "error": dict(TOO_MUCH),
        "metadata": {},
    }
