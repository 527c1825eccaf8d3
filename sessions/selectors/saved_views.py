"""Reading saved views: one's own."""

from aegis_project.kit.errors import NotFound
from aegis_project.kit.principal import Principal
from sessions.models import SavedView


def own(principal: Principal, of: str) -> list[SavedView]:
    """The views that the principal has of a list, the oldest first."""
    return list(SavedView.objects.filter(owner=principal.id, of=of).order_by("pk"))


def find(principal: Principal, view: str) -> SavedView:
    """
    One of the principal's own views.

    :raises NotFound: if there is none of this number
    """
    is_number = view.isascii() and view.isdecimal() and len(view) < 19
    rows = SavedView.objects.filter(owner=principal.id)
    found = rows.filter(pk=int(view)).first() if is_number else None
    if found is None:
        raise NotFound("There is no such view.", of="view")
    return found
