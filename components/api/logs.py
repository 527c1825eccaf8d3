"""What the programs of components print, as launchers bring it."""

from typing import Annotated, Literal

import orjson
from django.db import connection
from msgspec import Meta, Struct
from msgspec.structs import asdict
from rest_framework.request import Request
from rest_framework.response import Response

from components.core import launching, scopes
from components.services import launches
from streaming import node
from streaming.api.base import Endpoint, alone
from streaming.api.schema import operation
from streaming.core.errors import SessionOver
from streaming.core.position import MAX_SEQ

Whole = Annotated[int, Meta(ge=0, le=MAX_SEQ)]


class LineInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """One line and when it was printed; `dropped` is how many are missing where it stands."""

    ts: Whole
    stream: Literal["stdout", "stderr", "launcher"]
    line: Annotated[str, Meta(max_length=16_384)]
    cut: bool = False
    dropped: Whole = 0


class LogInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """Lines of the process that a launcher keeps."""

    fence: Whole
    lines: Annotated[list[LineInput], Meta(min_length=1, max_length=1000)]


class ComponentLog(Endpoint):
    """The log of a component's program."""

    @operation("components.log.post", tag="components", body=LogInput, answers={204: None})
    @alone
    def post(self, _request: Request, component: str) -> Response:
        """Bring lines to a component's topic `logs.*`; only its launcher can."""
        self.principal.require(scopes.LAUNCHER)
        order = self.ordered(LogInput)
        row = launches.check_kept(component_id=component, fence=order.fence).component
        if not row.session.is_open:
            raise SessionOver(session=row.session.key, state=row.session.state)
        key = (str(row.session_id), launching.log_topic(row.name, str(row.pk)))
        records = [(line.ts, orjson.dumps(_shown(line))) for line in order.lines]
        here = node.required()
        if connection.vendor != "sqlite" and not connection.in_atomic_block:
            connection.close()
        here.call(here.hub.publish(key, records))
        return Response(status=204)


def _shown(line: LineInput) -> dict[str, object]:
    """What a reader gets of a line: the rare members only where they say something."""
    values = asdict(line)
    rare = {name: values[name] for name in ("cut", "dropped") if values[name]}
    return {"stream": line.stream, "line": line.line, **rare}
