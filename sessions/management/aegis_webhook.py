"""`aegis webhook`: addresses outside that hear of events, and what was sent there."""

from typing import Annotated, Any, Literal

import typer
from django_typer.management import Typer

from aegis_project.kit.principal import Principal
from sessions.management import named, there, verbs, webhook_tables
from sessions.management.listing import Limit
from sessions.management.output import How
from sessions.management.verbs import As, DryRun, Json, Quiet, Yes, elsewhere, verb
from sessions.management.webhook_tables import HOOK, SENT, SHAPE
from sessions.models import Webhook
from sessions.selectors import beginnings, teams
from sessions.selectors import webhooks as reading
from sessions.services import webhooks
from sessions.worker import webhook_trial

app: Typer[..., Any] = Typer(help="Webhooks: create and change them, see what was sent.")

Id = Annotated[str, typer.Argument(metavar="WEBHOOK", help="Its id, or the beginning of it.")]
Ids = Annotated[list[str], typer.Argument(metavar="WEBHOOK...", help="Ids.")]
Event = Annotated[
    list[str] | None,
    typer.Option("--event", metavar="TYPE", help="A type of events, or a pattern: approval.*"),
]


@app.command("list")
@verb
@elsewhere(there.listed(SHAPE, "webhooks"))
def several(
    *, limit: Limit = 100, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False
) -> None:
    """
    List webhooks, the newest first.

    Examples: aegis webhook list; aegis webhook list --limit 20 --json
    """
    rows = reading.readable(verbs.acting(as_user))
    SHAPE.newest(How(is_json, is_quiet), "list", rows, limit=limit)


@app.command()
@verb
@elsewhere(there.shown(SHAPE, *HOOK))
def show(webhook: Id, *, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    Show one webhook; its secret is not shown.

    Examples: aegis webhook show 5f0c…; aegis webhook show 5f0c… --json
    """
    SHAPE.one(How(is_json, is_quiet), "show", _found(verbs.acting(as_user), webhook))


@app.command()
@verb
@elsewhere(webhook_tables.far_create)
def create(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where it hears.")],
    *,
    event: Event = None,
    session: Annotated[str, typer.Option(help="Only of this session.")] = "",
    team: Annotated[str, typer.Option(help="Of all sessions of this team.")] = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Let an address hear of events from now on, and print its secret, this once.

    Examples: aegis webhook create https://example.com/aegis --event 'approval.*';
    aegis webhook create https://example.com/aegis --event 'run.*' --session demo
    """
    principal = verbs.acting(as_user)
    found = named.session(principal, session, of="webhook.define") if session else None
    made = webhooks.define(
        principal=principal,
        url=url,
        events=event or ["*"],
        team=found.team if found else teams.for_new(principal, team),
        session=found,
    )
    _tell_secret(How(is_json, is_quiet), "create", made)


@app.command()
@verb
@elsewhere(there.sent(SHAPE, "update", "PATCH", *HOOK, body=webhook_tables.changes))
def update(
    webhook: Id,
    *,
    url: Annotated[str, typer.Option(help="Where it hears.")] = "",
    event: Event = None,
    active: Annotated[bool | None, typer.Option("--active/--resting", help="Does it hear?")] = None,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Change a webhook; what is not said stays, and one that hears again is told what it missed.

    Examples: aegis webhook update 5f0c… --resting;
    aegis webhook update 5f0c… --event 'run.*' --event 'approval.*'
    """
    changes = webhook_tables.changes(url=url, event=event, active=active)
    principal = verbs.acting(as_user)
    one = beginnings.webhook(principal, webhook)
    changed = webhooks.change(principal=principal, webhook=one, changes=changes)
    SHAPE.one(How(is_json, is_quiet), "update", changed.webhook)


@app.command()
@verb
@elsewhere(webhook_tables.far_rotate)
def rotate(
    webhook: Id, *, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False
) -> None:
    """
    Sign with another secret from now on, and print it, this once.

    Examples: aegis webhook rotate 5f0c…; aegis webhook rotate 5f0c… --json
    """
    principal = verbs.acting(as_user)
    made = webhooks.rotate(principal=principal, webhook=beginnings.webhook(principal, webhook))
    _tell_secret(How(is_json, is_quiet), "rotate", made)


@app.command("test")
@verb
@elsewhere(webhook_tables.far_test)
def attempt(
    webhook: Id, *, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False
) -> None:
    """
    Send a signed test at once, and tell what came back; 9 when it was not taken.

    Examples: aegis webhook test 5f0c…; aegis webhook test 5f0c… --json
    """
    principal = verbs.acting(as_user)
    one = beginnings.webhook(principal, webhook)
    status, error = webhook_trial.send(principal=principal, webhook=one)
    found = {"is_taken": not error, "status": status, "error": error}
    webhook_tables.tell_trial(How(is_json, is_quiet), found)


@app.command()
@verb
@elsewhere(there.removed(SHAPE, *HOOK))
def remove(
    webhook: Ids,
    *,
    is_sure: Yes = False,
    is_dry: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Let addresses hear no more, and forget what was sent to them.

    Examples: aegis webhook remove 5f0c… --yes; aegis webhook remove 5f0c… 91ab… --dry-run
    """
    principal = verbs.acting(as_user)
    SHAPE.remove(
        How(is_json, is_quiet),
        webhook,
        read=lambda one: _found(principal, one),
        act=lambda one: (
            webhooks.remove(principal=principal, webhook=beginnings.webhook(principal, one)).webhook
        ),
        is_sure=is_sure,
        is_dry=is_dry,
    )


@app.command()
@verb
@elsewhere(there.listed(SENT, *HOOK, "deliveries", verb="deliveries"))
def deliveries(
    webhook: Id,
    *,
    state: Annotated[
        Literal["due", "sent", "failed", "all"], typer.Option(help="Only those in this state.")
    ] = "all",
    limit: Limit = 100,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    List what was sent to a webhook or is to be, the newest first.

    Examples: aegis webhook deliveries 5f0c… --state failed;
    aegis webhook deliveries 5f0c… --limit 5 --json
    """
    rows = reading.deliveries(_found(verbs.acting(as_user), webhook))
    if state != "all":
        rows = rows.filter(state=state)
    SENT.newest(How(is_json, is_quiet), "deliveries", rows, limit=limit)


@app.command()
@verb
@elsewhere(webhook_tables.far_redeliver)
def redeliver(
    webhook: Id,
    delivery: Annotated[
        str, typer.Argument(metavar="DELIVERY", help="Its id, or the beginning of it.")
    ],
    *,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Send a delivery again under its id, whatever became of it.

    Examples: aegis webhook redeliver 5f0c… 91ab…; aegis webhook redeliver 5f0c… 91ab… --json
    """
    principal = verbs.acting(as_user)
    of = beginnings.webhook(principal, webhook)
    one = beginnings.delivery(principal, of, delivery)
    again = webhooks.redeliver(principal=principal, webhook=of, delivery=one)
    SENT.one(How(is_json, is_quiet), "redeliver", again.delivery)


def _found(principal: Principal, webhook: str) -> Webhook:
    return reading.find(principal, beginnings.webhook(principal, webhook))


def _tell_secret(how: How, verb: str, made: webhooks.Made) -> None:
    row = {**SHAPE.document(made.webhook), "secret": made.secret}
    webhook_tables.tell_secret(how, verb, row)
