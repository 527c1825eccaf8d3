"""`aegis quota`: what teams have of what they may have."""

from typing import Any

import msgspec
from django_typer.management import Typer

from aegis_project.kit.quotas import Quota
from sessions.api import quotas
from sessions.api.quotas import QuotaDocument
from sessions.management import output, verbs
from sessions.management.output import How
from sessions.management.verbs import As, Json, Quiet, verb

app: Typer[..., Any] = Typer(help="Quotas: what teams have, and may have (AEGIS_QUOTAS).")


@app.command("list")
@verb
def several(*, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    List what each team uses of its quotas.

    Examples: aegis quota list; aegis quota list --json
    """
    found = quotas.documents(verbs.acting(as_user))
    output.show(
        How(is_json, is_quiet),
        "quota.list",
        data=lambda: [msgspec.to_builtins(one) for one in found],
        ids=[one.team for one in found],
        table=lambda: {
            "TEAM": [one.team for one in found],
            **{
                quota.value.replace("_", " ").upper(): [
                    cell(getattr(one, quota.value)) for one in found
                ]
                for quota in Quota
            },
        },
    )


def cell(one: QuotaDocument) -> str:
    """What is used, and what of."""
    return f"{one.used} of {one.most}" if one.most is not None else str(one.used)
