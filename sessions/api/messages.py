"""The conversation of a session: reading it, saying something, saying it differently."""

from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api import message_documents as documents
from sessions.api.inputs import FieldsQuery
from sessions.api.message_documents import (
    EditInput,
    MessageDocument,
    MessageInput,
    MessageList,
    MessagePage,
    MessageQuery,
)
from sessions.selectors import history
from sessions.services import conversation
from sessions.services.conversation import Said
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.schema import operation


class Messages(Endpoint):
    """The messages of a session."""

    examples = {"POST": {"content": "What happened in the last hour?"}}

    @operation(
        "sessions.messages",
        tag="messages",
        query=MessageQuery,
        fields=MessageDocument,
        answers={200: MessagePage},
    )
    def get(self, _request: Request, session: str) -> Response:
        """Read the newest messages of the chosen branch, or those ahead of or behind one."""
        query = self.asked(MessageQuery)
        row = history.readable(self.principal, session)
        before, after = query.before, query.after
        if query.before_id is not None:
            before = history.find(row.pk, query.before_id).place
        if query.after_id is not None:
            after = history.find(row.pk, query.after_id).place
        found = history.page(
            row,
            limit=query.limit,
            before=before,
            after=after,
            branch=query.branch,
            where=query.narrowing().where,
        )
        return Response(documents.page(found, query))

    @operation(
        "sessions.messages.post", tag="messages", body=MessageInput, answers={201: MessageDocument}
    )
    @once
    def post(self, _request: Request, session: str) -> Response:
        """Say something; its agent answers in a run that goes on by itself."""
        draft = self.ordered(MessageInput).draft()
        return said(
            conversation.say(principal=self.principal, session=session, draft=draft),
        )


class OneMessage(Endpoint):
    """One message of a session."""

    @operation(
        "sessions.messages.read",
        tag="messages",
        query=FieldsQuery,
        fields=MessageDocument,
        answers={200: MessageDocument},
    )
    def get(self, _request: Request, session: str, message: str) -> Response:
        """Read a message, of whatever branch."""
        fields = self.asked(FieldsQuery).fields
        row = history.readable(self.principal, session)
        [entry] = history.entries([history.find(row.pk, message)])
        shown = [codecs.show(documents.document(entry))]
        return Response(codecs.pick(shown, fields, MessageDocument)[0])


class Branches(Endpoint):
    """What was said at the same place."""

    @operation("sessions.messages.branches", tag="messages", answers={200: MessageList})
    def get(self, _request: Request, session: str, message: str) -> Response:
        """List the messages that follow the same one as this, itself among them."""
        row = history.readable(self.principal, session)
        found = history.entries(history.siblings(history.find(row.pk, message)))
        return Response({"data": [codecs.show(documents.document(one)) for one in found]})


class Edit(Endpoint):
    """Say it differently."""

    examples = {"POST": {"content": "What happened in the last two hours?"}}

    @operation(
        "sessions.messages.edit.post",
        tag="messages",
        body=EditInput,
        answers={201: MessageDocument},
    )
    @once
    def post(self, _request: Request, session: str, message: str) -> Response:
        """Say a user's message differently, in a branch that is answered anew."""
        content = self.ordered(EditInput).content
        return said(
            conversation.edit(
                principal=self.principal, session=session, message=message, content=content
            )
        )


class Choose(Endpoint):
    """Go back to a branch."""

    @operation("sessions.messages.choose.post", tag="messages", answers={200: MessageDocument})
    @once
    def post(self, _request: Request, session: str, message: str) -> Response:
        """Make the branch that this message is on the one that history shows."""
        found = conversation.choose(principal=self.principal, session=session, message=message)
        [entry] = history.entries([found])
        return Response(codecs.show(documents.document(entry)))


def said(found: Said) -> Response:
    """The message that was written, and the run that answers it."""
    [entry] = history.entries([found.message])
    response = Response(codecs.show(documents.said(found, entry)), status=201)
    response["Location"] = (
        f"/api/v1/sessions/{found.message.session_id}/messages/{found.message.pk}"
    )
    return response
