"""Reading which servers of the Model Context Protocol agents may use."""

from django.db.models import QuerySet

from aegis_project.kit.principal import Principal
from sessions.core.errors import ToolServerNotFound
from sessions.models import ToolServer


def readable(principal: Principal) -> QuerySet[ToolServer]:
    """
    The tool servers by slug; their secrets stay sealed.

    :raises PermissionDenied: without the scope tool_servers:read
    """
    principal.require("tool_servers:read")
    return ToolServer.objects.order_by("slug")


def read(principal: Principal, slug: str) -> ToolServer:
    """
    One tool server.

    :raises PermissionDenied: without the scope tool_servers:read
    :raises ToolServerNotFound: if there is none
    """
    found = readable(principal).filter(slug=slug).first() if "\x00" not in slug else None
    if found is None:
        raise ToolServerNotFound(tool_server=slug[:100])
    return found
