"""Keeping views of lists: making, renaming and removing one's own."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core import saved_views as core
from sessions.models import SavedView
from sessions.selectors import saved_views as reading
from streaming.services.commands import Trace, command

# Whoever may read may keep what they look at; what a list shows is for the list to say.
SCOPE = "sessions:read"


@dataclass(frozen=True, slots=True)
class Kept:
    """A view that was made, renamed or removed."""

    view: SavedView

    def audit(self) -> Trace:
        row = self.view
        return Trace(session_id=None, target=row.name, detail={"of": row.of, "query": row.query})


@command("view.create", scope=SCOPE)
def create(*, principal: Principal, of: str, name: str, query: str) -> Kept:
    """
    Keep what a list shows, by the query of its address.

    :raises ValidationFailed: for a list that there is not, a name that cannot be or is taken, or
        too many
    """
    row = SavedView(owner=principal.id, of=of, name=core.name(name), query=core.kept(of, query))
    if len(reading.own(principal, of)) >= core.MOST:
        raise ValidationFailed(f"Nobody has more than {core.MOST} views of a list.", most=core.MOST)
    _save(row)
    return Kept(row)


@command("view.rename", scope=SCOPE)
def rename(*, principal: Principal, view: str, name: str) -> Kept:
    """
    Call one's own view something else.

    :raises NotFound: if there is none of this number for the principal
    :raises ValidationFailed: for a name that cannot be or is taken
    """
    row = reading.find(principal, view)
    row.name = core.name(name)
    _save(row)
    return Kept(row)


@command("view.remove", scope=SCOPE)
def remove(*, principal: Principal, view: str) -> Kept:
    """
    Remove one's own view; what it showed stays.

    :raises NotFound: if there is none of this number for the principal
    """
    row = reading.find(principal, view)
    SavedView.objects.filter(pk=row.pk).delete()
    return Kept(row)


def _save(row: SavedView) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise ValidationFailed(f"You have a view {row.name} already.", field="name") from None
