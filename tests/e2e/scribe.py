"""A worker in a process of its own, beside servers on the same home, that writes what it is told."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from tests.serving import ROOT, Running


class Scribe:
    """The near end: one order a line, one answer a line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def ask(self, **order: Any) -> Any:
        """Let it carry out one order; what it answers."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "The scribe is gone."
        return json.loads(line)

    def begin(self, session: str, *, task: str = "") -> str:
        """A run in a session that this process works on, with its first entry; its id."""
        return str(self.ask(do="begin", session=session, task=task))

    def write(self, run: str, *entries: dict[str, Any]) -> int:
        """Entries of the run's log, in one transaction; the number of the last."""
        return int(self.ask(do="write", run=run, entries=entries))

    def say(self, run: str, *words: str) -> int:
        """Pieces of text."""
        return self.write(run, *({"type": "text", "text": word} for word in words))

    def again(self, run: str, *, keeps: int) -> int:
        """Another attempt, which keeps what was said up to there."""
        return int(self.ask(do="again", run=run, keeps=keeps))

    def end(self, run: str) -> int:
        """The run is completed."""
        return int(self.ask(do="end", run=run))


@contextlib.contextmanager
def beside(running: Running) -> Iterator[Scribe]:
    """A scribe on the home of a server."""
    command = [sys.executable, "-m", "tests.e2e.scribe"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**running.environment, "DJANGO_SETTINGS_MODULE": "aegis_project.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Scribe(process)
        finally:
            process.kill()


def _serve() -> None:
    import django  # noqa: PLC0415 -- app ready

    django.setup()
    for line in sys.stdin:
        order = json.loads(line)
        done = globals()[f"_{order.pop('do')}"](**order)
        sys.stdout.write(json.dumps(done) + "\n")
        sys.stdout.flush()


def _begin(session: str, task: str) -> str:
    from aegis_project import database  # noqa: PLC0415 -- app ready
    from sessions.core.run_log import Start  # noqa: PLC0415 -- app ready
    from sessions.models import Run, Session  # noqa: PLC0415 -- app ready
    from sessions.selectors import agents  # noqa: PLC0415 -- app ready
    from sessions.services import run_log, runs  # noqa: PLC0415 -- app ready
    from tests import factories  # noqa: PLC0415 -- app ready

    with database.atomic():
        row = Session.objects.locked(session)
        agent = agents.assistant()
        run = runs.admit(row, agent=agent, principal=factories.OPERATOR, task=task)
        # In the same transaction, so that no worker of a server can take it.
        lease = factories.lease(seconds=600)
        Run.objects.filter(pk=run.pk).update(state="working", fence=1, lease=lease, attempt=1)
        run.refresh_from_db()
        start = Start(run=str(run.pk), agent=agent.slug, attempt=1, keeps=0, task=task)
        run_log.append(run, [start])
    return str(run.pk)


def _write(run: str, entries: list[dict[str, Any]]) -> int:
    import msgspec  # noqa: PLC0415 -- as the others

    from sessions.core.run_log import AnyEntry  # noqa: PLC0415 -- app ready
    from sessions.services import run_log  # noqa: PLC0415 -- app ready

    found = msgspec.convert(entries, list[AnyEntry])
    return run_log.write(UUID(run), fence=1, entries=found)


def _again(run: str, keeps: int) -> int:
    from sessions.models import Run  # noqa: PLC0415 -- app ready

    row = Run.objects.get(pk=run)
    row.attempt += 1
    row.save(update_fields=["attempt"])
    start = {"run": run, "agent": row.agent_slug, "attempt": row.attempt, "keeps": keeps}
    return _write(run, [{"type": "start", **start}])


def _end(run: str) -> int:
    from sessions.models import Run  # noqa: PLC0415 -- app ready

    usage = {"input_tokens": 3, "output_tokens": 4, "requests": 1}
    end = {"type": "end", "state": "completed", "message": None, "finish_reason": "stop"}
    last = _write(run, [{**end, "usage": usage}])
    Run.objects.filter(pk=run).update(state="completed", lease=None)
    return last


if __name__ == "__main__":
    _serve()
