"""`aegis secrets`: what is kept sealed here, under the secret key of now."""

from dataclasses import asdict
from typing import Any

from django_typer.management import Typer

from sessions.management import output, verbs
from sessions.management.output import How
from sessions.management.verbs import As, DryRun, Json, Quiet, verb
from sessions.services import secrets

app: Typer[..., Any] = Typer(help="Secrets: seal them anew after the secret key was changed.")


@app.callback()
def nouns() -> None:
    """Keep the verb, which is the only one, a verb."""


@app.command()
@verb
def reseal(
    *, as_user: As = "", is_dry: DryRun = False, is_json: Json = False, is_quiet: Quiet = False
) -> None:
    """
    Seal all kept secrets with AEGIS_SECRET_KEY, reading them with AEGIS_SECRET_KEY_FALLBACKS.

    Examples: aegis secrets reseal --dry-run; aegis secrets reseal --json
    """
    done = secrets.reseal(principal=verbs.acting(as_user), is_dry=is_dry)
    for one in done.unreadable:
        output.say(f"{one} cannot be read; enter it again.")
    output.show_one(
        How(is_json, is_quiet),
        "secrets.reseal",
        {**asdict(done), "dry_run": is_dry},
        identity=str(done.resealed),
        sentence=f"{done.resealed} of {done.found} secrets were sealed anew."
        if not is_dry
        else f"{done.resealed} of {done.found} secrets would be sealed anew.",
    )
