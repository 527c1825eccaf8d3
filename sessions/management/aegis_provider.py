"""`aegis provider`: where models are reached."""

from typing import Annotated, Any, Literal

import typer
from django_typer.management import Typer

from sessions.api import agent_documents as documents
from sessions.core.catalogue import ProviderDraft
from sessions.management import listing, there, verbs
from sessions.management.listing import SecretFile, Shape
from sessions.management.output import How
from sessions.management.verbs import As, DryRun, Json, Quiet, Yes, elsewhere, verb
from sessions.models import Provider
from sessions.selectors import providers as reading
from sessions.services import providers
from streaming.api import codecs

app: Typer[..., Any] = Typer(help="Providers: list, show, create, update and remove them.")

Slug = Annotated[str, typer.Argument(metavar="PROVIDER", help="Its slug.")]
Slugs = Annotated[list[str], typer.Argument(metavar="PROVIDER...", help="Slugs.")]
Kind = Literal["openai", "azure", "anthropic"]
Base = Annotated[str, typer.Option(help="An address that speaks the interface of its kind.")]
Version = Annotated[str, typer.Option(help="The version of the interface, for azure.")]


SHAPE: Shape[Provider] = Shape(
    noun="provider",
    document=lambda row: codecs.show(documents.provider(row)),
    name="slug",
    columns={
        "PROVIDER": lambda row: row["slug"],
        "KIND": lambda row: row["kind"],
        "KEY": lambda row: "sealed" if row["has_secret"] else "–",
        "READY": lambda row: "yes" if row["is_complete"] else "no",
        "ADDRESS": lambda row: row["base_url"] or "its own",
    },
    sentence=lambda row: f"{row['slug']}  {row['kind']}  {row['base_url'] or 'its own address'}",
)


def _far_body(*, provider: str, secret_file: str, **given: str) -> dict[str, Any]:
    secret = listing.secret(secret_file) if secret_file else ""
    return {"slug": provider, "secret": secret, **given}


def _changes(*, secret_file: str, no_secret: bool, **given: str | None) -> dict[str, Any]:
    changes = listing.said(**given)
    if secret_file or no_secret:
        changes["secret"] = "" if no_secret else listing.secret(secret_file)
    return changes


@app.command("list")
@verb
@elsewhere(there.listed(SHAPE, "providers"))
def several(*, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    List the providers by slug; their keys are not shown.

    Examples: aegis provider list; aegis provider list --json
    """
    SHAPE.several(How(is_json, is_quiet), "list", list(reading.readable(verbs.acting(as_user))))


@app.command()
@verb
@elsewhere(there.shown(SHAPE, "providers", ":provider"))
def show(
    provider: Slug, *, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False
) -> None:
    """
    Show one provider.

    Examples: aegis provider show local; aegis provider show local --json
    """
    SHAPE.one(How(is_json, is_quiet), "show", reading.read(verbs.acting(as_user), provider))


@app.command()
@verb
@elsewhere(there.sent(SHAPE, "create", "POST", "providers", body=_far_body))
def create(
    provider: Slug,
    *,
    kind: Annotated[Kind, typer.Option(help="Which interface it speaks.")] = "openai",
    base_url: Base = "",
    api_version: Version = "",
    secret_file: SecretFile = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Register a provider, which agents may name in their models.

    Examples: aegis provider create local --base-url http://127.0.0.1:11434/v1;
    aegis provider create desk --kind azure --api-version 2024-10-21 --secret-file key.txt
    """
    draft = ProviderDraft(
        slug=provider,
        kind=kind,
        base_url=base_url,
        api_version=api_version,
        secret=listing.secret(secret_file) if secret_file else "",
    )
    made = providers.create(principal=verbs.acting(as_user), draft=draft)
    SHAPE.one(How(is_json, is_quiet), "create", made.provider)


@app.command()
@verb
@elsewhere(there.sent(SHAPE, "update", "PATCH", "providers", ":provider", body=_changes))
def update(
    provider: Slug,
    *,
    kind: Annotated[Kind | None, typer.Option(help="Which interface it speaks.")] = None,
    base_url: Base = "",
    api_version: Version = "",
    secret_file: SecretFile = "",
    no_secret: Annotated[bool, typer.Option("--no-secret", help="Take its key away.")] = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Change a provider; what is not said stays, and another address needs its key again.

    Examples: aegis provider update local --secret-file key.txt;
    aegis provider update local --base-url http://127.0.0.1:8080/v1 --no-secret
    """
    given = {"kind": kind, "base_url": base_url, "api_version": api_version}
    changes = _changes(secret_file=secret_file, no_secret=no_secret, **given)
    principal = verbs.acting(as_user)
    changed = providers.update(principal=principal, provider=provider, changes=changes)
    SHAPE.one(How(is_json, is_quiet), "update", changed.provider)


@app.command()
@verb
@elsewhere(there.removed(SHAPE, "providers", ":provider"))
def remove(
    provider: Slugs,
    *,
    is_sure: Yes = False,
    is_dry: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Forget providers and their keys; agents that name them fail until they name others.

    Examples: aegis provider remove local --yes; aegis provider remove local --dry-run
    """
    principal = verbs.acting(as_user)
    SHAPE.remove(
        How(is_json, is_quiet),
        provider,
        read=lambda one: reading.read(principal, one),
        act=lambda one: providers.remove(principal=principal, provider=one).provider,
        is_sure=is_sure,
        is_dry=is_dry,
    )
