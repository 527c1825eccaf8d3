"""`aegis audit`: who asked for what, and whether the chain of it is whole."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Literal

import typer
from django.db.models import QuerySet
from django.utils import timezone
from django_typer.management import Typer

from aegis_project.kit.principal import Principal
from sessions.management import audit_filters, far_audit, verbs, waiting
from sessions.management.audit_filters import filtered
from sessions.management.listing import Limit
from sessions.management.output import How
from sessions.management.verbs import As, Json, Quiet, elsewhere, verb
from streaming.api import audit_documents as documents
from streaming.api import codecs
from streaming.core import audit_export
from streaming.models import AuditEntry
from streaming.selectors import audit, audit_proof, pages
from streaming.selectors.audit import Wanted

app: Typer[..., Any] = Typer(
    help="Audit: list, search, follow, show, export and verify what was asked for."
)

# What is written only now may have begun so long ago.
OVERLAP = timedelta(minutes=1)


@app.command("list")
@verb
@elsewhere(far_audit.several)
@filtered()
def several(
    *,
    wanted: Wanted,
    limit: Limit = 100,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    List entries, the newest first.

    Examples: aegis audit list --outcome refused --since -2h;
    aegis audit list --command 'session.*' --actor 'user:*' --session demo --json
    """
    _newest(verbs.acting(as_user), "list", wanted, limit=limit, how=How(is_json, is_quiet))


@app.command()
@verb
@elsewhere(far_audit.search)
@filtered(but=["text"])
def search(
    text: Annotated[str, typer.Argument(help="What stands somewhere in the entry.")],
    *,
    wanted: Wanted,
    limit: Limit = 100,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Search what entries say of commands, actors, targets, codes and details, the newest first.

    Examples: aegis audit search lunch; aegis audit search btc-demo --outcome refused --since -2h
    """
    found = replace(wanted, text=text)
    _newest(verbs.acting(as_user), "search", found, limit=limit, how=How(is_json, is_quiet))


def _newest(principal: Principal, name: str, wanted: Wanted, *, limit: int, how: How) -> None:
    rows = audit.narrowed(audit.readable(principal), wanted)
    page = pages.page(rows, order="-at", cursor="", limit=limit)
    shown = [codecs.show(documents.document(one)) for one in page.rows]
    far_audit.tell(how, name, shown, limit=limit, has_more=bool(page.next))


@app.command()
@verb
@elsewhere(far_audit.tail)
@filtered(but=["since", "until"])
def tail(
    *,
    wanted: Wanted,
    last: Annotated[int, typer.Option(min=0, max=1000, help="Begin with so many old ones.")] = 10,
    follow: Annotated[bool, typer.Option(help="Wait for more.")] = True,
    as_user: As = "",
    is_json: Json = False,
) -> None:
    """
    Print the newest entries and follow them; Ctrl-C stops looking alone.

    Examples: aegis audit tail --outcome refused; aegis audit tail --command 'session.*' --json
    """
    rows = audit.narrowed(audit.readable(verbs.acting(as_user)), wanted)
    for row in followed(rows, last=last, follows=follow):
        far_audit.tell_next(codecs.show(documents.document(row)), is_json=is_json)


def followed(rows: QuerySet[AuditEntry], *, last: int, follows: bool) -> Iterator[AuditEntry]:
    """The last of these entries, then each that is written, also where that took its time."""
    told = _lately(rows)
    newest = list(rows.order_by("-pk")[:last])
    yield from reversed(newest)
    told |= {row.pk for row in newest}
    while follows:
        found = _lately(rows)
        yield from rows.filter(pk__in=found - told).order_by("pk")
        told = found
        waiting.until_a_hint()


def _lately(rows: QuerySet[AuditEntry]) -> set[int]:
    return set(rows.filter(at__gte=timezone.now() - OVERLAP).values_list("pk", flat=True))


@app.command()
@verb
@elsewhere(far_audit.show)
def show(
    entry: Annotated[str, typer.Argument(metavar="ENTRY", help="Its id.")],
    *,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Show one entry with all that it holds.

    Examples: aegis audit show 4711; aegis audit show 4711 --json
    """
    row = audit.find(verbs.acting(as_user), entry)
    far_audit.tell_one(How(is_json, is_quiet), codecs.show(documents.document(row)))


@app.command()
@verb
@elsewhere(far_audit.export)
@filtered()
def export(
    *,
    form: Annotated[Literal["csv", "ndjson"], typer.Option("--format")] = "ndjson",
    wanted: Wanted,
    as_user: As = "",
) -> None:
    """
    Write the entries that the same filters list to standard output, oldest first.

    Examples: aegis audit export --format csv > audit.csv;
    aegis audit export --session demo --since 2026-01-01 > demo.ndjson
    """
    rows = audit.narrowed(audit.readable(verbs.acting(as_user)), wanted)
    chosen, after = audit_export.FORMATS[form](), 0
    typer.echo(chosen.begin(), nl=False)
    while found := audit.batch(rows, after=after):
        typer.echo(chosen.lines(documents.line(one) for one in found), nl=False)
        after = found[-1].pk


@app.command()
@verb
@elsewhere(far_audit.verify)
def verify(
    *,
    after: Annotated[int, typer.Option(min=0, help="Begin behind this place.")] = 0,
    kept: Annotated[
        str, typer.Option(metavar="PLACE:DIGEST", help="What an earlier verify or the log said.")
    ] = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Walk along the chain, and name the first entry that is wrong; 9 when one is.

    Examples: aegis audit verify --kept 1204:9f86d0…; aegis audit verify --after 1204 --json
    """
    anchor = audit_filters.anchor(kept)
    found = audit_proof.verify(verbs.acting(as_user), after=after, kept=anchor)
    far_audit.tell_verdict(How(is_json, is_quiet), codecs.show(documents.verdict(found)))
