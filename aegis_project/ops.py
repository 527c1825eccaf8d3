"""Whether the server lives and whether it can serve."""

import threading

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from streaming import node as nodes


@require_safe
def healthz(_: HttpRequest) -> JsonResponse:
    """Answer as long as the process runs."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(_: HttpRequest) -> JsonResponse:
    """Say 200 when this process can serve, else 503; the body says what is wrong."""
    checks = {"database": _database(), "migrations": _migrations(), "node": _node()}
    is_ready = all(found == "ok" for found in checks.values())
    status = "ok" if is_ready else "unavailable"
    return JsonResponse({"status": status, "checks": checks}, status=200 if is_ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unreachable"
    return "ok"


def _migrations() -> str:
    try:
        return "ok" if _is_migrated() else "pending"
    except DatabaseError:
        return "unknown"


_migrated = threading.Event()


def _is_migrated() -> bool:
    # Reading the plan takes many queries; once applied, migrations do not go away.
    if not _migrated.is_set():
        executor = MigrationExecutor(connection)
        if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
            _migrated.set()
    return _migrated.is_set()


def _node() -> str:
    node = nodes.current()
    if node is None:
        return "not running"
    return "draining" if node.is_draining else "ok"
