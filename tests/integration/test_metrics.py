import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from sessions.core.lifecycle import State
from sessions.toolbox import timing
from streaming.models import AuditEntry
from tests import factories
from tests.calling import Caller, caller, code

pytestmark = pytest.mark.django_db

METRICS = "/metrics"
SEED_004 = {
    "session_created_total",
    "message_count_total",
    "tool_call_count_total",
    "llm_response_time_seconds",
    "tool_execution_time_seconds",
    "active_sessions_count",
    "pending_approvals_count",
}


def told(answer: Any) -> dict[str, float]:
    """The samples by name, each with its labels behind it."""
    found = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def scrape() -> dict[str, float]:
    answer = Caller().get(METRICS, host="localhost")
    assert answer.status_code == 200
    return told(answer)


def test_the_names_of_seed_004_are_there():
    text = Caller().get(METRICS, host="localhost").content.decode()
    named = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}

    assert named >= {name.removesuffix("_total") for name in SEED_004} or named >= SEED_004


def test_what_the_database_knows_is_read_at_once():
    factories.session_in(State.RUNNING)
    factories.session_in(State.PAUSED)
    factories.session_in(State.ENDED)

    found = scrape()

    assert found["active_sessions_count"] == 1
    assert found["aegis_sessions_open{state=paused}"] == 1
    assert found["aegis_sessions_open{state=failed}"] == 0
    assert found["aegis_runs_open{state=queued}"] == 0
    assert found["pending_approvals_count"] == 0
    assert found["aegis_audit_unsealed"] == AuditEntry.objects.filter(place=None).count() > 0


def test_requests_are_counted_by_their_place_in_the_routing_table_and_never_by_ids():
    program = caller(["sessions:read"])
    row = factories.session()
    before = scrape()

    program.get(f"/api/v1/sessions/{row.pk}")
    program.get(f"/api/v1/sessions/{timezone.now().timestamp()}")
    program.get("/nowhere/at/all")

    after = scrape()
    one = "aegis_http_requests_total{method=GET,route=api/v1/sessions/<str:session>,status=%s}"
    assert after[one % 200] - before.get(one % 200, 0) == 1
    assert after[one % 404] - before.get(one % 404, 0) == 1
    assert not any(str(row.pk) in name for name in after)


def test_what_was_refused_before_it_was_a_command_is_counted():
    name = "aegis_refusals_total{transport=rest,why=credential}"
    before = scrape().get(name, 0)

    Caller("aeg_nothing").get("/api/v1/sessions")

    assert scrape()[name] - before == 1


def test_from_elsewhere_it_takes_a_scope():
    away = {"REMOTE_ADDR": "192.0.2.7"}
    allowed, other = caller(["metrics:read"]), caller(["sessions:read"])

    def ask(who: Caller, **more: Any) -> Any:
        return who.client.get(METRICS, headers=who.headers, **more)

    assert code(ask(Caller(), **away)) == (401, "NOT_AUTHENTICATED")
    assert code(ask(other, **away)) == (403, "PERMISSION_DENIED")
    assert ask(allowed, **away).status_code == 200
    # A proxy on this machine asks for somebody elsewhere.
    assert ask(Caller(), HTTP_X_FORWARDED_FOR="192.0.2.7").status_code == 401


async def test_the_decorator_of_seed_004_times_what_it_wraps():
    @timing.track_time("llm_response", model="scripted")
    async def call_llm(words: str) -> str:
        return words.upper()

    name = "llm_response_time_seconds_count"
    before = _sample(name, model="scripted")

    assert await call_llm("well") == "WELL"
    assert _sample(name, model="scripted") == before + 1
    with pytest.raises(KeyError):
        timing.track_time("breathing")


def _sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


SEVERAL = """
import os, sys
import django
django.setup()
from streaming import metrics
metrics.published.inc(int(sys.argv[1]))
metrics.topics.set(int(sys.argv[1]))
if sys.argv[2] == "tell":
    from sessions.management.processes import forget
    forget(os.environ["PROMETHEUS_MULTIPROC_DIR"], int(sys.argv[3]))
    from aegis_project.metrics import _counted
    from prometheus_client import generate_latest
    print(os.getpid(), generate_latest(_counted()).decode())
else:
    print(os.getpid())
"""


def test_processes_of_one_address_count_together_and_who_is_gone_holds_nothing(tmp_path: Path):
    environment = {
        **os.environ,
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "aegis_project.settings",
    }

    def run(*words: str) -> str:
        command = [sys.executable, "-c", SEVERAL, *words]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout

    gone = run("3", "go").strip()
    text = run("4", "tell", gone)

    assert "aegis_published_records_total 7.0" in text
    assert "aegis_topics_open 4.0" in text
