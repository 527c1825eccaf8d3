"""`aegis quota`: what teams have of what they may have."""

from collections.abc import Callable
from typing import Any

import msgspec
from django_typer.management import Typer

from aegis_project.kit.quotas import Quota
from sessions.api import quotas
from sessions.management import there, verbs
from sessions.management.far import Document
from sessions.management.listing import Shape
from sessions.management.output import How
from sessions.management.verbs import As, Json, Quiet, elsewhere, verb

app: Typer[..., Any] = Typer(help="Quotas: what teams have, and may have (AEGIS_QUOTAS).")


def _cell(quota: Quota) -> Callable[[Document], str]:
    def cell(row: Document) -> str:
        """What is used, and what of."""
        one = row[quota.value]
        used, most = one["used"], one["most"]
        return str(used) if most is None else f"{used} of {most}"

    return cell


SHAPE: Shape[Any] = Shape(
    noun="quota",
    document=msgspec.to_builtins,
    name="team",
    columns={
        "TEAM": lambda row: row["team"],
        **{quota.value.replace("_", " ").upper(): _cell(quota) for quota in Quota},
    },
    sentence=lambda row: str(row["team"]),
)


@app.command("list")
@verb
@elsewhere(there.listed(SHAPE, "quotas"))
def several(*, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    List what each team uses of its quotas.

    Examples: aegis quota list; aegis quota list --json
    """
    SHAPE.several(How(is_json, is_quiet), "list", quotas.documents(verbs.acting(as_user)))
