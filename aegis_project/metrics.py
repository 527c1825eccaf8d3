"""`/metrics`: what processes counted, and what is the same for all of them."""

import os
from collections.abc import Iterable

from django.http import HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client import multiprocess as several
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import Collector
from rest_framework.request import Request
from rest_framework.views import APIView

from aegis_project.kit.errors import NotAuthenticated
from aegis_project.kit.principal import Principal
from components import auth
from components.core.scopes import METRICS
from sessions.selectors import gauges
from streaming.api.base import ByParameter

ENDINGS = {"counter": "_total"}
# Set by whoever starts several processes on one socket; each counts into files there.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"


class Shared(Collector):
    """What the database knows, which is the same whichever process is asked."""

    def collect(self) -> Iterable[Metric]:
        for gauge in gauges.read():
            found = GaugeMetricFamily(
                gauge.name, gauge.help, labels=[gauge.label] * bool(gauge.label)
            )
            for word, value in gauge.values.items():
                found.add_metric([word] * bool(gauge.label), value)
            yield found


class Metrics(APIView):
    """For Prometheus: from this machine for everybody, from elsewhere with the scope metrics:read."""

    schema = None
    permission_classes = ()
    content_negotiation_class = ByParameter

    def get(self, request: Request) -> HttpResponse:
        """Everything, in the text format."""
        if not _is_here(request):
            _check(request)
        shared = CollectorRegistry()
        shared.register(Shared())
        text = generate_latest(_counted()) + generate_latest(shared)
        return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _is_here(request: Request) -> bool:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return not auth.refusal_of_open(client=request.META.get("REMOTE_ADDR", ""), headers=headers)


def _check(request: Request) -> None:
    if not isinstance(request.auth, Principal):
        raise NotAuthenticated
    request.auth.require(METRICS)


def _counted() -> CollectorRegistry:
    if FOLDER not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    several.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # it has no types
    return registry


def described() -> list[list[str]]:
    """Name, kind, labels and meaning of all that is said, by name."""
    counted = [
        [
            f"{one._name}{ENDINGS.get(str(one._type), '')}",
            str(one._type),
            ", ".join(one._labelnames),
            one._documentation,
        ]
        for one in set(REGISTRY._collector_to_names)
        if isinstance(one, MetricWrapperBase)
    ]
    shared = [[name, "gauge", label, text] for name, (text, label) in gauges.HELP.items()]
    return sorted([*counted, *shared])
