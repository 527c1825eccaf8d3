"""Secrets of others that are kept here, sealed anew after the secret key was changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models

from aegis_project import sealed
from aegis_project.kit.errors import PermissionDenied, SecretUnreadable
from aegis_project.kit.principal import Principal
from sessions.models import Provider, Push, ToolServer, Webhook
from streaming.services.commands import Trace, command

# Every column that holds a secret which has to be read again.
KEPT: tuple[tuple[type[models.Model], tuple[str, ...]], ...] = (
    (Provider, ("secret",)),
    (ToolServer, ("secret",)),
    (Webhook, ("secret",)),
    (Push, ("token", "credentials")),
)


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many secrets there are, were sealed anew, and cannot be read by any key."""

    found: int
    resealed: int
    unreadable: tuple[str, ...]

    def audit(self) -> Trace:
        """What the audit says of it: numbers, and whose secrets have to be entered again."""
        detail: dict[str, Any] = {"found": self.found, "resealed": self.resealed}
        return Trace(
            session_id=None, target="secrets", detail=detail | {"unreadable": [*self.unreadable]}
        )


@command("secrets.reseal", scope="credentials:write")
def reseal(*, principal: Principal, is_dry: bool = False) -> Resealed:
    """
    Seal with the secret key of now what a former one sealed; then that is needed no more.

    What no key opens is left as it is and named: it has to be entered again.

    :raises PermissionDenied: for whoever does not see all teams, whose secrets these are
    """
    if principal.teams is not None:
        raise PermissionDenied("The secrets are those of all teams.")
    found, resealed, unreadable = 0, 0, []
    for row, name in _each():
        found += 1
        kept = getattr(row, name)
        if sealed.is_current(kept):
            continue
        try:
            text = sealed.unseal(kept)
        except SecretUnreadable:
            unreadable.append(f"{row._meta.model_name} {row}: {name}")
            continue
        resealed += 1
        if not is_dry:
            setattr(row, name, sealed.seal(text))
            row.save(update_fields=[name])
    return Resealed(found, resealed, tuple(unreadable))


def _each() -> Iterator[tuple[models.Model, str]]:
    for kind, names in KEPT:
        for row in kind._default_manager.select_for_update(of=("self",)).order_by("pk"):
            yield from ((row, name) for name in names if getattr(row, name))
