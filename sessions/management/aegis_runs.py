"""`aegis runs`: what agents do."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from django_typer.management import Typer

from sessions.api import run_documents as documents
from sessions.core.runs import State
from sessions.management import far_runs, named, output, verbs
from sessions.management.output import How
from sessions.management.verbs import As, Json, Quiet, elsewhere, verb
from sessions.models import Run
from sessions.selectors import agents, beginnings, sessions
from sessions.selectors import runs as reading
from sessions.services import runs
from streaming.api import codecs
from streaming.selectors import pages

app: Typer[..., Any] = Typer(help="Runs: list, show, start, cancel them and raise their limits.")

Id = Annotated[str, typer.Argument(metavar="RUN", help="Its id, or the beginning of it.")]
Name = Annotated[str, typer.Argument(metavar="SESSION", help="Its id or key.")]
OfSession = Annotated[str, typer.Option("--session", help="Only those of this session.")]
Of = Annotated[list[State], typer.Option("--state", help="Only those in this state.")]
Whole = typer.Option(min=0)


@app.command("list")
@verb
@elsewhere(far_runs.several)
def several(
    *,
    session: OfSession = "",
    state: Of = [],  # noqa: B006 -- typer reads it and never changes it
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    List runs, the newest first.

    Examples: aegis runs list --session demo --state waiting; aegis runs list --limit 20 --json
    """
    principal = verbs.acting(as_user)
    rows = reading.readable(principal)
    if session:
        rows = rows.filter(session=sessions.resolve(principal, session))
    if state:
        rows = rows.filter(state__in=[one.value for one in state])
    page = pages.page(rows, order="-created_at", cursor="", limit=limit)
    if page.next:
        output.say(f"There are more than {limit}; see --limit.")
    output.show(
        How(is_json, is_quiet),
        "runs.list",
        data=lambda: [shown(one) for one in page.rows],
        ids=[str(one.pk) for one in page.rows],
        table=lambda: table(page.rows),
        has_more=bool(page.next),
    )


@app.command()
@verb
@elsewhere(far_runs.show)
def show(run: Id, *, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    Show where a run stands and what it used.

    Examples: aegis runs show 5f0c…; aegis runs show 5f0c… --json
    """
    principal = verbs.acting(as_user)
    tell(
        How(is_json, is_quiet), "runs.show", reading.read(principal, beginnings.run(principal, run))
    )


@app.command()
@verb
@elsewhere(far_runs.start)
def start(
    session: Name,
    *,
    agent: Annotated[str, typer.Option(help="Another agent than the session's.")] = "",
    task: Annotated[str, typer.Option(help="A label.")] = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Let an agent go on with a conversation.

    Examples: aegis runs start demo --agent assistant; aegis runs start demo --task report --json
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="run.create")
    found = agents.find(principal, agent or row.agent or agents.ASSISTANT)
    made = runs.request(principal=principal, session=row, agent=found, task=task)
    tell(How(is_json, is_quiet), "runs.start", made)


@app.command()
@verb
@elsewhere(far_runs.cancel)
def cancel(
    run: Id,
    *,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Cancel a run, and what it began.

    Examples: aegis runs cancel 5f0c… --reason 'Not needed any more.';
    aegis runs cancel 5f0c… --json
    """
    principal = verbs.acting(as_user)
    done = runs.cancel(principal=principal, run=beginnings.run(principal, run), reason=reason)
    tell(How(is_json, is_quiet), "runs.cancel", done)


@app.command()
@verb
@elsewhere(far_runs.limits)
def limits(
    run: Id,
    *,
    max_steps: Annotated[int | None, Whole] = None,
    max_seconds: Annotated[int | None, Whole] = None,
    max_tokens: Annotated[int | None, Whole] = None,
    max_cost: Annotated[float | None, typer.Option(min=0, help="US dollars.")] = None,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Change what a run may use; one that waits for its budget looks again whether it may go on.

    Examples: aegis runs limits 5f0c… --max-tokens 100000;
    aegis runs limits 5f0c… --max-steps 20 --max-cost 0.5
    """
    given = {
        "max_steps": max_steps,
        "max_seconds": max_seconds,
        "max_tokens": max_tokens,
        "max_cost": max_cost,
    }
    principal = verbs.acting(as_user)
    changed = runs.raise_limits(
        principal=principal,
        run=beginnings.run(principal, run),
        limits={name: value for name, value in given.items() if value is not None},
    )
    tell(How(is_json, is_quiet), "runs.limits", changed)


def tell(how: How, name: str, row: Run) -> None:
    """One run in the form that was asked for."""
    why = f"  {row.error['code']}: {row.error['message']}" if row.error else ""
    sentence = f"{row.pk}  {row.agent_slug}  {_state(row)}{why}"
    output.show_one(how, name, shown(row), identity=str(row.pk), sentence=sentence)


def shown(row: Run) -> dict[str, Any]:
    """A run as every interface shows it."""
    return codecs.show(documents.run(row))


def table(rows: Sequence[Run]) -> dict[str, list[str]]:
    """The columns of a list of runs."""
    return {
        "RUN": [str(row.pk) for row in rows],
        "AGENT": [row.agent_slug for row in rows],
        "STATE": [_state(row) for row in rows],
        "TOKENS": [str(row.token_count) for row in rows],
        "COST": [f"{row.cost:f}" for row in rows],
        "AGE": [output.age(row.created_at) for row in rows],
    }


def _state(row: Run) -> str:
    return f"{row.state} for {row.waiting_for}" if row.waiting_for else row.state
