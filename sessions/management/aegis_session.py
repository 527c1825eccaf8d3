"""`aegis session`: making, listing and looking at sessions; the lever stands beside it."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from django.db.models import QuerySet
from django_typer.management import Typer

from sessions.core.lifecycle import CLOSED, Kind, State
from sessions.dialects import outlook
from sessions.management import (
    aegis_capsule,
    aegis_checkpoint,
    aegis_clock,
    aegis_compare,
    aegis_component,
    aegis_lever,
    aegis_tag,
    aegis_watch,
    far_making,
    far_sessions,
    named,
    output,
    session_assign,
    session_making,
    session_note,
    session_options,
    session_send,
    session_tables,
    session_waits,
    verbs,
    waiting,
)
from sessions.management.output import How
from sessions.management.session_options import (
    Attached,
    DialectOption,
    EnvironmentOption,
    KindOption,
    ModeOption,
    Names,
    Order,
    Reference,
    Sort,
    States,
    Timeout,
    Value,
    Wait,
)
from sessions.management.verbs import As, Json, Quiet, elsewhere, verb
from sessions.models import Session
from sessions.selectors import lists, sessions, tags
from sessions.services import creation, lifecycle
from streaming.selectors import pages

app: Typer[..., Any] = Typer(help="Sessions: make, list, start, pause, stop and end them.")


@app.command()
@verb
@elsewhere(far_making.create)
def create(
    name: Annotated[str, typer.Argument(help="Its name.")] = "",
    *,
    key: Annotated[str, typer.Option(help="Its key; its id without one.")] = "",
    template: Annotated[str, typer.Option(help="The template to make it from.")] = "",
    kind: KindOption = None,
    mode: ModeOption = None,
    environment: EnvironmentOption = None,
    agent: Annotated[str, typer.Option(help="The agent it is of.")] = "",
    team: Annotated[str, typer.Option(help="Its team.")] = "",
    context: Value = "",
    config: Value = "",
    metadata: Value = "",
    attach: Attached = [],  # noqa: B006 -- typer reads it and never changes it
    tag: Annotated[list[str], typer.Option("--tag", help="A tag to put on it.")] = [],  # noqa: B006 -- as above
    token: Annotated[bool, typer.Option("--token", help="Print a session token too.")] = False,
    start: Annotated[bool, typer.Option("--start", help="Start it at once.")] = False,
    wait: Wait = None,
    timeout: Timeout = 30.0,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Make a session.

    Examples: aegis session create demo --attach prices:feed --start --wait running;
    aegis session create replay --mode historical --config @source.json;
    aegis session create btc --template market-stream --start
    """
    principal = verbs.acting(as_user)
    said = session_making.Said(
        template=template,
        key=key,
        name=name,
        kind=kind,
        mode=mode,
        environment=environment,
        agent=agent,
        team=team,
        objects={
            "context": session_options.mapping(context, option="--context"),
            "config": session_options.mapping(config, option="--config"),
            "metadata": session_options.mapping(metadata, option="--metadata"),
        },
        expected=session_options.expected(attach, topics=[]),
        tags=tag,
    )
    made = session_making.make(principal, said, with_token=token)
    row = made.session
    if start:
        row = lifecycle.start(principal=principal, session=row).session
    if wait is not None:
        row = waiting.until(row, wait, timeout_seconds=timeout)
    [shown] = session_tables.shown([row])
    secret = {"session_token": made.secret} if made.secret else {}
    sentence = f"{output.state(row.state)}  {row.key}" + (f"\n{made.secret}" if secret else "")
    how = How(is_json, is_quiet)
    output.show_one(
        how, "session.create", {**shown, **secret}, identity=str(row.pk), sentence=sentence
    )


