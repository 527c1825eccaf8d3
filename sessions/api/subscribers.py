"""Who gets a topic, and how far behind."""

from rest_framework.request import Request
from rest_framework.response import Response

from sessions.selectors import sessions
from streaming.api import codecs, live, topic_documents
from streaming.api.base import Endpoint
from streaming.api.schema import operation
from streaming.api.topic_documents import SubscriberList
from streaming.selectors import logs


class TopicSubscribers(Endpoint):
    """The subscribers of one topic of a session."""

    @operation("sessions.topics.subscribers", tag="topics", answers={200: SubscriberList})
    def get(self, _request: Request, session: str, topic: str) -> Response:
        """List who is subscribed now, the most backward first."""
        logs.check_readable(self.principal, topic)
        key = str(sessions.find(self.principal, session).pk)
        found = live.figures([key]).get(key, {})
        documents = topic_documents.subscribers(found.get(topic))
        return Response({"data": [codecs.show(one) for one in documents]})
