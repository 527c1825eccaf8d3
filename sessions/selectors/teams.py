"""Reading teams."""

from django.contrib.auth.models import Group

from aegis_project.kit.errors import PermissionDenied
from aegis_project.kit.principal import Principal

DEFAULT = "default"


def for_new(principal: Principal, name: str = "") -> Group:
    """
    The team of something new: the one named, else the principal's only one, else the default.

    :raises PermissionDenied: for a team that the principal is not of
    """
    mine = Group.objects.order_by("name")
    if principal.teams is not None:
        mine = mine.filter(pk__in=principal.teams)
    found = mine.filter(name=name or DEFAULT).first()
    if found is None and not name:
        found = mine.first()
    if found is None:
        raise PermissionDenied("There is no such team for you.", team=name or DEFAULT)
    return found
