"""What is asked of one component of a session over HTTP."""

from rest_framework.request import Request
from rest_framework.response import Response

from components.api import documents
from components.api.documents import ComponentDocument
from sessions.services import participants
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.schema import operation


class DetachedDocument(ComponentDocument, kw_only=True):
    """A component that is not of its session any more; `is_forgotten` says that it cannot be read."""

    is_forgotten: bool


def detached(found: participants.Moved) -> DetachedDocument:
    """The document of a component that was taken out, or would be."""
    shown = documents.component(found.component)
    values = {name: getattr(shown, name) for name in ComponentDocument.__struct_fields__}
    return DetachedDocument(**values, is_forgotten=found.is_forgotten)


class Detach(Endpoint):
    """A component leaves its session."""

    @operation("components.detach.post", tag="components", answers={200: DetachedDocument})
    @once
    def post(self, _request: Request, session: str, component: str) -> Response:
        """Release a component and wait for it no longer; of whom nothing is here it is forgotten."""
        found = participants.detach(principal=self.principal, session=session, component=component)
        return Response(codecs.show(detached(found)))


class Restart(Endpoint):
    """A component begins anew."""

    @operation("components.restart.post", tag="components", answers={200: ComponentDocument})
    @once
    def post(self, _request: Request, session: str, component: str) -> Response:
        """Have the program of a component begin anew; 409 for one that no launcher runs."""
        found = participants.restart(principal=self.principal, session=session, component=component)
        return Response(codecs.show(documents.component(found.component)))
