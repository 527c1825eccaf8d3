"""Sessions that are made from templates, and test runs of those."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api import answers
from sessions.api.documents import SessionDocument
from sessions.api.template_documents import ApplyInput, TestInput
from sessions.services import applying, trying
from sessions.services.outcome import Outcome
from streaming.api.base import Endpoint, once
from streaming.api.schema import operation


class Apply(Endpoint):
    """A session from a template."""

    examples: ClassVar[Mapping[str, Any]] = {"POST": {"key": "btc", "context": {"symbol": "BTC"}}}

    @operation("templates.apply", tag="templates", body=ApplyInput, answers={201: SessionDocument})
    @once
    def post(self, _request: Request, template: str) -> Response:
        """Make a session: its components declared, its messages said, its topics and policy set."""
        order = self.ordered(ApplyInput)
        made = applying.apply(
            principal=self.principal,
            template=template,
            wishes=order.wishes(),
            with_token=order.token,
        )
        return _answer(made)


class Test(Endpoint):
    """A test run of a template."""

    examples: ClassVar[Mapping[str, Any]] = {"POST": {}}

    @operation("templates.test", tag="templates", body=TestInput, answers={201: SessionDocument})
    @once
    def post(self, _request: Request, template: str) -> Response:
        """Make a session and start it on paper: tools that reach beyond it carry nothing out."""
        number = self.ordered(TestInput).version
        made = trying.on_paper(principal=self.principal, template=template, version=number)
        return _answer(made)


def _answer(made: Outcome) -> Response:
    response = answers.outcome(made, status=201)
    response["Location"] = f"/api/v1/sessions/{made.session.pk}"
    return response
