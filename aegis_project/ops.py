"""Whether the server lives and whether it can serve."""

import threading

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from redis import Redis, RedisError

from streaming import node as nodes
from streaming.selectors import leases

PATIENCE = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}


@require_safe
def healthz(_: HttpRequest) -> JsonResponse:
    """Answer as long as the process runs."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(_: HttpRequest) -> JsonResponse:
    """
    Say 200 when this process can serve, else 503; the body says what is wrong.

    Without Valkey it is ``degraded`` and serves all the same: commands need only the database.
    """
    checks = {"database": _database(), "migrations": _migrations(), "node": _node()}
    checks["lease"] = _lease()
    is_ready = all(found == "ok" for found in checks.values())
    checks["layer"] = _layer()
    whole = "ok" if checks["layer"] == "ok" else "degraded"
    status = whole if is_ready else "unavailable"
    answer = JsonResponse({"status": status, "checks": checks}, status=200 if is_ready else 503)
    if not is_ready:
        answer["Retry-After"] = "1"
    return answer


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


def _lease() -> str:
    node = nodes.current()
    try:
        is_good = leases.is_good(node.lease_id if node is not None else None)
    except DatabaseError:
        return "unknown"
    return "ok" if is_good else "expired"


def _layer() -> str:
    url = settings.ENVIRONMENT.redis_url
    if not url:
        return "ok"
    try:
        with Redis.from_url(url, **PATIENCE) as store:
            store.ping()
    except RedisError:
        return "unreachable"
    return "ok"


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
