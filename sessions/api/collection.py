"""Sessions: the list, making one, reading, changing and deleting one."""

from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from aegis_project.kit.errors import ValidationFailed
from sessions.api import answers, documents, filters, inputs
from sessions.api.documents import SessionDocument, SessionPage
from sessions.api.inputs import FieldsQuery, ListQuery, SessionChanges, SessionInput
from sessions.api.schema import PARAMETERS
from sessions.core import dialects
from sessions.models import Session
from sessions.selectors import lists, sessions
from sessions.services import applying, creation, lifecycle
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.schema import VERSION, operation
from streaming.selectors import pages
from streaming.selectors.pages import Page

# Verbs of the lever that are nothing without what is said with them.
NEED_WORDS = frozenset({"fail", "recover"})


class Sessions(Endpoint):
    """Every session that you can see."""

    other_parameters = filters.NAMES
    examples = {"POST": inputs.EXAMPLE}
    words = dialects.TABLE

    @operation(
        "sessions.list",
        tag="sessions",
        query=ListQuery,
        fields=SessionDocument,
        parameters=PARAMETERS,
        answers={200: SessionPage},
    )
    def get(self, _request: Request) -> Response:
        """List sessions, the newest first unless another order is asked for."""
        query = self.asked(ListQuery)
        page = self.page(query)
        now = timezone.now()
        shown = [
            codecs.show(documents.document(view, now=now))
            for view in sessions.views(page.rows, now=now)
        ]
        return Response(
            {"data": codecs.pick(shown, query.fields, SessionDocument), "next": page.next}
        )

    def page(self, query: ListQuery) -> Page[Session]:
        """The page that was asked for; the first of all is what most ask for."""
        chosen, order = self.request.query_params.dict(), query.ordering
        if not query.cursor and not chosen.keys() & filters.NAMES:
            return lists.first_page(self.principal, order=order, limit=query.limit)
        rows = filters.narrow(lists.readable(self.principal), chosen)
        return pages.page(rows, order=order, cursor=query.cursor, limit=query.limit)

    @operation("sessions.create", tag="sessions", body=SessionInput, answers={201: SessionDocument})
    @once
    def post(self, request: Request) -> Response:
        """Make a session, with the components that it counts on."""
        order = self.ordered(SessionInput)
        if order.template:
            applied = applying.apply(
                principal=self.principal,
                template=order.template,
                wishes=order.wishes(),
                with_token=order.token,
            )
            return answers.made(applied, is_alone=False)
        made = creation.create(
            principal=self.principal,
            draft=order.draft(),
            expected=inputs.expected(order.components),
            with_token=order.token,
        )
        return answers.made(made, is_alone=not order.components)


class OneSession(Endpoint):
    """One session, by its id or its key."""

    examples = {"PATCH": {"name": "Another name", "metadata": {"ticket": 7}}}
    words = dialects.TABLE

    def verbs(self, data: Any) -> list[tuple[str, str]]:
        """What of the lever is legal now and needs nothing said."""
        address = self.request.path.rstrip("/")
        allowed = data.get("allowed", []) if isinstance(data, dict) else []
        return [(verb, f"{address}/{verb}") for verb in allowed if verb not in NEED_WORDS]

    @operation(
        "sessions.read",
        tag="sessions",
        query=FieldsQuery,
        fields=SessionDocument,
        answers={200: SessionDocument},
    )
    def get(self, _request: Request, session: str) -> Response:
        """Read a session; its ETag is what If-Match of a change takes."""
        fields = self.asked(FieldsQuery).fields
        return answers.session(lists.read(self.principal, session), fields=fields)

    @operation(
        "sessions.change",
        tag="sessions",
        body=SessionChanges,
        parameters=[VERSION],
        answers={200: SessionDocument},
    )
    def patch(self, request: Request, session: str) -> Response:
        """Change fields of an open session; those left out stay."""
        changed = creation.update(
            principal=self.principal,
            session=session,
            changes=self.ordered(SessionChanges).given(),
            version=version(request.headers.get("If-Match", "")),
        )
        return answers.outcome(changed)

    @operation("sessions.delete", tag="sessions", answers={204: None})
    def delete(self, _request: Request, session: str) -> Response:
        """End an open session and hide it."""
        lifecycle.delete(principal=self.principal, session=session)
        return Response(status=204)


def version(tag: str) -> int | None:
    """
    The version in an If-Match header; None when any will do.

    :raises ValidationFailed: for what is not one of our ETags
    """
    if tag in {"", "*"}:
        return None
    digits = tag.removeprefix('"').removesuffix('"')
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        raise ValidationFailed("If-Match takes the ETag of the session.", fields=["If-Match"])
    return int(digits)