@app.command("list")
@verb
@elsewhere(far_sessions.several)
def several(
    *,
    state: States = "",
    kind: KindOption = None,
    search: Annotated[str, typer.Option(help="Text in the key, name or owner.")] = "",
    tag: Annotated[str, typer.Option(help="Only those that carry this tag.")] = "",
    waiting_for: Annotated[
        bool, typer.Option("--waiting", help="Only those that wait for somebody.")
    ] = False,
    mine: Annotated[bool, typer.Option("--mine", help="Only those that are yours.")] = False,
    closed: Annotated[bool, typer.Option("--closed", help="Closed ones too.")] = False,
    sort: Sort = Order.NEWEST,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    dialect: DialectOption = None,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    List sessions, the newest first; closed ones only if asked for.

    Examples: aegis session list --state running,failed; aegis session list --waiting --sort=-activity;
    aegis session list --dialect 001
    """
    principal = verbs.acting(as_user)
    rows = _narrowed(
        lists.readable(principal),
        states=session_options.states(state),
        kind=kind,
        search=search,
        tag=tag,
        is_waiting=waiting_for,
        closed=closed,
    )
    if mine:
        rows = lists.own(rows, principal)
    page = pages.page(rows, order=sort.field, cursor="", limit=limit)
    if page.next:
        output.say(f"There are more than {limit}; see --limit.")
    if dialect is not None:
        output.line(outlook.several(dialect, page.rows))
        return
    how, ids = How(is_json, is_quiet), [str(row.pk) for row in page.rows]
    waits = session_waits.here(principal, page.rows) if how.is_table else None
    output.show(
        how,
        "session.list",
        data=lambda: session_tables.shown(page.rows),
        ids=ids,
        table=lambda: session_tables.listed(page.rows, waits),
        has_more=bool(page.next),
    )
    if how.is_table:
        session_waits.tell(waits, ids)


def _narrowed(
    rows: QuerySet[Session],
    *,
    states: Sequence[State],
    kind: Kind | None,
    search: str,
    tag: str,
    is_waiting: bool,
    closed: bool,
) -> QuerySet[Session]:
    if states:
        rows = rows.filter(state__in=states)
    elif not closed:
        rows = rows.exclude(state__in=CLOSED)
    if kind is not None:
        rows = rows.filter(kind=kind)
    if search:
        rows = lists.mentioning(rows, search)
    if tag:
        rows = tags.carrying(rows, tag)
    return sessions.waiting(rows) if is_waiting else rows


@app.command()
@verb
@elsewhere(far_sessions.state)
def state(
    session: Reference,
    *,
    dialect: DialectOption = None,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Show a session and its components.

    Examples: aegis session state demo; aegis session state demo --dialect 001
    """
    principal = verbs.acting(as_user)
    principal.require("sessions:read")
    row = sessions.resolve(principal, session)
    if dialect is not None:
        session_tables.tell(dialect, row)
    elif is_json:
        [shown] = session_tables.shown([row])
        components = [aegis_component.shown(one) for one in row.components.order_by("created_at")]
        output.document("session.state", {**shown, "components": components})
    elif is_quiet:
        output.plain(row.state)
    else:
        output.tabulate(session_tables.card(row))
        output.tabulate(aegis_component.table(list(row.components.order_by("created_at"))))


@app.command()
@verb
@elsewhere(far_making.attach)
def attach(
    session: Reference,
    names: Names,
    *,
    required: Annotated[bool, typer.Option(help="Whether a start waits for them.")] = True,
    topics: Annotated[list[str], typer.Option("--topic", help="Topics it takes.")] = [],  # noqa: B006 -- see above
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Declare components that a session counts on; prints a session token.

    Examples: aegis session attach demo prices:feed watcher --topic 'klines.*';
    aegis session attach demo watcher --no-required --json
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="session.attach")
    expected = session_options.expected(names, required=required, topics=topics)
    done = creation.attach(principal=principal, session=row, expected=expected)
    [shown] = session_tables.shown([done.session])
    output.show_one(
        How(is_json, is_quiet),
        "session.attach",
        {**shown, "session_token": done.secret},
        identity=done.secret,
        sentence=done.secret,
    )


app.command("show", help="The same as state.")(state)
aegis_lever.add_to(app)
aegis_clock.add_to(app)
aegis_compare.add_to(app)
aegis_tag.add_to(app)
session_assign.add_to(app)
aegis_checkpoint.add_to(app)
aegis_capsule.add_to(app)
aegis_watch.add_to(app)
session_send.add_to(app)
session_note.add_to(app)
