"""Who gets a topic, and how far behind."""

from rest_framework.request import Request
from rest_framework.response import Response

from sessions.selectors import sessions
from streaming.api import codecs, live, topic_documents
from streaming.api.base import Endpoint
from streaming.api.schema import operation
from streaming.api.topic_documents import SubscriberList
from streaming.selectors import cursors, logs


class TopicSubscribers(Endpoint):
    """The subscribers of one topic of a session."""

    @operation("sessions.topics.subscribers", tag="topics", answers={200: SubscriberList})
    def get(self, _request: Request, session: str, topic: str) -> Response:
        """List who is subscribed now, the most backward first."""
        logs.check_readable(self.principal, topic)
        row = sessions.find(self.principal, session)
        reading = live.figures([str(row.pk)]).get(str(row.pk), {}).get(topic)
        there = [one.component_id for one in reading.subscribers] if reading else []
        known = cursors.of_topic(row.pk, topic, there)
        documents = topic_documents.subscribers(reading, known)
        return Response({"data": [codecs.show(one) for one in documents]})
