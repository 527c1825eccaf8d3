"""Topics of every session that one can see."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from streaming.api import codecs, live, topic_documents
from streaming.api.base import Endpoint
from streaming.api.documents import PageQuery
from streaming.api.schema import operation
from streaming.api.topic_documents import TopicDocument, TopicPage
from streaming.selectors import logs, pages


class TopicQuery(PageQuery, kw_only=True):
    """Which topics: of a session by its id, of a name."""

    session: UUID | None = None
    name: str = ""


class Topics(Endpoint):
    """The topics of all sessions that you can see."""

    @operation(
        "topics.list",
        tag="topics",
        query=TopicQuery,
        fields=TopicDocument,
        answers={200: TopicPage},
    )
    def get(self, _request: Request) -> Response:
        """List topics, the newest first, with what the answering process knows of them."""
        query, principal = self.asked(TopicQuery), self.principal
        rows = logs.readable(principal)
        if query.session is not None:
            rows = rows.filter(session_id=query.session)
        if query.name:
            rows = rows.filter(name=query.name)
        page = pages.page(rows, order="-created_at", cursor=query.cursor, limit=query.limit)
        seen = [row for row in page.rows if logs.may_see(principal, row.name)]
        found = live.figures({str(row.session_id) for row in seen})
        shown = [codecs.show(one) for one in topic_documents.topics(seen, found)]
        data = codecs.pick(shown, query.fields, TopicDocument)
        return Response({"data": data, "next": page.next})
