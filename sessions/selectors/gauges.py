"""What is true of all processes at a moment, for the metrics."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db.models import Count, Min, QuerySet
from django.utils import timezone

from sessions.core import lifecycle
from sessions.core.lifecycle import State
from sessions.core.runs import OPEN
from sessions.models import Delivery, Run, Session
from sessions.selectors import approvals
from streaming.models import Lease
from streaming.selectors import audit


@dataclass(frozen=True, slots=True)
class Gauge:
    """A name and help for Prometheus, and values by the words of one label, or by nothing."""

    name: str
    help: str
    values: Mapping[str, float]
    label: str = ""


# By name: what it says, and its label if it has one.
HELP = {
    "active_sessions_count": ("Sessions that run.", ""),
    "pending_approvals_count": ("Tool calls that somebody has to decide on.", ""),
    "aegis_sessions_open": ("Sessions that are not closed, by state.", "state"),
    "aegis_runs_open": ("Runs that are not over, by state.", "state"),
    "aegis_webhook_deliveries_due": ("Deliveries that are due or waiting to be tried again.", ""),
    "aegis_webhook_lateness_seconds": ("How long the oldest due delivery has been due.", ""),
    "aegis_audit_unsealed": ("Entries of the audit that are not in its chain yet.", ""),
    "aegis_processes": ("Processes whose lease is good.", ""),
}


def read() -> Iterator[Gauge]:
    """All of them, in a query each."""
    sessions = _sessions()
    values: dict[str, Mapping[str, float]] = {
        "active_sessions_count": {"": sessions[State.RUNNING.value]},
        "pending_approvals_count": {"": approvals.pending_count()},
        "aegis_sessions_open": sessions,
        "aegis_runs_open": _runs(),
        "aegis_webhook_deliveries_due": {"": _due().count()},
        "aegis_webhook_lateness_seconds": {"": webhook_lateness()},
        "aegis_audit_unsealed": {"": audit.unsealed_count()},
        "aegis_processes": {"": Lease.objects.filter(expires_at__gt=timezone.now()).count()},
    }
    for name, found in values.items():
        text, label = HELP[name]
        yield Gauge(name, text, found, label)


def _sessions() -> dict[str, int]:
    rows = Session.objects.open().values_list("state").annotate(Count("pk"))
    return {state.value: 0 for state in State if state in lifecycle.OPEN} | dict(rows)


def _runs() -> dict[str, int]:
    rows = Run.objects.filter(state__in=OPEN).values_list("state").annotate(Count("pk"))
    return {state.value: 0 for state in OPEN} | dict(rows)


def webhook_lateness() -> float:
    """Since how many seconds the oldest delivery has been due."""
    first = _due().aggregate(first=Min("next_at"))["first"]
    return max((timezone.now() - first).total_seconds(), 0.0) if first else 0.0


def _due() -> QuerySet[Delivery]:
    return Delivery.objects.filter(state="due", webhook__is_active=True)
