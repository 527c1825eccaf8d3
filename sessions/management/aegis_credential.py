"""`aegis credential`: secrets for programs."""

from datetime import timedelta
from typing import Annotated, Any

import typer
from django.utils import timezone
from django_typer.management import Typer

from components import selectors
from components.api import documents
from components.models import Credential
from components.services import credentials
from components.services.credentials import Issued
from sessions.management import far_credentials, output, verbs
from sessions.management.output import How
from sessions.management.verbs import As, Json, Quiet, Yes, elsewhere, verb
from streaming.api import codecs
from streaming.selectors import pages

app: Typer[..., Any] = Typer(help="Credentials: secrets with which programs come in.")


@app.command()
@verb
@elsewhere(far_credentials.issue)
def issue(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    *,
    scope: Annotated[
        list[str],
        typer.Option("--scope", help="A scope, such as sessions:read; docs/access.md has all."),
    ],
    pattern: Annotated[list[str], typer.Option("--topic", help="Topics it may have.")] = [],  # noqa: B006 -- typer reads it and never changes it
    team: Annotated[str, typer.Option(help="Its team.")] = "",
    days: Annotated[float, typer.Option(min=0, max=3650, help="Until it ends; 0 is never.")] = 0.0,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Issue a credential and print its secret, this once.

    Examples: aegis credential issue dashboard --scope sessions:read --scope topics:read;
    aegis credential issue feed --scope topics:publish --topic 'prices.*' --days 30
    """
    principal = verbs.acting(as_user)
    issued = credentials.issue(
        principal=principal,
        name=name,
        scopes=scope,
        patterns=pattern,
        team_id=selectors.team_for_new(principal, team).pk,
        lifetime=timedelta(days=days) if days else None,
    )
    _show_secret(How(is_json, is_quiet), "credential.issue", issued)


@app.command("list")
@verb
@elsewhere(far_credentials.several)
def several(
    *,
    usable: Annotated[bool, typer.Option("--usable", help="Only what opens something.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    List credentials, the newest first; their secrets are kept nowhere.

    Examples: aegis credential list --usable; aegis credential list --limit 20 --json
    """
    rows = selectors.credentials(verbs.acting(as_user), is_usable=usable)
    page = pages.page(rows, order="-created_at", cursor="", limit=limit)
    if page.next:
        output.say(f"There are more than {limit}; see --limit.")
    output.show(
        How(is_json, is_quiet),
        "credential.list",
        data=lambda: [codecs.show(documents.credential(one)) for one in page.rows],
        ids=[str(one.pk) for one in page.rows],
        table=lambda: table(page.rows),
        has_more=bool(page.next),
    )


@app.command()
@verb
@elsewhere(far_credentials.rotate)
def rotate(
    credential: Annotated[str, typer.Argument(help="An id or prefix.")],
    *,
    overlap: Annotated[
        float, typer.Option(min=0, max=720, help="Hours in which the old secret goes on.")
    ] = 0.0,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Print a fresh secret with the same rights, this once; the old one ends after the overlap.

    Examples: aegis credential rotate 3f2a9c1b77 --overlap 24;
    aegis credential rotate 3f2a9c1b77 --json
    """
    issued = credentials.rotate(
        principal=verbs.acting(as_user), credential=credential, overlap=timedelta(hours=overlap)
    )
    _show_secret(How(is_json, is_quiet), "credential.rotate", issued)


@app.command()
@verb
@elsewhere(far_credentials.revoke)
def revoke(
    credential: Annotated[
        list[str], typer.Argument(metavar="CREDENTIAL...", help="Ids or prefixes.")
    ],
    *,
    is_sure: Yes = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Revoke credentials; the sockets that they opened are closed.

    Examples: aegis credential revoke 3f2a9c1b77 --yes;
    aegis credential revoke 3f2a9c1b77 --yes --json
    """
    principal, how = verbs.acting(as_user), How(is_json, is_quiet)
    verbs.confirm(f"Revoke {', '.join(credential)}?", is_sure=is_sure)

    def act(reference: str) -> Credential:
        found = selectors.credential(principal, reference)
        return credentials.revoke(principal=principal, credential=found.pk)

    results = verbs.each(credential, act)
    if results.done or len(credential) > 1:
        output.show(
            how,
            "credential.revoke",
            data=lambda: [codecs.show(documents.credential(one)) for one in results.done],
            ids=[str(one.pk) for one in results.done],
            table=lambda: table(results.done),
        )
    results.end(how)


def _show_secret(how: How, command: str, issued: Issued) -> None:
    kept = codecs.show(documents.credential(issued.credential))
    document = {"secret": issued.secret, "credential": kept}
    output.show_one(how, command, document, identity=issued.secret, sentence=issued.secret)


def table(rows: list[Credential]) -> dict[str, list[str]]:
    """The columns of a list of credentials."""
    return {
        "PREFIX": [row.prefix for row in rows],
        "STATE": [standing(row) for row in rows],
        "NAME": [row.name for row in rows],
        "TEAM": [row.team.name if row.team else "–" for row in rows],
        "SCOPES": [" ".join(row.scopes) for row in rows],
        "TOPICS": [" ".join(row.patterns) for row in rows],
        "USED": [output.age(row.last_used_at) for row in rows],
    }


def standing(row: Credential) -> str:
    """Whether it opens anything, in one word."""
    if row.revoked_at is not None:
        return "revoked"
    return "usable" if row.is_usable(at=timezone.now()) else "expired"
